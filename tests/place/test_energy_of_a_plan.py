"""What does an iteration take: is it what all devices' work takes, is it below the peak, and what does a switch add?"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from plans import EFFICIENCY, strategy_of
from walked import walked

from intarsia.graph import Attention, Model, Recompute
from intarsia.machines.chips import Mapping
from intarsia.machines.clusters import Cluster, read_cluster
from intarsia.machines.template import PHAZE, WIDE, Amounts, Point, chip_of, point_of
from intarsia.models import read_model
from intarsia.models.transformer import from_sizes
from intarsia.place import Energy, Pipeline, Prediction, Strategy, demands, energy_of, even_split, predict_split

SMALL = Point(4, 2, 16, 8, 16)
LARGE = Point(2, 2, 64, 128, 32, vector_width=48, clock=0.8e9, stacks=3, link_bandwidth=150e9)
MIXED = Point(2, 2, 64, 64, 16, more_cores=16, more_width=16, more_depth=8)
DENSE = from_sizes(hidden=192, heads=6, layers=4, sequence=128, vocab=1000)
EXPERTS = from_sizes(hidden=128, heads=4, layers=4, sequence=128, vocab=1000, gated=True, experts=4, top_k=2)
IMAGES = read_model("mobilenet-v2")


def cluster_of(point: Point, mapping: Mapping = Mapping.EMBEDDED) -> Cluster:
    return replace(read_cluster("tpuv4x16"), chip=replace(chip_of(point), mapping=mapping))


def predicted(model: Model, strategy: Strategy, cluster: Cluster) -> Prediction:
    modes = {Recompute.NONE, strategy.recompute}
    profile = demands(model, strategy.variant, cluster, modes).priced(EFFICIENCY)
    return predict_split(model, profile, strategy, even_split(profile, strategy))


def taken(model: Model, strategy: Strategy, point: Point, mapping: Mapping = Mapping.EMBEDDED) -> Energy:
    cluster = cluster_of(point, mapping)
    found = energy_of(model, cluster, predicted(model, strategy, cluster))
    assert found is not None
    return found


def of(**given: object) -> Strategy:
    return strategy_of(**({"sequence": 128, "global_batch": 8} | given))


CASES = [
    (DENSE, of(), SMALL),
    (DENSE, of(tensor=2, data=2, zero=0, recompute=Recompute.FULL), LARGE),
    (DENSE, of(tensor=2, pipeline=2, data=2, sequence_parallel=True, attention=Attention.EAGER), SMALL),
    (DENSE, of(pipeline=2, interleave=2, data=2, zero=2, recompute=Recompute.SELECTIVE), LARGE),
    (DENSE, of(pipeline=4, order=Pipeline.ZERO_BUBBLE, gradient_bytes=2), SMALL),
    (DENSE, of(context=2, data=2, zero=3, microbatch=2), SMALL),
    (DENSE, of(tensor=2, pipeline=2, data=2, zero=3), MIXED),
    (EXPERTS, of(expert=4, data=4, zero=2), SMALL),
    (EXPERTS, of(expert=2, data=4, pipeline=2, zero=1, recompute=Recompute.FULL), MIXED),
    (IMAGES, of(sequence=0, data=2, microbatch=2), MIXED),
]


@pytest.mark.parametrize("mapping", list(Mapping))
@pytest.mark.parametrize(("model", "strategy", "point"), CASES)
def test_the_closed_form_is_what_every_device_kernel_and_message_takes(
    model: Model, strategy: Strategy, point: Point, mapping: Mapping
) -> None:
    cluster = cluster_of(point, mapping)
    prediction = predicted(model, strategy, cluster)
    found = energy_of(model, cluster, prediction)
    assert found is not None
    assert found.parts == pytest.approx(walked(model, cluster, prediction, point), rel=1e-9)
    assert found.joules == pytest.approx(sum(found.parts.values()))
    assert found.mean_watts * prediction.seconds * strategy.devices == pytest.approx(found.joules)
    assert found.joules_per_sample * strategy.global_batch == pytest.approx(found.joules)
    if strategy.sequence:
        assert found.joules_per_token == pytest.approx(found.joules_per_sample / strategy.sequence)
    else:
        assert found.joules_per_token is None


def drawn(seed: int) -> tuple[Model, Strategy, Point]:
    """A chip of a space with a strategy that its network and the model allow."""
    draw = random.Random(seed)
    space = draw.choice((PHAZE, WIDE))
    point = None
    while point is None:  # a core may be larger than any whose area is known
        values = {name: draw.choice(found) for name, found in space.values.items() if found}
        point = point_of(chip_of(Point(**values)))
    model = draw.choice((DENSE, EXPERTS))
    order = draw.choice(list(Pipeline))
    strategy = of(
        tensor=draw.choice((1, 2)),
        pipeline=draw.choice((1, 2, 4)),
        data=draw.choice((1, 2)),
        microbatch=draw.choice((1, 4)),
        global_batch=draw.choice((8, 64)),
        recompute=draw.choice(list(Recompute)),
        attention=draw.choice(list(Attention)),
        zero=draw.choice((0, 1, 2, 3)),
        order=order,
    )
    return model, strategy, point


@pytest.mark.parametrize("seed", range(40))
def test_no_part_takes_more_than_its_peak(seed: int) -> None:
    model, strategy, point = drawn(seed)
    found = taken(model, strategy, point)
    mean, peak = dict(found.watts), dict(found.peaks)
    assert sum(peak.values()) == pytest.approx(point.watts)
    mean["products"] += mean.pop("padding")
    peak["products"] += peak.pop("padding")
    for name, watts in mean.items():
        assert 0 <= watts <= peak[name] * (1 + 1e-9), name


def test_two_replicas_do_twice_the_work_of_one() -> None:
    one, two = taken(DENSE, of(zero=0), SMALL), taken(DENSE, of(zero=0, data=2, global_batch=16), SMALL)
    for name in ("products", "padding", "vector", "buffer", "HBM"):
        assert two.parts[name] == pytest.approx(2 * one.parts[name])
    weights = DENSE.parameters
    assert (one.amounts.link_bytes, two.amounts.link_bytes) == (0.0, pytest.approx(2 * 4 * weights))


def test_recomputation_adds_its_own_work_and_nothing_else() -> None:
    """On one chip of each kind the schedule has no choice that would change how a product is embedded."""
    point = replace(SMALL, tensor_cores=1, vector_cores=1)
    strategy = of(attention=Attention.EAGER)
    plain = taken(DENSE, strategy, point).amounts
    for mode in (Recompute.SELECTIVE, Recompute.FULL):
        found = taken(DENSE, replace(strategy, recompute=mode), point).amounts
        its = demands(DENSE, strategy.variant, cluster_of(point), {mode})
        own = Amounts()
        for item in its.layers:
            again = replace(item.passes.backward[mode], nodes=())
            own += again.amounts(cluster_of(point), EFFICIENCY).times(item.layer.repeat * strategy.microbatches)
        assert own.products > 0
        more = found + plain.times(-1)
        for name in ("products", "lanes", "vector_ops", "vector_bytes", "hbm_bytes", "link_bytes"):
            assert getattr(more, name) == pytest.approx(getattr(own, name)), name


def test_a_product_counts_on_the_kind_where_it_runs() -> None:
    done = taken(DENSE, of(), MIXED).amounts
    alone = taken(DENSE, of(), replace(MIXED, more_cores=0, more_width=0, more_depth=0)).amounts
    assert alone.more_products == alone.more_lanes == 0
    assert done.products > 0
    assert done.more_products > 0
    assert done.products + done.more_products == alone.products


def test_twice_the_batch_is_twice_the_work_but_for_what_is_done_once() -> None:
    some, more = (taken(DENSE, of(data=2, global_batch=batch), SMALL) for batch in (64, 128))
    for name in ("products", "lanes", "vector_ops", "vector_bytes"):
        assert getattr(more.amounts, name) == 2 * getattr(some.amounts, name)
    assert some.joules < more.joules < 2 * some.joules
    assert more.joules == pytest.approx(2 * some.joules, rel=0.05)


def test_nothing_is_known_of_other_chips() -> None:
    for name in ("a100x16", "tpuv4x16"):
        cluster = read_cluster(name)
        assert point_of(cluster.chip) is None
        assert energy_of(DENSE, cluster, predicted(DENSE, of(), cluster)) is None
