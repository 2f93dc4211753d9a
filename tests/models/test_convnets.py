"""Do the built-in networks of images have the weights and operations that are published for them?"""

from __future__ import annotations

import pytest

from intarsia.graph import (
    Attention,
    Contraction,
    Convolution,
    Elementwise,
    FusedAttention,
    Recompute,
    Variant,
    check_model,
)
from intarsia.ground import InputError
from intarsia.models import catalogue_names, read_model, read_spec
from intarsia.models.convnet import CONVNETS, convnet

IMAGE = Variant(1, 0, attention=Attention.EAGER)
# Parameters and multiplications (10^9, at 224 x 224) of torchvision's models of these names, from its documentation;
# of mobilenet-v1 those of Keras (trainable) and of Howard et al., arXiv 1704.04861, table 4; of DeiT those of timm.
PUBLISHED = {
    "mobilenet-v1": (4_231_976, 0.569),
    "mobilenet-v2": (3_504_872, 0.301),
    "mobilenet-v3-large": (5_483_032, 0.217),
    "efficientnet-b0": (5_288_548, 0.386),
    "resnext50-32x4d": (25_028_904, 4.23),
    "regnety-400mf": (4_344_144, 0.402),
    "regnety-16gf": (83_590_140, 15.912),
    "convnext-tiny": (28_589_128, 4.456),
    "swin-tiny": (28_288_354, 4.491),
    "swin-small": (49_606_258, 8.741),
    "deit-tiny": (5_717_416, 1.254),
    "deit-small": (22_050_664, 4.6),
    "resnet-18": (11_689_512, 1.814),
    "resnet-34": (21_797_672, 3.664),
    "resnet-50": (25_557_032, 4.089),
    "resnet-101": (44_549_160, 7.801),
    "resnet-152": (60_192_808, 11.514),
    "vgg-16": (138_357_544, 15.47),
    "vit-base-16": (86_567_656, 17.564),
    "vit-large-16": (304_326_632, 61.555),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_weights_and_operations_are_the_published_ones(name):
    model = read_model(name)
    forward = sum(layer.repeat * layer.forward_flops for layer in model.layers(IMAGE))
    parameters, multiplications = PUBLISHED[name]
    assert model.parameters == model.active_parameters == parameters
    assert forward / 2e9 == pytest.approx(multiplications, rel=2e-3, abs=5.1e-4)


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("attention", Attention)
def test_layers_pass_the_check(name, attention):
    assert check_model(read_model(name), Variant(3, 0, attention=attention)) == ()


@pytest.mark.parametrize("name", PUBLISHED)
def test_backward_has_twice_the_operations_but_for_the_gradient_of_the_image(name):
    layers = read_model(name).layers(IMAGE)
    first = next(node.work for node in layers[0].forward if isinstance(node.work, Contraction))
    forward = sum(layer.repeat * layer.forward_flops for layer in layers)
    backward = sum(layer.repeat * layer.backward_flops for layer in layers)
    assert backward == 2 * forward - first.flops
    assert read_model(name).flops(0) == forward + backward


def test_equal_blocks_of_resnet_are_kept_once():
    layers = read_model("resnet-50").layers(IMAGE)
    found = [(layer.name, layer.repeat) for layer in layers]
    stages = [(f"stage{i}.block{b}", n) for i, times in enumerate((3, 4, 6, 3), 1) for b, n in ((1, 1), (2, times - 1))]
    assert found == [("stem", 1), *stages, ("head", 1), ("loss", 1)]


def test_everything_but_weights_grows_with_the_microbatch():
    one, four = (read_model("resnet-18").layers(Variant(b, 0)) for b in (1, 4))
    for a, b in zip(one, four, strict=True):
        assert b.parameters == a.parameters
        assert b.forward_flops == 4 * a.forward_flops
        assert b.backward_flops == 4 * a.backward_flops
        for recompute in Recompute:
            assert b.kept_bytes(recompute) == 4 * a.kept_bytes(recompute)


def contractions(name, microbatch):
    layers = read_model(name).layers(Variant(microbatch, 0))
    nodes = ((layer.repeat, node) for layer in layers for node in (*layer.forward, *layer.backward))
    return [(repeat, node.name, node.work) for repeat, node in nodes if isinstance(node.work, Contraction)]


@pytest.mark.parametrize("name", CONVNETS)
def test_every_convolution_and_its_gradients_carry_an_operator_of_their_own_size(name):
    """But those that are plain products; the image wants no gradient."""
    carried = [(repeat, work) for repeat, _, work in contractions(name, 2) if work.spec]
    for work in {work for _, work in carried}:
        assert 2 * read_spec(work.spec).iterations == work.flops
    kinds = [step.kind for step in convnet(name).graph.steps if isinstance(step.kind, Convolution)]
    assert sum(repeat for repeat, _ in carried) == 3 * sum(not kind.plain for kind in kinds) - 1


@pytest.mark.parametrize(
    ("name", "layer", "groups", "per_group", "taps", "windows"),
    [
        ("mobilenet-v2", "block1.depthwise", 32, 1, 9, 112**2),
        ("convnext-tiny", "stage4.block1", 768, 1, 49, 7**2),
        ("resnext50-32x4d", "stage1.block1", 32, 4, 9, 56**2),
        ("regnety-16gf", "stage4.block1", 27, 112, 9, 7**2),
    ],
)
def test_each_group_is_a_product_of_its_own(name, layer, groups, per_group, taps, windows):
    (found,) = [one for one in read_model(name).layers(Variant(2, 0)) if one.name == layer]
    works = [node.work for node in (*found.forward, *found.backward)]
    shapes = [(w.m, w.n, w.k) for w in works if isinstance(w, Contraction) and w.batch == groups]
    rows, columns = 2 * windows, per_group * taps
    assert shapes == [(rows, per_group, columns), (rows, columns, per_group), (per_group, columns, rows)]


def elements(name, function, passes=("forward",)):
    """How many elements of one sample a function meets."""
    layers = read_model(name).layers(Variant(1, 0))
    nodes = [(layer.repeat, node.work) for layer in layers for one in passes for node in getattr(layer, one)]
    works = [(repeat, work) for repeat, work in nodes if isinstance(work, Elementwise)]
    return sum(repeat * count for repeat, work in works for own, count in work.functions if own == function)


def test_gelu_layer_scale_and_stochastic_depth_meet_each_element():
    """ConvNeXt-T: blocks of 96 to 768 channels on 56² to 7² pixels; the first is never dropped."""
    inside = sum(
        width * side**2 * count for width, side, count in ((96, 56, 3), (192, 28, 3), (384, 14, 9), (768, 7, 3))
    )
    assert elements("convnext-tiny", "erf") == 4 * inside
    dropped = inside - 96 * 56**2
    assert elements("convnext-tiny", "multiply") == 4 * inside + inside + dropped


def test_a_clipped_activation_compares_each_element_twice():
    """MobileNetV2, table 2: expansion, channels, times, stride; activations behind expansion and depthwise."""
    side, channels, met = 112, 32, 112**2 * 32
    for expansion, narrow, times, stride in (
        *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
        *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
    ):
        for i in range(times):
            wide = expansion * channels
            met += wide * side**2 if expansion > 1 else 0
            side //= stride if i == 0 else 1
            met += wide * side**2
            channels = narrow
    assert elements("mobilenet-v2", "relu") == 2 * (met + 1280 * 7**2)


def test_a_gate_scales_every_element_and_sums_a_gradient_for_each_channel():
    """The last block of EfficientNet-B0: 1152 channels on 7² pixels."""
    (layer,) = [one for one in read_model("efficientnet-b0").layers(Variant(3, 0)) if one.name == "block16.squeeze"]
    (gate,) = [node.work for node in layer.forward if node.name.endswith("gate")]
    whole = 3 * 1152 * 7**2
    assert gate == Elementwise((("multiply", whole),), 2 * (whole + 3 * 1152), 2 * whole)
    (back,) = [node.work for node in layer.backward if node.name.startswith("gate.back")]
    assert back.functions[:3] == (("multiply", whole), ("multiply", whole), ("add", whole))
    squeezes = [node.work for node in layer.forward if isinstance(node.work, Contraction)]
    assert [(w.m, w.n, w.k) for w in squeezes] == [(3, 48, 1152), (3, 1152, 48)]


def test_a_clip_keeps_its_result_and_no_input():
    """What follows the first convolution of MobileNetV2 (relu6) keeps as much as that of MobileNet (relu)."""
    first = {name: read_model(name).layers(Variant(1, 0))[0] for name in ("mobilenet-v1", "mobilenet-v2")}
    assert len({layer.kept_bytes(Recompute.NONE) for layer in first.values()}) == 1


@pytest.mark.parametrize(("name", "heads"), [("deit-tiny", 3), ("deit-small", 6)])
def test_small_transformers_have_few_heads_of_64_channels(name, heads):
    layers = read_model(name).layers(Variant(2, 0))
    (attention,) = {n.work for layer in layers for n in layer.forward if isinstance(n.work, FusedAttention)}
    assert (attention.batch, attention.query_width, attention.queries) == (2 * heads, 64, 197)


def test_heads_of_windows_are_products_of_their_own():
    """Swin-T: 64 windows of 49 tokens and 3 heads of 32 channels in the first stage, one window and 24 in the last."""
    layers = read_model("swin-tiny").layers(Variant(2, 0))
    works = [node.work for layer in layers for node in layer.forward if isinstance(node.work, FusedAttention)]
    assert {(work.queries, work.keys, work.query_width) for work in works} == {(49, 49, 32)}
    assert (works[0].batch, works[-1].batch) == (2 * 64 * 3, 2 * 1 * 24)


def test_what_is_not_priced_is_said():
    assert [note.split(",")[0] for note in read_model("swin-tiny").notes] == ["adding the position bias to the scores"]
    assert not read_model("deit-tiny").notes


def test_the_catalogue_has_every_kind_of_layer_that_a_study_of_chips_compares():
    grouped, depthwise, moe = {"resnext50-32x4d", "regnety-16gf"}, {"mobilenet-v2", "convnext-tiny"}, {"mixtral-8x7b"}
    assert grouped | depthwise | moe | {"resnet-50", "deit-tiny", "efficientnet-b0"} <= set(catalogue_names())


def test_activations_of_a_vit_block_are_those_of_the_published_formula():
    """34 bytes for each token and channel (Korthikanti et al. 2022, table 2), less 3 of dropout masks, and the rows'
    logarithms of flash attention; norms, products and the addition share one input, so that 32 of them are left."""
    block = read_model("vit-base-16").layers(Variant(1, 0))[1]
    assert block.kept_bytes(Recompute.SELECTIVE) == 32 * 197 * 768
    assert block.kept_bytes(Recompute.NONE) - block.kept_bytes(Recompute.SELECTIVE) == 4 * 12 * 197


@pytest.mark.parametrize("group", ["tensor", "context", "expert"])
def test_a_graph_cannot_be_shared_among_devices(group):
    with pytest.raises(InputError) as error:
        read_model("resnet-18").layers(Variant(1, 0, **{group: 2}))
    assert str(error.value) == (
        f"resnet-18: {group} 2: a traced graph does not say how its layers may be shared among devices; "
        f"only {group} 1 is possible"
    )
