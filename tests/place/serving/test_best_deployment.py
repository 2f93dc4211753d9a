"""Is the deployment that is found the best one, against a twin that looks at all of them?"""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from served_models import MODELS, PLAIN, SPARSE, task

from intarsia.machines.clusters import read_cluster
from intarsia.place.serving import (
    Chains,
    Deployment,
    ServingChoices,
    best_serving,
    bound_tokens,
    check_serving,
    most_tokens,
)
from intarsia.place.serving.memory import memory
from intarsia.place.serving.pace import pace
from intarsia.place.serving.prices import Prices
from intarsia.solvers import Found, Infeasible


def twin(question):
    """Every deployment that fits and meets the limits, of any number of sequences, with its tokens per second."""
    prices, capacity = Prices(question, Chains(question.model)), question.cluster.chip.hbm_bytes
    model, devices = question.model, question.cluster.devices
    blocks = model.blocks
    for tensor in (1, 2, 4):
        for expert in (1, 2, 4):
            for pipeline in range(1, blocks + 1):
                data = devices // (tensor * pipeline) // expert * expert
                if not data or model.serving_refusal(question.serving("prefill", 1, tensor, expert)):
                    continue
                for prompts in (1, 2, 4, 8, 16, 32, 64, 128):
                    for sequences in range(prompts, 4097):
                        asked = Deployment(tensor, pipeline, expert, data, sequences, prompts)
                        if max(stage.total for stage in memory(question, prices.chains, asked)) > capacity:
                            break
                        if question.output == 1 and sequences > prompts:
                            break
                        found = pace(prices, asked)
                        if found.ttft <= question.ttft and found.tpot <= question.tpot:
                            yield asked, found.tokens_per_second


def power(n):
    return n & (n - 1) == 0


@pytest.mark.parametrize("cluster", ["a100x4", "tpuv4-likex2"])
@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_no_deployment_makes_more_tokens(model, cluster):
    room = 75_000_000 if model is SPARSE else 42_000_000
    question = task(model, cluster, prompt=200, output=50, room=room)
    listed = list(twin(question))
    most = {}
    for asked, _ in listed:
        key = asked.degrees, asked.prompts
        most[key] = max(most.get(key, 0), asked.sequences)
    candidates = [
        (tokens, asked)
        for asked, tokens in listed
        if power(asked.sequences) or asked.sequences == most[asked.degrees, asked.prompts]
    ]
    outcome = best_serving(question)
    assert isinstance(outcome, Found)
    plan = outcome.value
    assert plan.pace.tokens_per_second == pytest.approx(max(candidates)[0], rel=1e-12)
    ranked = {}
    for tokens, asked in sorted(candidates, reverse=True):
        ranked.setdefault(asked.degrees, tokens)
    others = [served.pace.tokens_per_second for served in plan.runners_up]
    assert others == pytest.approx(list(ranked.values())[1:3], rel=1e-12)
    assert check_serving(question, plan) == ()
    assert len({asked.degrees for asked, _ in listed}) == plan.considered.degrees - plan.considered.full


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
@pytest.mark.parametrize("cluster", ["a100x2", "tpuv4-likex2"])
def test_no_deployment_within_the_limits_makes_more_tokens(share, cluster):
    free = task(PLAIN, cluster, prompt=100, output=20, room=42_000_000)
    best = best_serving(free).value.pace
    question = replace(free, ttft=best.ttft * share, tpot=best.tpot * share)
    listed = [(tokens, asked) for asked, tokens in twin(question)]
    outcome = best_serving(question)
    assert isinstance(outcome, Found) == bool(listed)
    if not listed:
        return
    plan = outcome.value
    assert check_serving(question, plan) == ()
    found = plan.pace.tokens_per_second
    assert found <= max(listed)[0] * (1 + 1e-12)
    assert found >= max(tokens for tokens, asked in listed if power(asked.sequences)) * (1 - 1e-12)
    if cluster.startswith("a100"):  # kernels follow each other, so that a step never falls with the sequences
        assert found == pytest.approx(max(listed)[0], rel=1e-12)


def test_answers_of_one_token_are_only_read():
    question = task(PLAIN, output=1, room=42_000_000)
    plan = best_serving(question).value
    assert plan.pace.tokens_per_second == pytest.approx(max(tokens for _, tokens in twin(question)), rel=1e-12)
    assert (plan.pace.tpot, plan.hbm_step) == (0, 0)
    assert check_serving(question, plan) == ()


@pytest.mark.parametrize("cluster", ["a100x4", "tpuv4-likex2"])
def test_decode_alone_is_the_best_of_all_as_well(cluster):
    question = task(PLAIN, cluster, room=42_000_000, reads=False)
    plan = best_serving(question).value
    listed = [(tokens, asked) for asked, tokens in twin(question) if asked.prompts == 1]
    assert plan.pace.tokens_per_second == pytest.approx(max(listed)[0], rel=1e-12)
    assert (plan.pace.ttft, plan.pace.prefill) == (0, 0)
    assert plan.pace.tpot == plan.pace.step
    assert check_serving(question, plan) == ()


def test_choices_are_kept():
    choices = ServingChoices(tensor=(2,), pipeline=(1, 2), data=(1,), prompts=(2,), batch=(6, 7))
    question = task(choices=choices)
    plan = best_serving(question).value
    deployment = plan.deployment
    assert (deployment.tensor, deployment.data, deployment.prompts) == (2, 1, 2)
    assert deployment.batch in {6, 7}
    assert check_serving(question, plan) == ()
    assert all(served.deployment.batch in {6, 7} for served in plan.runners_up)


