"""Questions which chip serves best, small enough that all chips can be tried."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from intarsia.machines.chips import efficiency_of
from intarsia.machines.clusters import read_cluster
from intarsia.machines.template import TemplateSpace, chip_of
from intarsia.models.transformer import from_sizes
from intarsia.place.serving import ServingChoices, ServingTask
from intarsia.search import Per, ServingQuestion

FEW = TemplateSpace(
    name="few",
    tensor_cores=(1, 16),
    vector_cores=(1, 8),
    width=(64,),
    depth=(32, 64),
    buffer_mib=(2, 16),
    hbm_gib=(2, 4),
    budget=120.0,
    least=0.01,
)
STACKED = replace(
    FEW, tensor_cores=(3, 12), vector_cores=(2,), vector_width=(32, 64), hbm_gib=(), stacks=(1, 2),
    clock=(0.7e9, 1.05e9), link_bandwidth=(150e9, 600e9), depth=(48,), buffer_mib=(16,),
)  # fmt: skip
PLAIN = from_sizes(hidden=512, heads=8, kv_heads=4, layers=5, sequence=4096, vocab=2000, gated=True, name="plain")
SPARSE = from_sizes(
    hidden=512, heads=8, layers=3, sequence=4096, vocab=2000, gated=True, experts=8, top_k=2, ffn=512, name="sparse"
)
SOME = ServingChoices().only({"tensor": ("1", "2"), "pipeline": ("1", "3"), "prompts": ("1", "8")})


def asked(space=FEW, model=PLAIN, per=Per.CHIP, devices=4, prompt=100, output=20, **more):
    chip = chip_of(space.points.point(0))
    cluster = replace(read_cluster(f"tpuv4-likex{devices}"), chip=chip)
    return ServingQuestion(
        space, ServingTask(model, cluster, efficiency_of(chip), prompt, output, choices=SOME, **more), per
    )


def costs(question):
    of = {"chip": lambda _: 1.0, "area": lambda p: p.area, "watt": lambda p: p.watts, "dollar": lambda p: p.dollars}
    many = 1 if question.per is Per.CHIP else question.task.cluster.devices
    return np.array([many * of[question.per](point) for point in question.space.points])


QUESTIONS = {
    "plain": asked(),
    "area": asked(per=Per.AREA),
    "watt": asked(STACKED, per=Per.WATT),
    "dollar": asked(STACKED, SPARSE, per=Per.DOLLAR),
    "links": asked(STACKED, output=40),
    "experts": asked(model=SPARSE, devices=2),
    "tpot": asked(tpot=8e-4),
    "ttft": asked(STACKED, ttft=2e-3, tpot=2e-3, per=Per.AREA),
    "decode": asked(reads=False, prompt=400),
    "prefill": asked(output=1),
    "no memory": asked(replace(FEW, hbm_gib=(1,))),
    "no tpot": asked(tpot=1e-9),
    "no ttft": asked(ttft=1e-9),
}
