"""How fast does a deployment answer, against a clock that runs through it event by event?"""

from __future__ import annotations

import pytest
from served_models import MODELS, PLAIN, task

from intarsia.graph import Phase
from intarsia.place.serving import Chains, Degrees, Deployment
from intarsia.place.serving.pace import loads, pace
from intarsia.place.serving.prices import Prices
from intarsia.place.serving.stages import split, stages_of


def prices(**asked):
    question = task(**asked)
    return Prices(question, Chains(question.model))


def replay(step, prefill, places, output, rounds=400):
    """Tokens per second and mean seconds between tokens of one replica whose places are filled at once, one by one."""
    clock = tokens = 0.0
    left = [1 + i % (output - 1) for i in range(places)]  # staggered, as after a while
    begun: list[float | None] = [None] * places
    gaps = []
    for turn in range(rounds * output):
        if turn == rounds * output // 2:
            start, counted = clock, tokens
        for place in range(places):
            if left[place] == 0:
                clock += prefill
                tokens += 1
                begun[place] = clock
                left[place] = output - 1
        clock += step
        for place in range(places):
            tokens += 1
            left[place] -= 1
            if left[place] == 0 and begun[place] is not None:
                gaps.append((clock - begun[place]) / (output - 1))
    return (tokens - counted) / (clock - start), sum(gaps) / len(gaps)


@pytest.mark.parametrize(("places", "output"), [(1, 2), (4, 5), (6, 13), (11, 12)])
def test_one_stage_answers_as_fast_as_a_clock_says(places, output):
    priced = prices(output=output, cluster="a100x1")
    found = pace(priced, Deployment(1, 1, 1, 1, places, 1))
    tokens, between = replay(found.step, found.prefill, places, output)
    assert found.tokens_per_second == pytest.approx(tokens, rel=0.01)
    assert found.tpot == pytest.approx(between, rel=0.01)
    assert found.ttft == pytest.approx(found.prefill)


def test_stages_work_at_the_pace_of_the_slowest():
    priced, degrees = prices(), Degrees(1, 3, 1)
    found = pace(priced, Deployment(1, 3, 1, 1, 8, 2))
    read, made = (loads(priced, degrees, phase, n) for phase, n in ((Phase.PREFILL, 2), (Phase.DECODE, 8)))
    assert sum(repeat for _, repeat in read) == 3
    assert found.ttft == pytest.approx(sum(load * repeat for load, repeat in read))
    assert found.step == pytest.approx(3 * max(load for load, _ in made))
    whole = 19 * found.step + 24 * found.prefill
    assert found.tokens_per_second == pytest.approx(24 * 20 / whole)
    assert found.tpot == pytest.approx((whole - 2 * found.prefill) / 19)


def test_replicas_and_answers_of_one_token():
    priced = prices(output=1)
    one, four = (pace(priced, Deployment(1, 1, 1, data, 2, 2)) for data in (1, 4))
    assert four.tokens_per_second == pytest.approx(4 * one.tokens_per_second)
    assert (one.step, one.tpot) == (0, 0)
    assert one.tokens_per_second == pytest.approx(1 / one.prefill)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
@pytest.mark.parametrize("pipeline", [1, 2, 3, 4])
def test_every_layer_is_in_one_stage(model, pipeline):
    question = task(model)
    layers = model.served(question.serving(Phase.PREFILL, 1, 1, 1))
    stages = split(layers, pipeline)
    assert [sum(counts) for counts in zip(*stages, strict=True)] == [layer.repeat for layer in layers]
    assert [stage[0] for stage in stages] == [1] + [0] * (pipeline - 1)
    assert [stage[-1] for stage in stages] == [0] * (pipeline - 1) + [1]
    sizes = [sum(c for c, layer in zip(stage, layers, strict=True) if layer.block) for stage in stages]
    assert max(sizes) - min(sizes) <= 1
    folded = stages_of(layers, pipeline)
    assert sum(folded.repeat) == pipeline
    assert sorted(c for c, n in zip(folded.counts, folded.repeat, strict=True) for _ in range(n)) == sorted(stages)


def test_a_busier_chip_is_not_faster():
    slower = prices(cluster="a100x1", model=PLAIN, prompt=200)
    faster = prices(cluster="a100x1", model=PLAIN, prompt=100)
    one = Deployment(1, 1, 1, 1, 8, 1)
    assert pace(slower, one).tokens_per_second < pace(faster, one).tokens_per_second