def test_a_search_over_chips_gets_the_same_numbers():
    question, chains = task(), Chains(PLAIN)
    plan = best_serving(question, chains).value
    tokens, served = most_tokens(question, chains)
    assert (tokens, served) == (plan.pace.tokens_per_second, plan.best)
    assert bound_tokens(question, chains) >= tokens
    assert most_tokens(question, chains, tokens) == (tokens, None)
    assert most_tokens(question, chains, tokens * 0.999)[1] == served
    nothing = replace(question, ttft=1e-9)
    assert bound_tokens(nothing, chains) == 0
    assert most_tokens(nothing, chains) == (0.0, None)


def test_more_devices_or_memory_or_time_never_make_it_slower():
    def tokens(**asked):
        outcome = best_serving(task(**asked))
        return outcome.value.pace.tokens_per_second if isinstance(outcome, Found) else 0.0

    devices = [tokens(cluster=f"a100x{n}") for n in (1, 2, 3, 4, 5, 8)]
    assert devices == sorted(devices)
    limits = [tokens(tpot=limit) for limit in (1e-4, 8e-4, 1e-3, 2e-3, inf)]
    assert limits == sorted(limits)
    assert limits[0] == 0 < limits[-1]


@pytest.mark.parametrize(("cluster", "unit"), [("a100x1", 1), ("a100x3", 1), ("a100x8", 8)])
def test_what_does_not_fit_is_told_by_kind(cluster, unit):
    question = task(room=9_000_000 if unit == 1 else 4_800_000, cluster=cluster)
    outcome = best_serving(question)
    assert isinstance(outcome, Infeasible)
    (because,) = outcome.because
    assert "weights" in because
    assert "runtime 1.6" in because
    count = int(outcome.relaxation.removesuffix(" devices"))
    assert count % unit == 0
    for devices, fits in ((count, True), (count - unit, False)):
        on = replace(question, cluster=read_cluster(f"a100x{devices}"))
        on = replace(on, cluster=replace(on.cluster, chip=question.cluster.chip))
        assert isinstance(best_serving(on), Found) == fits


def test_limits_that_can_be_met_are_named():
    question = task(ttft=1e-6, tpot=1e-6)
    outcome = best_serving(question)
    assert isinstance(outcome, Infeasible)
    assert [text.split()[0] for text in outcome.because] == ["ttft", "tpot"]
    words = outcome.relaxation.split()
    assert words[0::3] == ["ttft", "and", "tpot"] or words[0] == "ttft"
    numbers = [float(word) for word in words if word.replace(".", "").replace("e-", "").isdigit()]
    assert isinstance(best_serving(replace(question, ttft=numbers[0], tpot=numbers[1])), Found)


def test_limits_that_cannot_be_met_at_once_are_both_named():
    # wide tensor parallelism reads a prompt faster, narrow makes tokens faster: collectives take long for few bytes
    free = task(cluster="a100x4", prompt=4000, room=1 << 33)
    one, four = (
        best_serving(replace(free, choices=ServingChoices(tensor=(t,), pipeline=(1,), batch=(1,)))).value.pace
        for t in (1, 4)
    )
    assert (four.ttft < one.ttft, four.tpot > one.tpot) == (True, True)
    question = replace(free, ttft=four.ttft * 1.01, tpot=one.tpot * 1.01)
    outcome = best_serving(question)
    assert isinstance(outcome, Infeasible)
    assert [text.split()[0] for text in outcome.because] == ["ttft", "tpot"]
    assert all(text.endswith("; not both at once") for text in outcome.because)
    changes = [change.split() for change in outcome.relaxation.split("; or ")]
    assert [name for name, *_ in changes] == ["ttft", "tpot"]
    for name, seconds, _ in changes:
        assert isinstance(best_serving(replace(question, **{name: float(seconds)})), Found)


def test_one_limit_is_relaxed_while_the_other_stays():
    question = task(ttft=1e-6, tpot=1.0)
    outcome = best_serving(question)
    assert [text.split()[0] for text in outcome.because] == ["ttft"]
    assert outcome.relaxation.startswith("ttft ")
    assert isinstance(best_serving(replace(question, ttft=float(outcome.relaxation.split()[1]))), Found)


def test_choices_that_do_not_fit_together_are_told():
    for choices in (ServingChoices(batch=(32,), prompts=(64,)), ServingChoices(batch=(3,), pipeline=(2,))):
        outcome = best_serving(task(choices=choices))
        assert isinstance(outcome, Infeasible)
        assert outcome.because[0].startswith("no choices fit together")
        assert outcome.relaxation.startswith(("prompts 1; or batch 64", "pipeline 1; or batch 2"))


def test_a_batch_beyond_what_engines_keep_may_be_asked_for():
    question = task(PLAIN, "a100x1", prompt=1, output=2, room=1 << 34, choices=ServingChoices(batch=(5000,)))
    plan = best_serving(question).value
    assert plan.deployment.batch == 5000
    assert check_serving(question, plan) == ()


def test_the_largest_batch_that_fits_is_named():
    question = task(room=42_000_000, cluster="a100x1", choices=ServingChoices(batch=(9999,)))
    outcome = best_serving(question)
    assert isinstance(outcome, Infeasible)
    name, batch = outcome.relaxation.split(";")[0].split()
    assert name == "batch"
    for number, fits in ((int(batch), True), (int(batch) + 1, False)):
        asked = replace(question, choices=ServingChoices(batch=(number,)))
        assert isinstance(best_serving(asked), Found) == fits


def test_a_restriction_in_the_way_is_named():
    question = task(room=25_000_000, cluster="a100x8", choices=ServingChoices(tensor=(1,), pipeline=(1,)))
    outcome = best_serving(question)
    assert isinstance(outcome, Infeasible)
    assert outcome.relaxation == "tensor 2; or pipeline 2"
