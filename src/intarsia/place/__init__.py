"""Layers of a model on the devices of a cluster: time and memory of a plan, and the best plan with its proof."""

from intarsia.place.even import even_split
from intarsia.place.memory import Memory, stage_memory
from intarsia.place.predict import Prediction, predict, predict_split
from intarsia.place.profile import Demands, Profile, demands
from intarsia.place.step import StageTime, StepTime, step_time
from intarsia.place.strategy import Pipeline, Split, Strategy

__all__ = [
    "Demands",
    "Memory",
    "Pipeline",
    "Prediction",
    "Profile",
    "Split",
    "StageTime",
    "StepTime",
    "Strategy",
    "demands",
    "even_split",
    "predict",
    "predict_split",
    "stage_memory",
    "step_time",
]
