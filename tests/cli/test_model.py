"""What do `model` and `models` print, and what do they refuse?"""

from __future__ import annotations

import json

import pytest

from intarsia.cli import main
from intarsia.models import catalogue_names

TEXT = """\
model       vgg-16
parameters  138,357,544
microbatch  1
sample      9.265e+10 operations, forward and backward
"""


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err.removeprefix("intarsia: ").removesuffix("\n")


def test_a_model_is_printed_with_a_total(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "model", "vgg-16")
    assert text.startswith(TEXT)
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line}
    assert lines["stage5.layer1"][1:3] == ["2", "2,359,808"]
    assert lines["total"][1:5] == ["17", "138,357,544", "3.094e+10", "6.171e+10"]


def test_a_model_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(printed(capsys, "model", "resnet-50", "--microbatch", "2", "--json"))
    assert (answer["name"], answer["parameters"], answer["sequence"]) == ("resnet-50", 25_557_032, None)
    stem, *_, loss = answer["layers"]
    assert stem == {
        "name": "stem",
        "repeat": 1,
        "parameters": 9536,
        "tied": None,
        "tied_parameters": 0,
        "forward_flops": 472_055_808,
        "backward_flops": 472_055_808,
        "kept_bytes": {"none": 10_235_904, "selective": 10_235_904, "full": 10_235_904},
        "input_bytes": 602_112,
        "output_bytes": 802_816,
        "forward_nodes": 3,
        "backward_nodes": 3,
    }
    assert loss["name"] == "loss"
    total = answer["total"]
    assert (total["repeat"], total["parameters"], total["forward_flops"]) == (19, 25_557_032, 4 * 4_089_184_256)
    assert total["forward_flops"] + total["backward_flops"] == 2 * answer["sample_flops"]


def test_a_transformer_is_cut_and_its_tied_weights_count_once(capsys: pytest.CaptureFixture[str]) -> None:
    whole, half = (json.loads(printed(capsys, "model", "gpt2", "--tensor", t, "--json")) for t in "12")
    assert whole["total"]["parameters"] == whole["parameters"] == half["parameters"]
    assert half["total"]["parameters"] < 0.6 * whole["total"]["parameters"]
    assert (whole["sequence"], whole["layers"][-2]["tied"]) == (1024, "embedding")
    short = json.loads(printed(capsys, "model", "gpt2", "--seq", "128", "--json"))
    assert short["layers"][1]["output_bytes"] * 8 == whole["layers"][1]["output_bytes"]
    assert "tensor      2 devices; figures below are of one\n" in printed(capsys, "model", "gpt2", "--tensor", "2")


def test_the_catalogue_is_listed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(printed(capsys, "models", "--json"))
    assert [model["name"] for model in answer] == list(catalogue_names())
    assert answer[0].keys() == {"name", "parameters", "layers", "hidden", "sequence", "source"}
    text = printed(capsys, "models")
    assert all(name in text for name in catalogue_names())
    assert "1,557,611,200" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["vgg16"],
            (
                "unknown model, and no such file: vgg16; "
                "allowed: a name of `intarsia models`, a config.json, an .onnx file; try: vgg-16"
            ),
        ),
        (["vgg-16", "--microbatch", "0"], "microbatch is not positive: 0; allowed: 1 or more"),
        (["gpt2", "--seq", "-5"], "seq is not positive: -5; allowed: 1 or more"),
        (["gpt2", "--tensor", "0"], "tensor is not positive: 0; allowed: 1 or more"),
        (["vgg-16", "--seq", "7"], "vgg-16: the model has no sequence length: 7; try: no --seq"),
        (["none.onnx"], "none.onnx: no such file"),
        (["none.json"], "none.json: no such file"),
        (["gpt2", "--microbatch", "x"], "argument --microbatch: invalid int value: 'x'; try: intarsia model --help"),
        (
            ["resnet-18", "--tensor", "2"],
            (
                "resnet-18: tensor 2: a traced graph does not say how its layers may be shared among devices; "
                "only tensor 1 is possible"
            ),
        ),
    ],
)
def test_bad_input_is_one_message(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "model", *arguments) == message


def test_a_model_with_a_layer_that_is_not_understood_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: pytest.TempPathFactory
) -> None:
    from onnx import TensorProto, helper, save

    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 8]) for name in "xy")
    node = helper.make_node("Wavelet", ["x"], ["y"], name="it", domain="mine")
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("mine", 1)]
    file = f"{tmp_path}/net.onnx"
    save(helper.make_model(helper.make_graph([node], "g", [x], [y]), opset_imports=opsets, ir_version=9), file)
    note = "mine.Wavelet is not known: priced as memory traffic only (1 node)"
    assert f"note        {note}\n" in printed(capsys, "model", file)
    assert note in json.loads(printed(capsys, "model", file, "--json"))["notes"]
