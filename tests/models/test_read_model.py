"""Does every way of naming a model lead to it, and is what names none one clear message?"""

from __future__ import annotations

import json

import pytest

from intarsia.graph import Variant
from intarsia.ground import InputError
from intarsia.models import catalogue_names, listing, read_model

GPT2 = {
    "model_type": "gpt2", "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024, "vocab_size": 50257,
}  # fmt: skip


def refused(text):
    with pytest.raises(InputError) as error:
        read_model(text)
    return str(error.value)


def test_every_name_of_the_catalogue_is_a_model():
    assert {"bert-large", "gpt3-175b", "resnet-50", "vgg-16", "vit-base-16"} <= set(catalogue_names())
    for name in catalogue_names():
        model = read_model(name)
        assert model.name == name
        assert not model.refusal(Variant(1, model.sequence))


def test_the_listing_says_what_the_models_say():
    rows = {row.name: row for row in listing()}
    assert tuple(rows) == catalogue_names()
    assert (rows["vit-large-16"].layers, rows["vit-large-16"].hidden, rows["vit-large-16"].sequence) == (24, 1024, 0)
    assert (rows["resnet-50"].layers, rows["resnet-50"].hidden) == (18, 0)  # stem, 16 blocks, head
    assert (rows["gpt2-xl"].layers, rows["gpt2-xl"].hidden, rows["gpt2-xl"].sequence) == (48, 1600, 1024)
    assert all(row.source and row.parameters == read_model(row.name).parameters for row in rows.values())


def test_a_configuration_is_read(tmp_path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps(GPT2))
    assert read_model(str(file)).parameters == read_model("gpt2").parameters


def test_a_misspelt_name_gets_the_nearest():
    assert refused("resnet50") == (
        "unknown model, and no such file: resnet50; allowed: a name of `intarsia models`, a config.json, "
        "an .onnx file; try: resnet-50, resnet-152, resnet-101"
    )
    assert refused("").startswith("unknown model, and no such file: ''; allowed: ")


@pytest.mark.parametrize(("content", "reason"), [("{", "not JSON"), ("[1]", "not a JSON object"), ("\x00", "not JSON")])
def test_what_is_no_configuration_is_refused(tmp_path, content, reason):
    file = tmp_path / "config.json"
    file.write_text(content)
    assert refused(str(file)).startswith(f"{file}: {reason}")
    assert refused(str(tmp_path / "none.json")) == f"{tmp_path / 'none.json'}: no such file"


def test_a_folder_is_no_model(tmp_path):
    assert refused(str(tmp_path)).startswith(f"unknown model, and no such file: {tmp_path}; allowed: ")
