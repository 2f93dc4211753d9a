"""Does a study that serves say what `serve` says, and are its sections searched and not guessed?"""

from __future__ import annotations

import html
import json
import re
import shlex
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from msgspec.structs import replace as changed
from small_serving import GIVEN, SERVING, SPACE

from intarsia.cli import main
from intarsia.flow.serving import serve_model
from intarsia.flow.serving_question import ServingWanted
from intarsia.flow.serving_search import search_serving_chip
from intarsia.flow.study import Result, StudyAnswer, compare, decode_study, read_result, read_study, run_study
from intarsia.flow.study.neighbours import changes
from intarsia.flow.study.serving.records import ServedRecord
from intarsia.ground import InputError
from intarsia.machines.clusters import read_cluster
from intarsia.machines.template import chip_of
from intarsia.report.html import report_html

WANTED = ServingWanted(64, 9, 0.5, 0.003, only={"tensor": ("1", "2"), "pipeline": ("1", "2"), "prompts": ("1", "8")})


def served(answer: StudyAnswer) -> ServedRecord:
    assert answer.result.served is not None
    return answer.result.served


def test_the_search_says_the_same(serving_answer: StudyAnswer, tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(SPACE)
    alone = search_serving_chip("gpt2", "tpuv4x4", WANTED, space=str(tmp_path / "space.toml"), audited=2, seed=1)
    found, its, proof = serving_answer.result.search, served(serving_answer), alone.searched.certificate
    assert found is not None
    assert found.most
    assert (found.value, found.bound, found.gap) == (alone.searched.score, proof.bound, alone.searched.gap)
    assert found.value == its.best.tokens <= found.bound
    assert found.points == sum(found.removed.values()) + found.evaluated == proof.points
    assert found.audit is not None
    assert alone.audit is not None
    assert (found.audit.checked, found.audit.beaten) == (alone.audit.checked, ())
    assert [one.name for one in serving_answer.result.looked if one.chosen] == [str(alone.searched.point)]
    assert str(alone.searched.point) in serving_answer.result.sentence


def test_the_history_ends_at_the_certificate(serving_answer: StudyAnswer) -> None:
    result = serving_answer.result
    assert result.search is not None
    last = result.history[-1]
    assert (last.best, last.bound, last.left) == (result.search.value, result.search.bound, 0)
    assert (
        last.looked == len(result.looked) == result.search.points - result.search.removed["by bounds from their rates"]
    )
    best = [one.best or 0.0 for one in result.history]
    bound = [one.bound for one in result.history if one.bound is not None]
    assert best == sorted(best)
    assert bound == sorted(bound, reverse=True)
    for one in result.looked:
        assert one.bound is not None
        assert (one.value or 0.0) <= min(one.bound, result.search.value) * (1 + 1e-9)
    line = sorted((one for one in result.looked if "area" in one.front), key=lambda one: one.area)
    values = [one.value or 0.0 for one in line]
    assert values == sorted(values)
    assert line[-1].chosen


def test_limits_are_dropped_one_by_one(serving_answer: StudyAnswer) -> None:
    chosen, its = serving_answer.chosen, served(serving_answer)
    assert [one.name for one in its.limits] == [
        "time to the first token", "time between tokens", "memory of the fullest device",
    ]  # fmt: skip
    assert chosen.point is not None
    chip = chip_of(chosen.point)
    free = [
        serve_model("gpt2", "tpuv4x4", replace(WANTED, ttft=inf), chip=chip),
        serve_model("gpt2", "tpuv4x4", replace(WANTED, tpot=inf), chip=chip),
        serve_model("gpt2", "tpuv4x4", WANTED, chip=replace(chip, hbm_bytes=2 * chip.hbm_bytes)),
    ]
    for one, alone in zip(its.limits, free, strict=True):
        assert alone.plan is not None
        assert one.tokens == pytest.approx(alone.plan.pace.tokens_per_second, rel=1e-12)
        assert one.times == pytest.approx(one.tokens / its.best.tokens)
        assert 0 < one.value <= one.limit
    assert [one.times is not None and one.times > 1 for one in its.limits] == [False, True, False]


def test_a_round_is_where_time_goes(serving_answer: StudyAnswer) -> None:
    """Its seconds are those in which all replicas make as many tokens as the throughput says."""
    its = served(serving_answer)
    seconds = sum(sum(kinds.values()) for kinds in its.round.values())
    assert its.best.data * its.best.batch * its.output / seconds == pytest.approx(its.best.tokens)
    assert its.step is not None
    assert its.hbm_step is not None
    assert sum(its.round["steps"].values()) == pytest.approx((its.output - 1) * its.step)
    assert 0 < its.hbm_step < its.step
    assert all(0 < sum(stage.values()) <= its.memory.capacity for stage in its.memory.stages)


def test_neighbours_are_deployed_anew(serving_answer: StudyAnswer) -> None:
    chosen, its = serving_answer.chosen, served(serving_answer)
    rows = {(one.resource, one.change): one for one in its.neighbours}
    steps = {(one.resource, one.change): one for one in changes(chosen)}
    assert rows.keys() == steps.keys()
    told = 0
    for key, one in steps.items():
        if one.point is not None and not key[0].startswith("network"):
            alone = serve_model("gpt2", "tpuv4x4", WANTED, chip=chip_of(one.point))
            assert rows[key].tokens == (alone.plan.pace.tokens_per_second if alone.plan else None)
            budget = one.point.area <= 120 and one.point.watts <= 150
            assert rows[key].within is budget
            told += 1
    assert told > 4
    assert {one.within for one in its.neighbours} == {True, False}


def test_other_chips_have_their_own_deployments(serving_answer: StudyAnswer) -> None:
    its = served(serving_answer)
    assert [one.chip for one in its.baselines] == ["TPUv4-like", "A100-SXM-80GB"]
    for name, one in zip(("tpuv4-like", "a100"), its.baselines, strict=True):
        alone = serve_model("gpt2", f"{name}x4", WANTED)
        assert one.tokens == (alone.plan.pace.tokens_per_second if alone.plan else None)
        assert one.interval == (alone.plan.interval if alone.plan else None)
        assert bool(one.because) == (alone.plan is None)


def test_a_given_chip(tmp_path: Path) -> None:
    found = run_study(decode_study(GIVEN, where="given.toml"), store=tmp_path / "store.sqlite")
    alone = serve_model("gpt2", "a100x4", ServingWanted(64, 9), chip=read_cluster("h100x4").chip)
    assert alone.plan is not None
    assert served(found).best.tokens == alone.plan.pace.tokens_per_second
    assert found.result.search is None
    assert found.result.chip is not None
    assert found.result.chip.name == "H100-SXM"
    assert served(found).absent == {"baselines": "the study names none"}
    text = report_html(found.result)
    assert "Not here: the study names none." in text
    assert 'data-chart="gap"' not in text


@pytest.mark.parametrize("asked", [SERVING, GIVEN + "tpot = 1\n"])
def test_nothing_serves_so(asked: str, tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(SPACE)
    text = asked.replace("SPACE", str(tmp_path / "space.toml"))
    found = run_study(
        decode_study(re.sub("tpot = .*", "tpot = 1e-7", text), where="s.toml"), store=tmp_path / "store.sqlite"
    )
    assert found.result.sentence.startswith("Nothing serves gpt2 so on 4 devices ")
    assert "tpot 1e-07 s" in found.result.sentence
    assert (found.result.served, found.result.chip, found.result.search) == (None, None, None)
    assert found.result.sentence in html.unescape(report_html(found.result))


def test_the_folder_finds_the_deployment_again(
    serving_answer: StudyAnswer, serving_out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"README.txt", "chip.json", "cluster.json", "plans", "report.html", "result.json"}
    assert {file.name for file in serving_out.iterdir()} == files
    assert read_result(serving_out) == serving_answer.result
    line = next(one for one in (serving_out / "README.txt").read_text().splitlines() if "cluster.json:" in one)
    command = shlex.split(re.findall("`intarsia (.*?)`", line)[0])
    monkeypatch.chdir(serving_out)
    assert main([*command, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["tokens_per_second"] == pytest.approx(served(serving_answer).best.tokens, rel=1e-12)


def test_what_was_asked_can_be_asked_again(serving_answer: StudyAnswer, serving_out: Path) -> None:
    text = html.unescape(re.findall(r"<pre>(.*?)</pre>", (serving_out / "report.html").read_text(), re.DOTALL)[-1])
    assert decode_study(text, where="report.html") == serving_answer.result.study


def test_two_of_them_side_by_side(serving_answer: StudyAnswer, answer: StudyAnswer) -> None:
    one, its = serving_answer.result, served(serving_answer)
    half = changed(its, best=changed(its.best, tokens=its.best.tokens / 2), interval=(1.0, 2.0))
    keys = changed(one.study.serving, ttft=None)
    other: Result = changed(one, served=half, study=changed(one.study, serving=keys), title="half")
    found = compare(one, other)
    rows = {(row.group, row.name): row for row in found.rows}
    assert len(rows) == len(found.rows)
    assert rows["gpt2", "tokens a second"].times == 0.5
    assert (rows["question", "ttft"].first, rows["question", "ttft"].second) == ("500 ms", "")
    assert rows["gpt2", "batch"].times == 1
    assert "prompts, answers or limits differ" in found.notes
    assert ("question", "global batch") not in rows
    mixed = compare(one, answer.result)
    assert "one trains, the other serves" in mixed.notes
    near = changed(one, served=changed(its, best=changed(its.best, tokens=its.best.tokens * 1.01)))
    assert compare(one, near).notes == (
        "gpt2: B's tokens lie within A's interval: only a measurement tells which makes more",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sequence = 256\n", "s.toml: sequence is for training: 256; try: sequence or [serving]"),
        ("global_batch = 8\n", "s.toml: global_batch is for training: 8"),
        ('ray = "local"\n', "s.toml: ray is for training: local"),
        ('costs = "padded"\n', "s.toml: costs is for training: padded"),
        ("audit = 3\n", "s.toml: audit is for a search of chips: 3"),
        ("[choose]\nmicrobatch = 4\n", "s.toml, [choose]: unknown choice: microbatch; allowed: tensor, pipeline"),
        ("[choose]\ntensor = 0\n", "s.toml, [choose]: tensor cannot be so: 0; allowed: 1 or more"),
        ("[serving.more]\n", "s.toml, [serving]: unknown key: more"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    head, tail = GIVEN.split("[serving]")
    whole = f"{head}[serving]{tail}{text}" if text.startswith("[") else f"{head}{text}[serving]{tail}"
    with pytest.raises(InputError) as error:
        decode_study(whole, where="s.toml")
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("outputs = 9", "s.toml, [serving]: unknown key: outputs; allowed: prompt, output, ttft"),
        ("output = 0", "s.toml, [serving]: output is not positive: 0; allowed: 1 or more"),
        (
            "output = 9\nttft = 0",
            "s.toml, [serving]: the limit ttft is not positive: 0.0; allowed: seconds, more than 0",
        ),
        ('output = 9\nphase = "prefil"', "s.toml, [serving]: unknown phase: prefil; allowed: both, prefill, decode"),
        ('output = 9\nkv_dtype = "int8"', "s.toml, [serving]: unknown kv_dtype: int8; allowed: bf16, fp8"),
        ("", "s.toml: the study file is wrong: Object missing required field `output`"),
    ],
)
def test_what_is_refused_of_the_table(line: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        decode_study(GIVEN.replace("output = 9", line), where="s.toml")
    assert str(error.value).startswith(said)


def test_the_example_is_such_a_study() -> None:
    study = read_study(Path(__file__).parents[2] / "examples" / "serving.toml")
    assert study.serving is not None
    assert study.serving.limits == {"ttft": 2.0, "tpot": 0.02}


def test_several_models_or_clusters_do_not_serve() -> None:
    for old, new, said in (
        ('model = "gpt2"', 'models = ["gpt2", "gpt2-xl"]', "s.toml: one model is served: gpt2, gpt2-xl"),
        ('"a100x4"', '"a100x4,8"', "s.toml: one cluster serves: a100x4,8"),
        ("[serving]\nprompt = 64\noutput = 9\n", "", "s.toml: a study trains with a global batch, or serves: neither"),
    ):
        with pytest.raises(InputError) as error:
            decode_study(GIVEN.replace(old, new), where="s.toml")
        assert str(error.value).startswith(said)
