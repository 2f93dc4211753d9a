"""A plan as a shell script that starts Megatron-LM.

Arguments as ``megatron/training/arguments.py`` of NVIDIA/Megatron-LM has them at commit 000c4ac2 (2025, Megatron Core);
layouts as ``megatron/core/transformer/pipeline_parallel_layer_layout.py`` reads them at commit 00caa53a. Megatron-LM
numbers its ranks as a strategy does: tensor, context, (expert,) data, pipeline.
"""

from __future__ import annotations

from intarsia.graph import Attention, Dtype, Recompute
from intarsia.ground import InputError
from intarsia.place.strategy import Pipeline
from intarsia.report.export import Export, Launch, commented
from intarsia.report.megatron_model import model_arguments, refuse_model
from intarsia.report.megatron_stages import stage_arguments

Arguments = list[str]


def megatron_script(launch: Launch) -> Export:
    """The script.

    Raises:
        InputError: Megatron-LM's GPT cannot be this model.
    """
    if launch.transformer is None:
        raise InputError("Megatron-LM needs a transformer whose sizes are known", where=launch.plan.model)
    refuse_model(launch.transformer)
    model, notes = model_arguments(launch.transformer, launch.plan.strategy.sequence)
    parallel, more = _parallel(launch)
    training, rest = _training(launch)
    notes = [*notes, *more, *rest]
    source = "Arguments of Megatron-LM's pretrain_gpt.py as of commit 000c4ac2 (2025)."
    lines = [
        "#!/usr/bin/env bash",
        *commented([*launch.heading(), source], notes),
        "set -euo pipefail",
        ': "${MEGATRON:?set it to the folder of Megatron-LM}"',
        *_environment(launch),
        "",
        *_array("LAUNCH", _torchrun(launch)),
        *_array("MODEL", model),
        *_array("PARALLEL", parallel),
        *_array("TRAINING", training),
        "# Without arguments, on made-up tokens. Give your own: --data-path, --tokenizer-type, --lr, --save, …",
        "if (($#)); then DATA=(); else",
        *(f"  {line}" for line in _array("DATA", _made_up(launch.transformer.vocab))),
        "fi",
        "",
        'torchrun "${LAUNCH[@]}" "$MEGATRON/pretrain_gpt.py" \\',
        '  "${MODEL[@]}" "${PARALLEL[@]}" "${TRAINING[@]}" "${DATA[@]}" "$@"',
    ]
    return Export("\n".join(lines) + "\n", tuple(notes))


def _environment(launch: Launch) -> list[str]:
    if launch.plan.strategy.zero >= 2:
        return ["unset CUDA_DEVICE_MAX_CONNECTIONS  # sharded gradients and weights need several"]
    return ["export CUDA_DEVICE_MAX_CONNECTIONS=1"]


def _torchrun(launch: Launch) -> Arguments:
    first = [f"--nproc-per-node {launch.per_node}", f"--nnodes {launch.nodes}"]
    if launch.nodes == 1:
        return [*first, "--standalone"]
    where = ['--node-rank "${NODE_RANK:?}"', '--master-addr "${MASTER_ADDR:?}"']
    return [*first, *where, '--master-port "${MASTER_PORT:-6000}"']


def _parallel(launch: Launch) -> tuple[Arguments, list[str]]:
    strategy = launch.plan.strategy
    arguments = [
        f"--tensor-model-parallel-size {strategy.tensor}",
        f"--pipeline-model-parallel-size {strategy.pipeline}",
        f"--context-parallel-size {strategy.context}",
    ]
    stages, notes = stage_arguments(launch)
    arguments += stages
    if strategy.expert > 1:
        arguments += [
            f"--expert-model-parallel-size {strategy.expert}",
            f"--expert-tensor-parallel-size {strategy.tensor}",
        ]
    if strategy.sequence_parallel and strategy.tensor > 1:
        arguments.append("--sequence-parallel")
    elif strategy.expert > 1 and strategy.tensor > 1:
        notes.append("experts cut over tensor ranks need --sequence-parallel, which was not planned")
    if strategy.devices % launch.per_node:
        notes.append(f"the last node has {strategy.devices % launch.per_node} ranks; torchrun wants all nodes alike")
    if strategy.context > 1 and strategy.sequence % (2 * strategy.context):
        notes.append("Megatron-LM wants a sequence that divides by 2 × the context degree")
    return [*arguments, *_zero(strategy.zero, notes)], notes


def _zero(zero: int, notes: list[str]) -> Arguments:
    if zero == 0:
        return []
    if zero == 1:
        return ["--use-distributed-optimizer"]
    notes.append(f"ZeRO {zero} is Megatron-FSDP, which pipelines and experts restrict; ZeRO 1 is the usual way here")
    kind = "optim_grads" if zero == 2 else "optim_grads_params"
    arguments = ["--use-distributed-optimizer", "--use-megatron-fsdp", f"--data-parallel-sharding-strategy {kind}"]
    return [*arguments, "--ckpt-format fsdp_dtensor"]


def _training(launch: Launch) -> tuple[Arguments, list[str]]:
    strategy = launch.plan.strategy
    notes = launch.recompute_notes("Megatron-LM")
    arguments = [
        f"--micro-batch-size {strategy.microbatch}",
        f"--global-batch-size {strategy.global_batch}",
        f"--seq-length {strategy.sequence}",
        f"--attention-backend {'flash' if strategy.attention is Attention.FLASH else 'unfused'}",
        "--fp16" if strategy.dtype is Dtype.FP16 else "--bf16",
    ]
    if strategy.dtype is Dtype.FP8:
        arguments.append("--fp8-format hybrid")
    if strategy.dtype is Dtype.FP16 and strategy.expert > 1:
        notes.append("Megatron-LM has no expert parallelism in fp16")
    if strategy.gradient_bytes == 4:
        arguments.append("--accumulate-allreduce-grads-in-fp32")
    elif strategy.dtype is not Dtype.FP16:
        arguments.append("--grad-reduce-in-bf16")
    match launch.recompute:
        case Recompute.FULL:
            arguments += ["--recompute-granularity full", "--recompute-method uniform", "--recompute-num-layers 1"]
        case Recompute.SELECTIVE:
            arguments.append("--recompute-granularity selective")
        case Recompute.NONE:
            pass
    if strategy.order is Pipeline.ZERO_BUBBLE:
        notes.append("Megatron-LM has no zero-bubble order: this runs 1F1B, slower than predicted")
    if strategy.interleave > 1 and strategy.microbatches % strategy.pipeline:
        notes.append("interleaving wants microbatches that are a multiple of the stages")
    notes.append("--overlap-grad-reduce (and with ZeRO --overlap-param-gather) hides more than was predicted")
    return arguments, notes


def _made_up(vocab: int) -> Arguments:
    """Arguments for a try; the null tokenizer adds a token of its own."""
    tokens = ["--mock-data", "--tokenizer-type NullTokenizer", f"--vocab-size {vocab - 1}"]
    return [*tokens, "--train-iters 20", "--lr 1e-4"]


def _array(name: str, arguments: Arguments) -> list[str]:
    return [f"{name}=(", *(f"  {argument}" for argument in arguments), ")"]
