"""Do the built-in networks of images have the weights and operations that are published for them?"""

from __future__ import annotations

import pytest

from intarsia.graph import Attention, Contraction, Recompute, Variant, check_model
from intarsia.ground import InputError
from intarsia.models import read_model
from intarsia.operators import read_operator

IMAGE = Variant(1, 0, attention=Attention.EAGER)
# Parameters and multiplications (10^9, at 224 x 224) of torchvision's models of these names, from its documentation.
PUBLISHED = {
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
    assert forward / 2e9 == pytest.approx(multiplications, rel=2e-3)


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


def test_convolutions_carry_operators_of_their_own_size():
    layers = read_model("resnet-18").layers(Variant(2, 0))
    works = [node.work for layer in layers for node in (*layer.forward, *layer.backward)]
    specs = [(work, read_operator(work.spec)) for work in works if isinstance(work, Contraction) and work.spec]
    assert len(specs) > 40
    assert all(2 * operator.iterations == work.flops for work, operator in specs)


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
