"""Does native code give the reference's bits for random int8 nodes of ONNX: all paddings, strides, groups, signs?"""

import os
from random import Random

import numpy as np
import pytest
from int8_nodes import KINDS, random_case

from intarsia.ground import InputError
from intarsia.models.onnx_file import with_shapes
from intarsia.models.onnx_node import nodes_of
from intarsia.models.onnx_quantised import quantised_node
from intarsia.operators import evaluate_quantised
from intarsia.targets.x86 import at_level, host_features
from intarsia.targets.x86.callable import compiled

NUMBER = int(os.environ.get("FUZZ_EXAMPLES", "3"))
"""Random nodes of each type."""

pytestmark = pytest.mark.skipif(not host_features().has("avx2", "fma"), reason="the processor lacks AVX2")
VNNI = pytest.mark.skipif(not host_features().has("avx512vnni"), reason="the processor lacks AVX512-VNNI")
LEVELS = [pytest.param("avx512-vnni", marks=VNNI), "avx2"]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", KINDS)
def test_random_nodes(kind, level, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    seed = int(os.environ.get("FUZZ_SEED", "0"))
    native = 0
    for number in range(NUMBER if level == "avx512-vnni" else max(1, NUMBER - 1)):
        found = random_case(Random(f"{kind} {seed} {number}"), kind)
        (node,) = nodes_of(with_shapes(found.model))
        try:
            made = quantised_node(node)
        except InputError:
            continue
        inputs = made.inputs(found.inputs)
        varying = {t.name for t in made.quantised.factors if not t.constant}
        constants = {name: array for name, array in inputs.items() if name not in varying}
        function = compiled(made.quantised, constants, features=at_level(level))
        result = function(**{name: inputs[name] for name in varying})
        expected = evaluate_quantised(made.quantised, inputs)
        assert np.array_equal(result, expected), (kind, level, seed, number, function.explain())
        native += function.native
    assert native
