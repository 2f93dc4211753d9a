"""Layers of a model on the devices of a cluster: time and memory of a plan, and the best plan with its proof."""

from intarsia.place.check_plan import check_plan
from intarsia.place.choices import Choices
from intarsia.place.energy import Energy, energy_of, energy_on
from intarsia.place.even import even_split
from intarsia.place.memory import Memory, stage_memory
from intarsia.place.plan import Candidate, Plan, Price, Removed
from intarsia.place.predict import Prediction, predict, predict_split
from intarsia.place.profile import Demands, Profile, demands
from intarsia.place.search import best_plan
from intarsia.place.space import enumerate_strategies
from intarsia.place.step import StageTime, StepTime, step_time
from intarsia.place.strategy import Pipeline, Split, Strategy

__all__ = [
    "Candidate",
    "Choices",
    "Demands",
    "Energy",
    "Memory",
    "Pipeline",
    "Plan",
    "Prediction",
    "Price",
    "Profile",
    "Removed",
    "Split",
    "StageTime",
    "StepTime",
    "Strategy",
    "best_plan",
    "check_plan",
    "demands",
    "energy_of",
    "energy_on",
    "enumerate_strategies",
    "even_split",
    "predict",
    "predict_split",
    "stage_memory",
    "step_time",
]
