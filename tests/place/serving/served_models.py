"""Small models, chips and questions of serving that the tests share."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from intarsia.machines.chips import efficiency_of
from intarsia.machines.clusters import read_cluster
from intarsia.models.transformer import from_sizes
from intarsia.models.transformer.kinds import Latent
from intarsia.place.serving import ServingChoices, ServingTask

RUNTIME = 3 * 2**29
PLAIN = from_sizes(hidden=512, heads=8, kv_heads=4, layers=5, sequence=4096, vocab=2000, gated=True, name="plain")
SPARSE = from_sizes(
    hidden=512, heads=8, layers=4, sequence=4096, vocab=2000, gated=True, experts=8, top_k=2, ffn=512, name="sparse"
)
WINDOWED = replace(PLAIN, window=64, global_every=2, name="windowed")
NARROW = replace(PLAIN, kv_heads=8, latent=Latent(96, 64, 48, 16, 64), name="narrow")
MODELS = (PLAIN, SPARSE, WINDOWED, NARROW)


def task(model=PLAIN, cluster="a100x4", *, prompt=100, output=20, room=60_000_000, choices=None, **limits):
    """A question on chips that have so many bytes besides what the runtime takes."""
    of_cluster = read_cluster(cluster)
    chip = replace(of_cluster.chip, hbm_bytes=RUNTIME + room)
    asked = choices or ServingChoices()
    return ServingTask(
        model, replace(of_cluster, chip=chip), efficiency_of(chip), prompt, output, choices=asked, **limits
    )


def rising(values):
    """Whether none is below the one before."""
    return all(low <= high for low, high in pairwise(values))
