"""Do weights add up to the counts that were published?"""

import pytest

from intarsia.models.transformer import find_model, model_names
from intarsia.models.transformer.vit import VISION

EXACT = {
    # Sums over the weights that Hugging Face publishes with each model (its safetensors index or ``num_parameters``).
    "bloom-176b": 176_247_271_424,
    "deepseek-v2": 235_741_434_880,
    "deepseek-v2-lite": 15_706_484_224,
    "deepseek-v3": 671_026_419_200,  # without the layer for a second token
    "gemma-7b": 8_537_680_896,
    "gemma2-9b": 9_241_705_984,
    "gpt-neox-20b": 20_554_567_680,
    "gpt2": 124_439_808,
    "gpt2-xl": 1_557_611_200,
    "llama2-13b": 13_015_864_320,
    "llama2-70b": 68_976_648_192,
    "llama2-7b": 6_738_415_616,
    "llama3-405b": 405_853_388_800,
    "llama3-70b": 70_553_706_496,
    "llama3-8b": 8_030_261_248,
    "mistral-7b": 7_241_732_096,
    "mixtral-8x7b": 46_702_792_704,
    "opt-350m": 331_196_416,
    "qwen2-7b": 7_615_616_512,
    "qwen3-30b-a3b": 30_532_122_624,
    "qwen3-8b": 8_190_735_360,
}

ROUNDED = {
    # Shoeybi et al. 2019, section 5.3 and table 2; GPT-3 by the formula of Narayanan et al. 2021, eq. 2.
    "megatron-bert-large": (336e6, 0.5e6),
    "megatron-gpt2-2.5b": (2.5e9, 0.05e9),
    "megatron-gpt2-8.3b": (8.3e9, 0.05e9),
    "gpt3-175b": (174.6e9, 0.05e9),
}

WITHOUT_HEADS = {
    # Hugging Face's BertModel: the pooler, but neither the masked head nor the classifier of sentence pairs.
    "bert-base": 109_482_240,
    "bert-large": 335_141_888,
}


@pytest.mark.parametrize(("name", "count"), EXACT.items())
def test_published_counts(name, count):
    assert find_model(name).parameters == count


@pytest.mark.parametrize(("name", "count"), ROUNDED.items())
def test_rounded_counts(name, count):
    assert find_model(name).parameters == pytest.approx(count[0], abs=count[1])


@pytest.mark.parametrize(("name", "count"), WITHOUT_HEADS.items())
def test_bert_without_its_heads(name, count):
    model = find_model(name)
    hidden, vocab = model.hidden, model.vocab
    heads = hidden * (hidden + 1) + 2 * hidden + vocab + 2 * (hidden + 1)
    assert model.parameters - heads == count


def test_every_model_has_a_published_count():
    assert set(model_names()) == {*EXACT, *ROUNDED, *WITHOUT_HEADS}


def test_active_parameters():
    # Jiang et al. 2024: 13B; DeepSeek-V3's README_WEIGHTS: 36.6B without the embedding.
    assert find_model("mixtral-8x7b").active_parameters == pytest.approx(12.9e9, abs=0.05e9)
    deepseek = find_model("deepseek-v3")
    assert deepseek.active_parameters - deepseek.vocab * deepseek.hidden == pytest.approx(36.6e9, abs=0.05e9)
    # Yang et al. 2025, table 2: 3.3B of 30.5B.
    assert find_model("qwen3-30b-a3b").active_parameters == pytest.approx(3.3e9, abs=0.06e9)


def test_vision_transformers():
    # torchvision's weights: ViT_B_16 86,567,656 and 17.56 GFLOPs (multiply-adds), ViT_L_16 304,326,632 and 61.55.
    base, large = VISION["vit-base"], VISION["vit-large"]
    assert (base.parameters, large.parameters) == (86_567_656, 304_326_632)
    assert base.flops(0) / 6 == pytest.approx(17.56e9, rel=0.005)
    assert large.flops(0) / 6 == pytest.approx(61.55e9, rel=0.005)
