"""Does the check find what is wrong with a serving plan?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from served_models import MODELS, task

from intarsia.place.serving import ServingChoices, best_serving, check_serving

ASKED = task()
PLAN = best_serving(ASKED).value


def deployed(**changes):
    return replace(PLAN, best=replace(PLAN.best, deployment=replace(PLAN.deployment, **changes)))


def paced(**changes):
    return replace(PLAN, best=replace(PLAN.best, pace=replace(PLAN.pace, **changes)))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (paced(tokens_per_second=1e9), "plan: tokens_per_second is"),
        (paced(ttft=0.5), "plan: ttft is"),
        (paced(tpot=PLAN.pace.tpot * 1.001), "plan: tpot is"),
        (deployed(prompts=9999), "plan: 9999 prompts are read for"),
        (deployed(data=PLAN.deployment.data + 1), "plan: it needs more devices than there are"),
        (deployed(sequences=0), "plan: a number is not positive"),
        (deployed(tensor=3, pipeline=1, data=1), "plan: 8 heads do not divide by tensor 3"),
        (deployed(sequences=4000), "plan: stage 0 needs"),
        (replace(PLAN, runners_up=(PLAN.best,)), "two answers have"),
        (replace(PLAN, best=PLAN.runners_up[0], runners_up=(PLAN.best,)), "runner-up 2 makes more tokens a second"),
        (replace(PLAN, memory=PLAN.memory[:-1]), "the stages need"),
        (replace(PLAN, hbm_step=1.0), "the HBM alone 1.0 s"),
        (replace(PLAN, decode=PLAN.decode * 2), "the parts of decode add up to"),
        (replace(PLAN, devices=99), "the plan is for 99 devices"),
    ],
)
def test_a_planted_fault_is_found(wrong, told):
    assert check_serving(ASKED, PLAN) == ()
    assert any(told in text for text in check_serving(ASKED, wrong))


def test_limits_and_choices_are_checked():
    late = replace(ASKED, ttft=PLAN.pace.ttft / 2, tpot=PLAN.pace.tpot / 2)
    texts = check_serving(late, PLAN)
    assert any("plan: ttft" in text and "is beyond" in text for text in texts)
    assert any("plan: tpot" in text and "is beyond" in text for text in texts)
    chosen = replace(ASKED, choices=ServingChoices(batch=(PLAN.deployment.batch + 1,)))
    assert any(f"plan: batch {PLAN.deployment.batch} is none of" in text for text in check_serving(chosen, PLAN))


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
@pytest.mark.parametrize("cluster", ["h100x8", "tpuv4-likex4", "a100x3"])
def test_every_answer_passes(model, cluster):
    question = task(model, cluster, room=300_000_000)
    assert check_serving(question, best_serving(question).value) == ()


def test_expert_replicas_must_be_whole_groups():
    question = task(MODELS[1], "h100x8", room=300_000_000, choices=ServingChoices(expert=(4,)))
    plan = best_serving(question).value
    assert plan.deployment.data % 4 == 0
    wrong = replace(plan, best=replace(plan.best, deployment=replace(plan.deployment, data=plan.deployment.data - 1)))
    assert any("expert 4 does not divide" in text for text in check_serving(question, wrong))
