"""Small searches: a few chips, a small model, a few devices."""

from __future__ import annotations

from dataclasses import replace

from intarsia.machines.chips import efficiency_of
from intarsia.machines.clusters import read_cluster
from intarsia.machines.template import Point, TemplateSpace
from intarsia.models.transformer import from_sizes
from intarsia.place import Choices
from intarsia.search import Question, Training

FEW = TemplateSpace(
    name="few",
    tensor_cores=(1, 16),
    vector_cores=(1, 8),
    width=(64,),
    depth=(32, 64),
    buffer_mib=(2, 16),
    hbm_gib=(16,),
    budget=120.0,
    least=0.01,
)


FEWER = Choices().only({"zero": ("1", "3"), "context": ("1",), "microbatch": ("1", "2", "4")})


def training(
    *, hidden: int = 512, layers: int = 3, batch: int = 16, heads: int = 8, choices: Choices = FEWER
) -> Training:
    """A small transformer."""
    model = from_sizes(hidden=hidden, heads=heads, layers=layers, vocab=4096, sequence=512)
    return Training(model, batch, 512, choices)


def small_question(*trainings: Training, devices: int = 4, gib: int = 16) -> Question:
    """One of them, or several, on a few chips."""
    cluster = read_cluster(f"tpuv4-likex{devices}")
    space = replace(FEW, hbm_gib=(gib,))
    return Question(trainings or (training(),), space, cluster, efficiency_of(cluster.chip))


def points_of(question: Question) -> list[Point]:
    return list(question.space.points)
