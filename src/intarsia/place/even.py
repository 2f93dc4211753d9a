"""The split that people use where nobody searched: the same number of repeated layers in every stage."""

from __future__ import annotations

from intarsia.graph import Layer
from intarsia.place.profile import Profile
from intarsia.place.strategy import Split, Strategy


def block_kinds(layers: tuple[Layer, ...]) -> range:
    """The kinds of layers that are dealt out: from the first block to the last.

    A block is what repeats, or what recomputation may drop: a transformer's only dense block is one, a head is none.
    """
    blocks = [index for index, layer in enumerate(layers) if layer.repeat > 1 or layer.checkpointed] or [0]
    return range(blocks[0], blocks[-1] + 1)


def even_split(profile: Profile, strategy: Strategy) -> Split:
    """The blocks dealt out evenly, what comes before them in the first stage, what comes after in the last.

    Stages that get one more where they do not divide are the middle ones, since the first and the last have more.
    """
    stages = strategy.pipeline
    blocks = block_kinds(tuple(item.layer for item in profile.layers))
    first, last = blocks.start, blocks.stop - 1
    whole = sum(item.layer.repeat for item in profile.layers[first : last + 1])
    quota = [whole // stages] * stages
    order = sorted(range(stages), key=lambda stage: (abs(2 * stage - stages + 1), stage))
    for stage in order[: whole % stages]:
        quota[stage] += 1
    counts = [[0] * len(profile.layers) for _ in range(stages)]
    for index, item in enumerate(profile.layers):
        if index < first:
            counts[0][index] = item.layer.repeat
        elif index > last:
            counts[-1][index] = item.layer.repeat
    stage, left = 0, quota[0]
    for index in range(first, last + 1):
        missing = profile.layers[index].layer.repeat
        while missing:
            while left == 0:
                stage += 1
                left = quota[stage]
            taken = min(missing, left)
            counts[stage][index] += taken
            missing -= taken
            left -= taken
    return Split(tuple(tuple(row) for row in counts), (strategy.recompute,) * stages)
