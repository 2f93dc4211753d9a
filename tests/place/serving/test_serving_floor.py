"""Do floors and bounds lie below everything that they are floors and bounds of?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from served_models import MODELS, rising, task

from intarsia.graph import Dtype, Phase
from intarsia.machines.chips import TensorCores, VectorCores
from intarsia.models.transformer import find_model
from intarsia.place.serving import Chains, bound_tokens, most_tokens
from intarsia.place.serving.cut import Level, all_cuts
from intarsia.place.serving.pace import loads
from intarsia.place.serving.prices import Prices
from intarsia.place.serving.solve import best_of

MANY = (1, 2, 3, 7, 16, 33, 64, 65, 200)
CLUSTERS = ("a100x4", "tpuv4-likex4", "h100x2")


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_no_stage_is_faster_than_its_floor(model, cluster):
    question = task(model, cluster, room=200_000_000)
    prices = Prices(question, Chains(model))
    for cut in all_cuts(prices):
        for phase, floors in ((Phase.PREFILL, cut.read), (Phase.DECODE, cut.made)):
            for many in MANY if phase is Phase.DECODE else MANY[:4]:
                taken = [load for load, _ in loads(prices, cut.degrees, phase, many)]
                for floor, load in zip(floors, taken, strict=True):
                    few, more = (floor.seconds(many, messages=m) for m in (False, True))
                    assert 0 < few <= more <= load * (1 + 1e-9)


@pytest.mark.parametrize(
    ("cores", "lanes"), [((1, 256, 2), (1, 2)), ((3, 24, 100), (5, 7)), ((64, 8, 8), (2, 64)), ((2, 7, 190), (300, 2))]
)
def test_no_stage_of_odd_cores_is_faster_than_its_floor(cores, lanes):
    question = task(MODELS[1], "tpuv4-likex2")
    chip = question.cluster.chip
    count, width, depth = cores
    chip = replace(chip, tensor=TensorCores(count, width, depth, chip.tensor.dataflow), vector=VectorCores(*lanes))
    question = replace(question, cluster=replace(question.cluster, chip=chip))
    prices = Prices(question, Chains(question.model))
    for cut in all_cuts(prices)[::3]:
        for phase, floors in ((Phase.PREFILL, cut.read), (Phase.DECODE, cut.made)):
            for many in (1, 5, 64):
                taken = [load for load, _ in loads(prices, cut.degrees, phase, many)]
                for floor, load in zip(floors, taken, strict=True):
                    assert floor.seconds(many, messages=True) <= load * (1 + 1e-9)


def test_floors_of_large_models_hold_with_8_bit_weights():
    model = find_model("deepseek-v3")
    question = task(model, "h200x16", prompt=2048, room=1 << 37, dtype=Dtype.FP8, cache=Dtype.FP8)
    prices = Prices(question, Chains(model))
    cuts = [cut for cut in all_cuts(prices) if cut.degrees.tensor in {1, 8} and cut.degrees.pipeline == 2]
    assert {cut.degrees.expert for cut in cuts} == {1, 2, 4, 8}
    for cut in cuts:
        for many in (1, 30, 256):
            taken = max(load for load, _ in loads(prices, cut.degrees, Phase.DECODE, many))
            assert 0.2 * taken < max(f.seconds(many, messages=True) for f in cut.made) <= taken * (1 + 1e-9)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_a_floor_never_falls_and_its_share_of_one_sequence_never_rises(model):
    for cut in all_cuts(Prices(task(model), Chains(model))):
        for floor in (*cut.read, *cut.made):
            seconds = [floor.seconds(n, messages=True) for n in range(1, 80)]
            assert rising(seconds)
            assert rising([-s / n for n, s in enumerate(seconds, 1)])


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize("limits", [{}, {"tpot": 1.5e-3}, {"ttft": 2e-3}])
def test_no_deployment_makes_more_than_its_bounds(cluster, limits):
    for model in MODELS:
        prices = Prices(task(model, cluster, **limits), Chains(model))
        for cut in all_cuts(prices):
            bounds = [cut.bound(level) for level in Level]
            assert rising([-bound for bound in bounds])
            found = best_of(cut)
            assert (found.pace.tokens_per_second if found else 0.0) <= bounds[-1]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_a_chip_with_as_much_of_everything_bounds_all_others(model):
    chains = Chains(model)
    question = task(model, "tpuv4-likex4", room=50_000_000)
    chip = question.cluster.chip
    others = [
        replace(chip, tensor=replace(chip.tensor, count=2, width=256), hbm_bandwidth=2e12),
        replace(chip, tensor=replace(chip.tensor, depth=64), vector=VectorCores(16, 64), clock=0.9e9),
        replace(chip, hbm_bytes=chip.hbm_bytes + 10_000_000, vector=VectorCores(1, 32)),
    ]
    dream = replace(
        chip,
        tensor=TensorCores(max(c.tensor.multiplies for c in others), 1, 1, chip.tensor.dataflow),
        vector=VectorCores(max(c.vector.count * c.vector.width for c in others), 1),
        clock=max(c.clock for c in others),
        hbm_bytes=max(c.hbm_bytes for c in others),
        hbm_bandwidth=max(c.hbm_bandwidth for c in others),
    )

    def on(one):
        return replace(question, cluster=replace(question.cluster, chip=one))

    bound = bound_tokens(on(dream), chains)
    for one in others:
        assert most_tokens(on(one), chains)[0] <= bound_tokens(on(one), chains) <= bound
