"""What do `embed` and `explain` answer, in words and in JSON?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from intarsia.cli import main
from intarsia.embed.problem import MEASURES, REQUIREMENTS

FIRST = "conv2d:n=1,c=3,h=224,w=224,k=64,r=7,s=7,stride=2,pad=3"
MINE = Path(__file__).parents[2] / "examples" / "tile8x8.txt"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def answered(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(printed(capsys, *arguments, "--json"))
    return found


def test_the_best_embedding_is_proved(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "embed", FIRST, "--instr", "vta.gemm")
    best = found["best"]
    assert (found["outcome"], found["optimal"]) == ("found", True)
    assert found["bound"] == [best["calls"], best["duplicated"]] == [501_760, best["duplicated"]]
    assert best["padded"] == best["calls"] * 256 - 64 * 112 * 112 * 147
    lanes = {axis: [digit["extent"] for digit in digits] for axis, digits in best["digits"].items()}
    assert (lanes["b"], lanes["n"]) == ([], [16])
    assert best["operands"] == {"o": "O", "i": "I", "w": "W"}
    assert found["count"] > found["count_modulo_symmetry"] > 0
    assert found["count_complete"]


def test_a_narrower_space_needs_more_calls(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "embed", FIRST, "--instr", "vta.gemm", "--space", "aligned")
    assert found["best"]["calls"] > 501_760


def test_an_answer_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "embed", FIRST, "--instr", "vta.gemm").splitlines()
    fields = dict(line.split(maxsplit=1) for line in lines[:10])
    assert fields["outcome"] == "found, proved optimal"
    assert fields["calls"] == "501,760"
    assert "for oc.0 < 4:" in lines
    assert "vta.gemm(o=O, i=I, w=W)" in lines[-1]


def test_a_users_instruction_is_embedded_with_nothing_else_touched(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(MINE.read_text().splitlines()) < 15
    found = answered(capsys, "embed", "gemm:m=30,n=50,k=70", "--instr", str(MINE))
    assert found["best"]["calls"] == found["bound"][0] == 4 * 7 * 18


def test_infeasible_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "embed", "gemm:m=30,n=50,k=70", "--instr", str(MINE), "--require", "dense")
    assert (found["outcome"], found["best"], found["count"]) == ("infeasible", None, None)
    assert "infeasible" in printed(capsys, "embed", "gemm:m=30,n=50,k=70", "--instr", str(MINE), "--require", "dense")


def test_every_call_of_the_scalar_space(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "embed", "gemm:m=2,n=2,k=2", "--instr", "dot:2", "--space", "scalar", "--all")
    assert found["optimal"]
    assert found["best"]["padded"] == 0
    assert found["count"] == len(found["listed"]) == 48
    assert found["count_modulo_symmetry"] is None
    assert any(None in fit["lanes"] for fit in found["listed"])


def test_every_embedding_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("embed", "gemm:m=4,n=4,k=4", "--instr", "matvec:2x2", "--space", "aligned")
    found = answered(capsys, *arguments, "--all")
    assert len(found["listed"]) == found["count_modulo_symmetry"]
    assert len({fit["text"] for fit in found["listed"]}) == len(found["listed"])


def test_an_explanation_names_the_constraint(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "explain", FIRST, "--instr", "vta.gemm")
    why = {(service["axis"], service["lane"]): service["why_not"] for service in found["services"]}
    assert why["oc", "n"] is None
    assert why["c", "k"] is None
    assert why["ow", "n"] == "operands: n does not move i, ow moves I[n, c, 2*oh+kh-3, 2*ow+kw-3]"
    assert why["oc", "k"] == "result: oc moves the output, k does not move the register of o"
    assert why["kw", "n"] == "result: n moves the register of o, kw is summed over"
    assert found["answer"]["best"]["calls"] == 501_760


def test_an_explanation_in_words_has_both_nests(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(capsys, "explain", FIRST, "--instr", "vta.gemm")
    assert "O[n, oc, oh, ow] += I[n, c, 2*oh+kh-3, 2*ow+kw-3] * W[oc, c, kh, kw]" in out
    assert "ow not on n: operands: n does not move i, ow moves I" in out
    assert "for oc.0 < 4:" in out


def test_the_dump_folder_and_the_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["embed", "gemm:m=4,n=4,k=4", "--instr", "matvec:2x2", "-v", "--dump", str(tmp_path / "dump")]
    assert main(arguments) == 0
    err = capsys.readouterr().err
    assert [line.partition(":")[0] for line in err.splitlines()] == ["search", "check", "count"]
    assert "matvec:2x2(" in (tmp_path / "dump" / "01-embedding.txt").read_text()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--space", "wide", "unknown space: wide; allowed: aligned, fused, skewed, scalar"),
        ("--limit", "0", "the limit is not positive: 0.0; allowed: seconds, more than 0"),
        (
            "--require",
            "dnse",
            "unknown requirement: dnse; allowed: dense, no-padding, no-duplication, inputs-once, constant-only, fixed",
        ),
        ("--prefer", "speed", "unknown objective: speed; allowed: calls, padded, duplicated, moved"),
        ("--dump", "{file}/x", "'{file}/x/01-embedding.txt': the output file cannot be written (file is a file)"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    option: str, value: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    arguments = ["embed", "gemm:m=4,n=4,k=4", "--instr", "matvec:2x2", option, value.format(file=file)]
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"intarsia: {message.format(file=file)}")


DEPTHWISE = "depthwise:n=1,c=32,h=56,w=56,r=3,s=3,pad=1"


def test_where_nothing_fits_every_assignment_of_operands_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    question = ("explain", DEPTHWISE, "--instr", "vta.gemm", "--require", "dense")
    found = answered(capsys, *question)
    assert [a["operands"] for a in found["assignments"]] == [
        {"o": "O", "i": "I", "w": "W"},
        {"o": "O", "i": "W", "w": "I"},
    ]
    may_lie = [{(s["axis"], s["lane"]) for s in a["services"] if s["why_not"] is None} for a in found["assignments"]]
    assert may_lie == [
        {("kh", "k"), ("kw", "k")},
        {("kh", "k"), ("kw", "k"), ("oh", "n"), ("ow", "n")},
    ]
    out = printed(capsys, *question)
    assert "operands o=O, i=I, w=W\n" in out
    assert "operands o=O, i=W, w=I\n" in out


def test_an_answer_is_explained_with_its_own_assignment(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "explain", DEPTHWISE, "--instr", "vta.gemm")
    assert [a["operands"] for a in found["assignments"]] == [found["answer"]["best"]["operands"]]
    assert found["operands"] == found["answer"]["best"]["operands"]


def test_a_count_that_is_not_made_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(capsys, "embed", FIRST, "--instr", "vta.gemm", "--require", "constant-only", "--space", "aligned")
    assert any(line.startswith("embeddings ") for line in out.splitlines())


def test_the_scalar_space_keeps_to_the_limit(capsys: pytest.CaptureFixture[str]) -> None:
    question = ("conv2d:n=1,c=3,h=6,w=6,k=8,r=3,s=3,pad=1", "--instr", "vta.gemm:1x4x4", "--space", "scalar")
    out = printed(capsys, "embed", *question, "--limit", "0.5")  # without it neither search nor count would end
    assert "out of time" in out
    assert "embeddings   not counted (out of time)" in out


def test_help_lists_every_requirement_and_preference(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["embed", "--help"]) == 0
    out = capsys.readouterr().out
    assert ", ".join(REQUIREMENTS) in out
    assert ", ".join(MEASURES) in out


def test_texts_are_wrapped_to_the_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    out = printed(capsys, "explain", DEPTHWISE, "--instr", "vta.gemm", "--require", "dense")
    told = out[out.index("operands") :]
    assert max(map(len, told.splitlines())) <= 60
