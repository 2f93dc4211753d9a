"""Which blocks each stage has, as arguments of Megatron-LM; see ``megatron.py`` for which version.

The plainest form that says it: nothing where all stages are alike, the first and the last stage's blocks where only
they differ, otherwise a layout: ``E`` the embedding, ``t`` a block, ``L`` head and loss, ``|`` between parts.
"""

from __future__ import annotations

from intarsia.report.export import BLOCKS, Launch


def stage_arguments(launch: Launch) -> tuple[list[str], list[str]]:
    """The arguments, and notes on what they cannot say."""
    blocks, strategy, parts = launch.blocks, launch.plan.strategy, launch.parts
    if strategy.pipeline == 1:
        return [], []
    if parts is None:
        told = f"stages of {', '.join(map(str, blocks))} blocks do not divide into {strategy.interleave} chunks"
        return [], [f"{told}: how the plan cuts them is left open"]
    if not _ends_outside(launch):
        note = "head and loss are one layer of Megatron-LM: both are in the stage that the plan gives the head"
        return [_layout(launch, parts)], [note] if _head_apart(launch) else []
    if len(set(blocks)) == 1 and strategy.interleave == 1:
        return [], []
    if len(set(blocks)) == 1:
        return [f"--num-layers-per-virtual-pipeline-stage {parts[0]}"], []
    if strategy.interleave == 1 and len(set(blocks[1:-1])) <= 1 and blocks[0] and blocks[-1]:
        return [
            f"--decoder-first-pipeline-num-layers {blocks[0]}",
            f"--decoder-last-pipeline-num-layers {blocks[-1]}",
        ], []
    return [_layout(launch, parts)], []


def _owners(launch: Launch, *, before: bool) -> list[int]:
    """The stages of the layers that come before the blocks, or after them."""
    kinds = [index for index, (name, _) in enumerate(launch.plan.layers) if name in BLOCKS]
    wanted = range(kinds[0]) if before else range(kinds[-1] + 1, len(launch.plan.layers))
    return [stage for kind in wanted for stage, counts in enumerate(launch.plan.split.counts) if counts[kind]]


def _ends_outside(launch: Launch) -> bool:
    """Embedding in the first stage, head and loss in the last, blocks in all."""
    last = launch.plan.strategy.pipeline - 1
    first_ones, last_ones = _owners(launch, before=True), _owners(launch, before=False)
    return set(first_ones) == {0} and set(last_ones) == {last} and all(launch.blocks)


def _head_apart(launch: Launch) -> bool:
    return len(set(_owners(launch, before=False))) > 1


def _layout(launch: Launch, parts: tuple[int, ...]) -> str:
    stages, final = launch.plan.strategy.pipeline, len(parts) - 1
    head = final - (stages - 1 - _owners(launch, before=False)[0])
    texts = []
    for number, count in enumerate(parts):
        text = "E" if number == 0 else ""
        text += f"t*{count}" if count > 1 else "t" * count
        texts.append(text + ("L" if number == head else ""))
    return f'--pipeline-model-parallel-layout "{"|".join(texts)}"'
