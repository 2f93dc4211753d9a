"""Are wrong layers of a model that answers told?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from intarsia.graph import Contraction, Node, Phase, ServedLayer, Serving, check_served
from intarsia.models.transformer import find_model

CHAIN = find_model("llama3-8b").served(Serving(Phase.DECODE, 2, 100))
HEAVY = Node("more", Contraction(1, 1, 4096, 1 << 20))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"repeat": 0}, "block: repeats 0 times"),
        ({"cache_bytes": -1}, "block: cache_bytes is -1"),
        ({"missed": 1.5}, "block: misses an expert with the chance 1.5"),
        ({"tied": "head"}, "block: tied to head, which does not come before it"),
        ({"nodes": (Node("a", HEAVY.work, ("b",)),)}, "block: a needs b, which does not come before it"),
        ({"nodes": (replace(CHAIN[1].nodes[0], kept_bytes=8),)}, "block: keeps 8 bytes in attention-norm"),
        ({"nodes": (HEAVY,)}, "block: products read 8589934592 bytes of weights, the layer has 436224000"),
    ],
)
def test_a_fault_is_told(change, told):
    assert check_served(CHAIN) == ()
    wrong = (CHAIN[0], replace(CHAIN[1], **change), CHAIN[2])
    assert told in check_served(wrong)


def test_a_window_bounds_what_is_kept():
    layer = ServedLayer("x", 1, (), 0, 0, 0, 1.0, cache_bytes=4, window=10, working_bytes=0, output_bytes=0)
    assert [layer.kept_tokens(n) for n in (3, 10, 99)] == [3, 10, 10]
    assert [replace(layer, window=0).kept_tokens(n) for n in (3, 10, 99)] == [3, 10, 99]
    assert (layer.hit, replace(layer, experts=8, missed=0.6).hit) == (0, 4)
