"""A plan as a JSON file of DeepSpeed.

Keys as ``docs/_pages/config-json.md`` of deepspeedai/DeepSpeed has them at commit 00376da4 and
``deepspeed/runtime/constants.py`` at commit 088be892. JSON has no comments: the notes go elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from intarsia.graph import Attention, Dtype, Recompute
from intarsia.place.strategy import Pipeline
from intarsia.report.export import Export, Launch


def deepspeed_json(launch: Launch) -> Export:
    """The file, and what DeepSpeed takes in code instead."""
    strategy = launch.plan.strategy
    config: dict[str, Any] = {
        "train_batch_size": strategy.global_batch,
        "train_micro_batch_size_per_gpu": strategy.microbatch,
        "gradient_accumulation_steps": strategy.microbatches,
        "gradient_clipping": 1.0,
        "zero_optimization": {"stage": strategy.zero, "contiguous_gradients": True, "overlap_comm": strategy.zero >= 2},
        "fp16" if strategy.dtype is Dtype.FP16 else "bf16": {"enabled": True},
        "data_types": {"grad_accum_dtype": _gradients(launch)},
    }
    if strategy.tensor > 1:
        config["tensor_parallel"] = {"autotp_size": strategy.tensor}
    if launch.recompute is not Recompute.NONE:
        config["activation_checkpointing"] = {
            "partition_activations": False,
            "cpu_checkpointing": False,
            "contiguous_memory_optimization": False,
            "number_checkpoints": max(launch.blocks),
        }
    return Export(json.dumps(config, indent=2) + "\n", tuple(_notes(launch)))


def _gradients(launch: Launch) -> str:
    strategy = launch.plan.strategy
    if strategy.gradient_bytes == 4:
        return "fp32"
    return "fp16" if strategy.dtype is Dtype.FP16 else "bf16"


def _notes(launch: Launch) -> Iterator[str]:
    strategy = launch.plan.strategy
    if strategy.pipeline > 1:
        blocks = ", ".join(map(str, launch.blocks))
        yield f"stages are given in code: PipelineModule(num_stages={strategy.pipeline}), blocks by stage {blocks}"
        if strategy.zero >= 2:
            yield "DeepSpeed's pipelines go with ZeRO 0 and 1 only"
        if strategy.interleave > 1:
            yield "DeepSpeed has no interleaving: one chunk a stage, a longer bubble than predicted"
        if strategy.order is Pipeline.ZERO_BUBBLE:
            yield "DeepSpeed has no zero-bubble order: this runs 1F1B, slower than predicted"
    if strategy.tensor > 1 and strategy.zero == 3:
        yield "DeepSpeed's tensor parallelism goes with ZeRO 0 to 2 only"
    if strategy.context > 1:
        yield f"sequences over {strategy.context} devices are set up in code, with other collectives (Ulysses)"
    if strategy.expert > 1:
        yield f"experts over {strategy.expert} devices are given in code: deepspeed.moe.layer.MoE(ep_size=…)"
    if strategy.tensor > 1 and strategy.sequence_parallel:
        yield "sequence parallelism within tensor ranks is the model's own code"
    yield from launch.recompute_notes("DeepSpeed")
    if launch.recompute is not Recompute.NONE:
        what = "each block" if launch.recompute is Recompute.FULL else "the attention core"
        yield f"the model must call deepspeed.checkpointing.checkpoint for {what}"
    if strategy.dtype is Dtype.FP8:
        yield "fp8 products are the model's own code (Transformer Engine); the rest is bf16"
    if strategy.attention is Attention.FLASH:
        yield "fused attention is the model's own code"
    yield "the optimizer and its learning rate are left to the script"
