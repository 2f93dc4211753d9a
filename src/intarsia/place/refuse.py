"""Whether a strategy is possible at all: one clear sentence if not."""

from __future__ import annotations

from intarsia.graph import Model
from intarsia.ground import InputError
from intarsia.machines.clusters import Cluster
from intarsia.place.even import block_kinds
from intarsia.place.strategy import Pipeline, Strategy


def refuse_strategy(model: Model, strategy: Strategy, cluster: Cluster, *, where: str = "") -> None:
    """Says nothing where the strategy is possible.

    Args:
        model: the model.
        strategy: the degrees and switches.
        cluster: the devices, of which the strategy may use a part.
        where: a file and line for the message.

    Raises:
        InputError: a degree is not positive, the degrees do not divide what they cut, or they need too many devices.
    """
    positive = {
        "tensor": strategy.tensor,
        "pipeline": strategy.pipeline,
        "data": strategy.data,
        "context": strategy.context,
        "expert": strategy.expert,
        "microbatch": strategy.microbatch,
        "global batch": strategy.global_batch,
        "interleave": strategy.interleave,
    }
    for name, value in positive.items():
        if value < 1:
            raise InputError(f"{name} is not positive", where=where, value=str(value), allowed="1 or more")
    if strategy.devices > cluster.devices:
        raise InputError(
            "the degrees need more devices than the cluster has",
            where=where,
            value=f"{_product(strategy)} = {strategy.devices} of {cluster.devices}",
        )
    if strategy.data * strategy.microbatch > strategy.global_batch:
        raise InputError(
            "the global batch is less than one microbatch for each replica",
            where=where,
            value=f"{strategy.global_batch} < {strategy.data} × {strategy.microbatch}",
        )
    if strategy.data * strategy.context % strategy.expert:
        raise InputError(
            "the expert degree does not divide data × context",
            where=where,
            value=f"{strategy.expert} of {strategy.data * strategy.context}",
        )
    reason = model.refusal(strategy.variant)
    if reason:
        raise InputError(f"{model.name} cannot be cut so", where=where, value=reason)
    _refuse_pipeline(model, strategy, where)


def _refuse_pipeline(model: Model, strategy: Strategy, where: str) -> None:
    chain = model.layers(strategy.variant)
    layers = sum(chain[kind].repeat for kind in block_kinds(chain))
    if strategy.pipeline > layers:
        raise InputError("there are more stages than blocks", where=where, value=f"{strategy.pipeline} > {layers}")
    if strategy.interleave == 1:
        return
    if strategy.pipeline == 1:
        raise InputError("interleaving needs a pipeline", where=where, value=f"interleave {strategy.interleave}")
    if strategy.order is Pipeline.ZERO_BUBBLE:
        raise InputError("zero-bubble with interleaving is not modelled", where=where, allowed="interleave 1")


def _product(strategy: Strategy) -> str:
    return f"{strategy.tensor} × {strategy.pipeline} × {strategy.data} × {strategy.context}"
