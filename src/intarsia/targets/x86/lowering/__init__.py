"""From an embedding to native code: plans, packing, register tiles.

``plans`` finds the best plans of an operator, ``plan_of`` makes one from choices; a ``Kernel`` is a plan's code, and
``Bound`` is a kernel with its constants, which runs.
"""

from intarsia.targets.x86.lowering.choose import best_plan, plans
from intarsia.targets.x86.lowering.cost import Cycles, Speeds, predicted, speeds_of
from intarsia.targets.x86.lowering.kernel import Bound, Kernel
from intarsia.targets.x86.lowering.plan import Plan
from intarsia.targets.x86.lowering.planning import plan_of
from intarsia.targets.x86.lowering.store import Epilogue
from intarsia.targets.x86.lowering.subject import Nest, Subject, Way

__all__ = [
    "Bound",
    "Cycles",
    "Epilogue",
    "Kernel",
    "Nest",
    "Plan",
    "Speeds",
    "Subject",
    "Way",
    "best_plan",
    "plan_of",
    "plans",
    "predicted",
    "speeds_of",
]
