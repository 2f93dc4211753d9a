"""Does the check of layers catch each kind of mistake, alone?"""

from dataclasses import replace

import pytest

from intarsia.graph import (
    Collective,
    Contraction,
    Elementwise,
    FusedAttention,
    Group,
    Layer,
    Lookup,
    Node,
    Pattern,
    Recompute,
    Variant,
    check_layers,
    check_model,
)

UP = Node("up", Contraction(1, 8, 16, 4), kept_bytes=64)
ACT = Node("act", Elementwise((("relu", 128),), 256, 256), ("up",), kept_bytes=256)
BACK = Node("act.back", Elementwise((("relu", 128),), 512, 256, backward=True))
INPUT = Node("up.input", Contraction(1, 8, 4, 16), ("act.back",))
WEIGHT = Node("up.weight", Contraction(1, 16, 4, 8, 2, 4, accumulates=True), ("act.back",))
GOOD = Layer("block", 2, (UP, ACT), (BACK, INPUT, WEIGHT), 16 * 4 + 16, 0, 64, 256)


def test_a_good_layer():
    assert check_layers((GOOD,)) == ()


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"repeat": 0}, "block: repeats 0 times"),
        ({"expert_parameters": -1}, "block: expert_parameters is -1"),
        ({"tied_parameters": 90}, "block: 90 of 80 parameters are tied"),
        ({"tied": "embedding"}, "block: tied to embedding, which does not come before it"),
        ({"forward": (UP, UP, ACT)}, "block: forward: two nodes are named up"),
        ({"forward": (ACT, UP)}, "block: forward: act needs up, which does not come before it"),
        ({"forward": (replace(UP, kept_bytes=-1), ACT)}, "block: forward: up keeps -1 bytes"),
        (
            {"backward": (BACK, replace(INPUT, work=Contraction(1, 0, 4, 16)), WEIGHT)},
            ("block: backward: up.input: m is 0", "block: backward: up.input has 0 operations, up has 1024"),
        ),
        (
            {"backward": (BACK, replace(INPUT, work=Contraction(1, 8, 4, 8)), WEIGHT)},
            "block: backward: up.input has 512 operations, up has 1024",
        ),
        (
            {"backward": (BACK, replace(INPUT, name="down.input"), WEIGHT)},
            "block: backward: down.input differentiates no product of the forward pass",
        ),
        ({"parameters": 60}, "block: products have 64 weights, the layer has 60 parameters"),
        ({"parameters": 1000}, "block: of 1000 parameters, 936 belong to no product"),
        (
            {"forward": (UP, replace(ACT, work=Elementwise((("relu", 0),), 256, -1)))},
            ("block: forward: act: relu of 0 elements", "block: forward: act: reads 256 bytes, writes -1"),
        ),
        (
            {"forward": (UP, ACT, Node("send", Collective(Pattern.RING, Group.CONTEXT, 0)))},
            "block: forward: send: bytes_whole is 0",
        ),
        ({"forward": (UP, ACT, Node("rows", Lookup(0, 4, 1, 1)))}, "block: forward: rows: rows is 0"),
        (
            {"forward": (UP, ACT, Node("core", FusedAttention(1, 8, 0, 4, 4, 1, False, 2)))},
            "block: forward: core: keys is 0",
        ),
    ],
)
def test_each_mistake_alone(changed, text):
    texts = (text,) if isinstance(text, str) else text
    assert check_layers((replace(GOOD, **changed),)) == texts


def test_two_layers_of_one_name():
    assert check_layers((GOOD, GOOD)) == ("two layers are named block",)


def test_a_window_may_meet_zeros():
    conv = replace(INPUT, work=Contraction(1, 8, 4, 32, spec="deconv2d:n=1"))
    assert check_layers((replace(GOOD, backward=(BACK, conv, WEIGHT)),)) == ()


def test_tables_belong_to_no_product():
    rows = Node("tokens.weight", Lookup(8, 4, 64, 64))
    assert check_layers((replace(GOOD, parameters=1000, backward=(BACK, INPUT, WEIGHT, rows)),)) == ()


class Two:
    """A model of two blocks that says how many parameters it has."""

    name = "two"
    sequence = 64
    active_parameters = 0

    def __init__(self, parameters):
        self.parameters = parameters

    def layers(self, variant):
        return (GOOD,) if variant.tensor == 1 else (replace(GOOD, parameters=64),)

    def refusal(self, _variant):
        return ""

    def flops(self, _sequence):
        return 0


def test_a_model_has_the_parameters_of_its_layers():
    assert check_model(Two(160), Variant(1, 64)) == ()
    assert check_model(Two(99), Variant(1, 64)) == ("two: layers have 160 parameters, the model 99",)
    assert check_model(Two(99), Variant(1, 64, tensor=2)) == ()
    assert check_model(Two(99), Variant(1, 128)) == ()


def test_what_full_recomputation_keeps():
    assert [GOOD.kept_bytes(mode) for mode in Recompute] == [320, 320, 64]
    whole = replace(GOOD, checkpointed=False)
    assert [whole.kept_bytes(mode) for mode in Recompute] == [320, 320, 320]
    assert whole.recomputed(Recompute.FULL) == ()
