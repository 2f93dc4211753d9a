"""A model that answers, on a cluster: pace and bytes of a deployment, and the best one with its proof."""

from intarsia.place.serving.check import check_serving
from intarsia.place.serving.chips import RatedCuts, bound_with_messages, rated_cuts
from intarsia.place.serving.memory import ServingMemory
from intarsia.place.serving.pace import Pace
from intarsia.place.serving.plan import Considered, Parts, Served, ServingPlan
from intarsia.place.serving.prices import Chains
from intarsia.place.serving.search import best_serving, bound_tokens, most_tokens
from intarsia.place.serving.task import Degrees, Deployment, ServingChoices, ServingTask, all_degrees

__all__ = [
    "Chains",
    "Considered",
    "Degrees",
    "Deployment",
    "Pace",
    "Parts",
    "RatedCuts",
    "Served",
    "ServingChoices",
    "ServingMemory",
    "ServingPlan",
    "ServingTask",
    "all_degrees",
    "best_serving",
    "bound_tokens",
    "bound_with_messages",
    "check_serving",
    "most_tokens",
    "rated_cuts",
]
