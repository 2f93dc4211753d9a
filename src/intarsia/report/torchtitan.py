"""A plan as a TOML file of torchtitan.

Keys as ``torchtitan/config/job_config.py`` of pytorch/torchtitan has them at commit 6404b932 (August 2025); module
names of stages as ``torchtitan/distributed/pipeline_parallel.py`` has them at commit 02ef790c; flavors as the models'
``__init__.py``. Later versions are configured by Python functions with fields of the same names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from intarsia.graph import Attention, Dtype, Recompute
from intarsia.place.strategy import Pipeline
from intarsia.report.export import BLOCKS, Export, Launch, commented

FLAVORS = {
    "llama3-8b": ("llama3", "8B"),
    "llama3-70b": ("llama3", "70B"),
    "llama3-405b": ("llama3", "405B"),
    "deepseek-v2-lite": ("deepseek_v3", "16B"),
    "deepseek-v2": ("deepseek_v3", "236B"),
    "deepseek-v3": ("deepseek_v3", "671B"),
    "qwen3-8b": ("qwen3", "8B"),
    "qwen3-30b-a3b": ("qwen3", "30B-A3B"),
}
"""Our names of models that torchtitan has: its name and its flavor."""
Value = str | int | bool | list[str] | list[list[str]]
Table = dict[str, Value]


def torchtitan_toml(launch: Launch) -> Export:
    """The file; a model that torchtitan lacks is left out and said so."""
    notes = list(_notes(launch))
    source = "Keys of torchtitan's job_config.py as of commit 6404b932 (August 2025)."
    tables: dict[str, Table] = {
        "job": {"description": f"{launch.plan.model} as planned"},
        "model": _model(launch),
        "training": _training(launch),
        "parallelism": _parallelism(launch),
        "activation_checkpoint": _checkpoint(launch),
    }
    lines = commented([*launch.heading(), source], notes)
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {_text(value)}" for key, value in table.items())]
    return Export("\n".join(lines) + "\n", tuple(notes))


def _text(value: Value) -> str:
    """A value of TOML; of lists in a list, each on a line."""
    if not isinstance(value, list) or not any(isinstance(one, list) for one in value):
        return json.dumps(value)
    return "\n".join(["[", *(f"  {json.dumps(one)}," for one in value), "]"])


def _model(launch: Launch) -> Table:
    table: Table = {}
    if launch.plan.model in FLAVORS:
        table["name"], table["flavor"] = FLAVORS[launch.plan.model]
    if launch.plan.strategy.dtype is Dtype.FP8:
        table["converters"] = ["float8"]
    return table


def _training(launch: Launch) -> Table:
    strategy = launch.plan.strategy
    count = strategy.microbatches if strategy.pipeline > 1 else 1
    return {
        "local_batch_size": strategy.microbatch * count,
        "global_batch_size": strategy.global_batch,
        "seq_len": strategy.sequence,
        "mixed_precision_param": "bfloat16",
        "mixed_precision_reduce": "float32",
    }


def _parallelism(launch: Launch) -> Table:
    strategy = launch.plan.strategy
    replicated = strategy.zero == 0 and strategy.devices == strategy.data
    table: Table = {
        "data_parallel_replicate_degree": strategy.data if replicated else 1,
        "data_parallel_shard_degree": 1 if replicated else strategy.data,
        "fsdp_reshard_after_forward": "always" if strategy.zero == 3 else "never",
        "tensor_parallel_degree": strategy.tensor,
        "context_parallel_degree": strategy.context,
        "pipeline_parallel_degree": strategy.pipeline,
    }
    if strategy.expert > 1:
        table["expert_parallel_degree"] = strategy.expert
    if strategy.pipeline > 1:
        table["pipeline_parallel_schedule"] = "Interleaved1F1B" if strategy.interleave > 1 else "1F1B"
        table["pipeline_parallel_microbatch_size"] = strategy.microbatch
        if launch.parts is not None:
            table["module_fqns_per_model_part"] = modules(launch, launch.parts)
    return table


def modules(launch: Launch, parts: tuple[int, ...]) -> list[list[str]]:
    """Names of the modules of each part of the chain: norm and output with the head."""
    stages, last = launch.plan.strategy.pipeline, len(parts) - 1
    behind = [index for index, (name, _) in enumerate(launch.plan.layers) if name in BLOCKS][-1] + 1
    head = next(stage for stage, counts in enumerate(launch.plan.split.counts) if any(counts[behind:]))
    named: list[list[str]] = []
    done = 0
    for number, count in enumerate(parts):
        names = ["tok_embeddings"] if number == 0 else []
        names += [f"layers.{done + layer}" for layer in range(count)]
        done += count
        named.append(names + (["norm", "output"] if number == last - (stages - 1 - head) else []))
    return named


def _checkpoint(launch: Launch) -> Table:
    match launch.recompute:
        case Recompute.NONE:
            return {"mode": "none"}
        case Recompute.SELECTIVE:
            return {"mode": "selective", "selective_ac_option": "op"}
        case Recompute.FULL:
            return {"mode": "full"}


def _notes(launch: Launch) -> Iterator[str]:
    plan, strategy = launch.plan, launch.plan.strategy
    if plan.model not in FLAVORS:
        yield f"torchtitan has no {plan.model}: add it to its models and name it under [model]"
    if strategy.order is Pipeline.ZERO_BUBBLE:
        yield "torchtitan has no zero-bubble order for one part a stage: this runs 1F1B, slower than predicted"
    if strategy.pipeline > 1 and launch.parts is None:
        yield "the stages cannot be named: torchtitan cuts the model its own way"
    yield from launch.recompute_notes("torchtitan")
    if launch.recompute is Recompute.SELECTIVE:
        yield "selective keeps only every other product: less is kept and more recomputed than planned"
    if strategy.zero == 1 or (strategy.zero == 0 and 1 < strategy.data < strategy.devices):
        yield f"torchtitan cuts gradients and weights too where the plan has ZeRO {strategy.zero}"
    if strategy.zero == 3 and strategy.pipeline > 1:
        yield "weights are gathered for every microbatch, as planned; fsdp_reshard_after_forward = never gathers once"
    if strategy.attention is Attention.EAGER:
        yield "attention is fused, planned was eager"
    if strategy.tensor > 1 and not strategy.sequence_parallel:
        yield "tensor parallelism comes with sequence parallelism here, not planned"
    if strategy.dtype is Dtype.FP16:
        yield "torchtitan has no fp16: this runs bf16"
    if strategy.gradient_bytes != 4:
        yield "gradients are reduced in 4 bytes"
    if strategy.expert > 1 and strategy.context > strategy.expert:
        yield "the expert degree must be at least the context degree"
    yield "tokenizer, data, learning rate and steps are torchtitan's defaults"
