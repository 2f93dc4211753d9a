"""Does a calibration find the efficiencies that made its measurements?"""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from plans import strategy_of

from intarsia.cost.calibrate import Measured, fit_operators
from intarsia.cost.demand import demand
from intarsia.graph import Attention, Contraction, Elementwise
from intarsia.machines.chips import Efficiency, efficiency_of, read_chip
from intarsia.machines.clusters import read_cluster
from intarsia.models.transformer import from_sizes
from intarsia.place import predict
from intarsia.place.calibrate import TRUSTED, Priced, Run, cross_validate, fit_iterations

TRUE = Efficiency(
    matmul=0.82,
    flash=0.5,
    memory=0.7,
    misaligned=0.4,
    kernel=4e-6,
    host=3e-5,
    link=0.75,
    collective=2.5e-5,
    straggle=8e-5,
    error=0.0,
    source="made up",
)
START = replace(TRUE, misaligned=0.35, kernel=3e-6, host=6e-5, link=0.85, collective=3e-5, straggle=5e-5)


@pytest.fixture(scope="module")
def runs() -> tuple[Run, ...]:
    """Runs of several sizes and degrees on up to eight chips, in the seconds that the model predicts."""
    found = []
    for hidden, layers in ((512, 4), (1024, 8), (2048, 4), (2048, 8)):
        model = from_sizes(hidden=hidden, heads=8, layers=layers, sequence=512, vocab=50257)
        for tensor, data, stages, microbatch in ((1, 1, 1, 4), (2, 1, 2, 2), (4, 2, 1, 8), (8, 1, 1, 1), (1, 4, 2, 8)):
            strategy = strategy_of(
                tensor=tensor,
                data=data,
                pipeline=stages,
                microbatch=microbatch,
                global_batch=64,
                sequence=512,
                zero=0,
                attention=Attention.EAGER,
            )
            cluster = read_cluster(f"a100x{strategy.devices}")
            seconds = predict(model, strategy, cluster, TRUE).seconds
            found.append(Run(model, strategy, cluster, seconds))
    return tuple(found)


def test_runs_are_priced_as_they_are_predicted(runs: tuple[Run, ...]) -> None:
    priced = Priced(runs)
    for efficiency in (START, TRUE):
        seconds = [predict(run.model, run.strategy, run.cluster, efficiency).seconds for run in runs]
        assert priced.seconds(efficiency, range(len(runs))) == pytest.approx(np.array(seconds))
    assert priced.seconds(TRUE, [3, 1]) == pytest.approx(np.array([runs[3].seconds, runs[1].seconds]))


def test_known_efficiencies_are_found_again(runs: tuple[Run, ...]) -> None:
    found = fit_iterations(Priced(runs), START, range(len(runs)))
    for name in ("matmul", "memory", "host", "link", "straggle"):
        assert getattr(found, name) == pytest.approx(getattr(TRUE, name), rel=0.05), name
    assert found.error < 0.01
    assert (found.flash, found.source) == (START.flash, START.source)


def test_where_a_search_begins_does_not_matter(runs: tuple[Run, ...]) -> None:
    priced = Priced(runs)
    cold = fit_iterations(priced, START, range(len(runs)))
    warm = fit_iterations(priced, START, range(len(runs)), first=TRUE)
    seconds = [priced.seconds(found, range(len(runs))) for found in (cold, warm)]
    assert seconds[0] == pytest.approx(seconds[1], rel=0.01)


def test_what_operators_said_is_believed(runs: tuple[Run, ...]) -> None:
    """A few runs say little of what operators measured, however far from them they are."""
    off = [replace(run, seconds=1.02 * run.seconds) for run in runs]
    found = fit_iterations(Priced(off), START, range(len(off)))
    for name, deviation in TRUSTED.items():
        assert getattr(found, name) == pytest.approx(getattr(START, name), rel=deviation)


def test_each_fold_is_predicted_by_the_others(runs: tuple[Run, ...]) -> None:
    large = runs[10:]
    labels = [run.model.parameters for run in large]
    found = cross_validate(Priced(large), START, "model", labels, first=TRUE)
    assert (found.name, found.folds) == ("model", 2)
    assert found.median <= found.mape <= found.worst < 0.1
    # a model that is half as fast as the other is not seen by the other's fit
    slow = [
        replace(run, seconds=2 * run.seconds) if label == labels[0] else run
        for run, label in zip(large, labels, strict=True)
    ]
    worse = cross_validate(Priced(slow), START, "model", labels, folds=9, first=TRUE)
    assert worse.folds == 2
    assert worse.worst > 0.4


def test_operators_give_back_the_fractions_that_made_them() -> None:
    chip = read_chip("a100")
    products = [Contraction(1, size, 4096, 4096) for size in (512, 768, 1024, 2048, 4096, 16384)]
    passes = [Elementwise((("add", size),), 2 * size, 2 * size) for size in (2**12, 2**18, 2**22, 2**26, 2**28)]
    made = [Measured("products", work, demand(chip, work).contraction / 0.8 + 2e-5) for work in products]
    rate = 0.6 * chip.hbm_bandwidth
    made += [Measured("passes", work, demand(chip, work).hbm_bytes / rate + 1e-5) for work in passes]
    found = fit_operators(chip, made)
    assert (found.matmul, found.memory) == pytest.approx((0.8, 0.6), rel=0.02)
    assert found.overhead == pytest.approx({"products": 2e-5, "passes": 1e-5}, rel=0.05)
    assert len(found.errors) == 11
    assert found.error < 0.05


def test_the_shipped_efficiencies_are_possible() -> None:
    values = asdict(efficiency_of(read_chip("a100")))
    assert 0.5 < values["matmul"] < 1
    assert 0.5 < values["memory"] < 1
    assert values["host"] < 1e-4
    assert values["error"] < 0.1
