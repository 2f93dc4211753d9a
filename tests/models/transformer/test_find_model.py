"""Are models found by name and by plain sizes, and wrong ones told?"""

import json
from importlib.resources import files

import pytest

from intarsia.ground import InputError
from intarsia.models.transformer import find_model, from_sizes, model_names, read_config
from intarsia.models.transformer.kinds import Norm, Positions

REQUIRED = """\
bert-large gpt2-xl opt-350m llama2-7b megatron-bert-large megatron-gpt2-2.5b megatron-gpt2-8.3b gpt3-175b
llama3-8b llama3-70b llama3-405b mixtral-8x7b deepseek-v3"""
SIZES = {"hidden": 1024, "heads": 16, "layers": 24, "sequence": 2048, "vocab": 51200}


def test_names():
    assert set(REQUIRED.split()) <= set(model_names())
    assert model_names() == tuple(sorted(model_names()))


@pytest.mark.parametrize("name", model_names())
def test_every_entry_names_its_source(name):
    entry = json.loads((files("intarsia.models.transformer.catalogue") / f"{name}.json").read_text())
    assert entry["source"]
    assert find_model(name).name == name
    assert read_config(entry["config"], name).parameters == find_model(name).parameters


def test_trained_lengths():
    lengths = {name: find_model(name).sequence for name in ("llama3-405b", "gpt3-175b", "bert-large", "deepseek-v3")}
    assert lengths == {"llama3-405b": 8192, "gpt3-175b": 2048, "bert-large": 512, "deepseek-v3": 4096}


def test_unknown_name():
    with pytest.raises(InputError) as error:
        find_model("Llama3-8")
    assert str(error.value).startswith("unknown model: Llama3-8; allowed: bert-base, bert-large, ")
    assert "; try: llama3-8b, " in str(error.value)


def test_plain_sizes_are_a_gpt():
    model = from_sizes(**SIZES)
    h, layers, s, v = 1024, 24, 2048, 51200
    # Narayanan et al., SC'21, eq. 2, without its rounding: 12lh² (1 + 13/12h) + (V + s) h + a last norm.
    assert model.parameters == 12 * layers * h * h + 13 * layers * h + (v + s) * h + 2 * h
    assert (model.norm, model.positions, model.dropout, model.tied) == (Norm.LAYER, Positions.LEARNED, True, True)


def test_gated_sizes_are_a_llama():
    model = from_sizes(hidden=4096, heads=32, kv_heads=8, ffn=14336, gated=True, layers=32, sequence=8192, vocab=128256)
    assert model.parameters == find_model("llama3-8b").parameters
    assert from_sizes(**{**SIZES, "hidden": 4096, "heads": 32}, gated=True).ffn == 11008


def test_sizes_with_experts():
    sizes = {"hidden": 4096, "heads": 32, "kv_heads": 8, "ffn": 14336, "layers": 32, "sequence": 32768, "vocab": 32000}
    model = from_sizes(**sizes, gated=True, experts=8, top_k=2)
    assert model.parameters == find_model("mixtral-8x7b").parameters
    assert model.active_parameters == find_model("mixtral-8x7b").active_parameters


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"heads": 0}, "heads is no size: 0; allowed: 1 or more"),
        ({"hidden": -1}, "hidden is no size: -1; allowed: 1 or more"),
        ({"heads": 15}, "heads does not divide hidden: 1024 / 15"),
        ({"kv_heads": 3}, "kv-heads does not divide heads: 16 / 3"),
        ({"ffn": -4}, "ffn is no size: -4; allowed: 0 or more"),
        ({"experts": 4, "top_k": 5}, "top-k experts of a token: 5; allowed: at most the 4 experts"),
        ({"top_k": 2}, "top-k experts of a token: 2; allowed: at most the 0 experts"),
    ],
)
def test_wrong_sizes(changed, text):
    with pytest.raises(InputError) as error:
        from_sizes(**{**SIZES, **changed})
    assert str(error.value) == text
