"""What work costs on a chip and a network: seconds from tilings, rooflines and measured efficiencies."""

from intarsia.cost.amounts import amounts
from intarsia.cost.collective import Placed, collective_seconds, collectives_seconds, message_seconds, sent_bytes
from intarsia.cost.demand import Demand, demand
from intarsia.cost.kernel import kernel_seconds
from intarsia.cost.layer import Groups, LayerCost, PassCost, PassDemand, pass_demand

__all__ = [
    "Demand",
    "Groups",
    "LayerCost",
    "PassCost",
    "PassDemand",
    "Placed",
    "amounts",
    "collective_seconds",
    "collectives_seconds",
    "demand",
    "kernel_seconds",
    "message_seconds",
    "pass_demand",
    "sent_bytes",
]
