import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from intarsia.ground.errors import InputError
from intarsia.models import read_node, read_onnx, read_spec, read_specs
from intarsia.operators import interpret, read_operator

FLOAT = np.float32


def model_of(kind, inputs, constants=(), out=TensorProto.FLOAT, **attributes):
    """A model of one node named ``it``; constants are initializers, in the order of the inputs after the others."""
    names = [f"x{i}" for i in range(len(inputs))]
    fixed = [numpy_helper.from_array(array, f"w{i}") for i, array in enumerate(constants)]
    node = helper.make_node(kind, [*names, *(t.name for t in fixed)], ["y"], name="it", **attributes)
    given = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in zip(names, inputs, strict=True)
    ]
    result = helper.make_tensor_value_info("y", out, None)
    graph = helper.make_graph([node], "g", given, [result], fixed)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def drawn(shape, dtype=FLOAT, seed=0):
    random = np.random.default_rng(seed)
    return random.integers(0 if dtype == np.uint8 else -9, 9, shape).astype(dtype)


def expected_and_found(tmp_path, model, inputs, constants):
    path = str(tmp_path / "model.onnx")
    onnx.save(model, path)
    (expected,) = ReferenceEvaluator(model).run(None, {f"x{i}": array for i, array in enumerate(inputs)})
    op = read_node(path, "it")
    names = [t.name for t in op.inputs]
    found = interpret(op, dict(zip(names, (*inputs, *constants), strict=False)))
    return expected, next(iter(found.values())), op


CASES = {
    "conv": ("Conv", [(1, 3, 8, 9)], [(4, 3, 3, 2)], {"strides": [2, 1], "pads": [1, 0, 0, 2], "dilations": [1, 2]}),
    "conv 1-D": ("Conv", [(2, 4, 9)], [(6, 2, 3)], {"group": 2}),
    "conv 3-D": ("Conv", [(1, 2, 4, 5, 6)], [(3, 2, 2, 3, 2)], {"pads": [1] * 6}),
    "depthwise": ("Conv", [(1, 4, 6, 6)], [(8, 1, 3, 3)], {"group": 4}),
    "same upper": ("Conv", [(1, 2, 7, 8)], [(3, 2, 4, 3)], {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    "same lower": ("Conv", [(1, 2, 7, 8)], [(3, 2, 4, 3)], {"auto_pad": "SAME_LOWER", "strides": [2, 3]}),
    "valid": ("Conv", [(1, 2, 7, 8)], [(3, 2, 4, 3)], {"auto_pad": "VALID"}),
    "transposed": ("ConvTranspose", [(1, 3, 4, 5)], [(3, 2, 4, 3)], {"strides": [2, 3], "pads": [1, 0, 2, 1]}),
    "output padding": ("ConvTranspose", [(1, 3, 4)], [(3, 2, 3)], {"strides": [2], "output_padding": [1]}),
    "matmul": ("MatMul", [(2, 3, 4)], [(4, 5)], {}),
    "matmul broadcast": ("MatMul", [(2, 1, 3, 4), (3, 4, 5)], [], {}),
    "matrix times vector": ("MatMul", [(2, 3, 4)], [(4,)], {}),
    "vector times matrix": ("MatMul", [(4,), (2, 4, 5)], [], {}),
    "vector times vector": ("MatMul", [(4,), (4,)], [], {}),
    "gemm": ("Gemm", [(3, 4)], [(5, 4)], {"transB": 1}),
    "gemm transposed": ("Gemm", [(4, 3)], [(4, 5)], {"transA": 1}),
    "maxpool": ("MaxPool", [(1, 2, 7, 8)], [], {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 0]}),
    "maxpool ceil": ("MaxPool", [(1, 2, 8, 8)], [], {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    "maxpool 1-D": ("MaxPool", [(1, 2, 8)], [], {"kernel_shape": [3], "strides": [2]}),
    "einsum": ("Einsum", [(2, 3, 4), (2, 4, 5)], [], {"equation": "bij,bjk->bik"}),
    "add": ("Add", [(2, 3, 4), (3, 1)], [], {}),
    "mul": ("Mul", [(2, 3, 4), (3, 1)], [], {}),
    "max": ("Max", [(2, 3), (2, 3)], [], {}),
    "min": ("Min", [(2, 3), (3,)], [], {}),
    "reduce max": ("ReduceMax", [(2, 3, 4)], [np.array([0, -1])], {}),
    "reduce sum": ("ReduceSum", [(2, 3, 4)], [np.array([1])], {"keepdims": 0}),
    "reduce all": ("ReduceMin", [(2, 3, 4)], [], {"keepdims": 0}),
}


@pytest.mark.parametrize("case", CASES)
def test_operators_compute_what_their_nodes_compute(tmp_path, case):
    kind, shapes, fixed, attributes = CASES[case]
    inputs = [drawn(shape, seed=i) for i, shape in enumerate(shapes)]
    constants = [c if isinstance(c, np.ndarray) else drawn(c, seed=9) for c in fixed]
    expected, found, op = expected_and_found(
        tmp_path, model_of(kind, inputs, constants, **attributes), inputs, constants
    )
    assert found.shape == expected.shape
    assert np.array_equal(found, expected)
    assert sum(t.constant for t in op.tensors) == len([c for c in fixed if not isinstance(c, np.ndarray)])


@pytest.mark.parametrize(
    ("given", "pads"),
    [
        ({"output_shape": [8]}, [1, 0]),
        ({"output_shape": [7]}, [1, 1]),
        ({"output_shape": [8], "auto_pad": "SAME_UPPER"}, [0, 1]),
        ({"auto_pad": "SAME_UPPER"}, [0, 1]),
        ({"auto_pad": "SAME_LOWER"}, [1, 0]),
    ],
)
def test_the_padding_of_a_transposed_convolution_may_follow_from_its_output(tmp_path, given, pads):
    x, w = drawn((1, 3, 4)), drawn((3, 2, 3))
    operators = []
    for attributes in (given, {"pads": pads}):
        path = str(tmp_path / "model.onnx")
        onnx.save(model_of("ConvTranspose", [x], [w], strides=[2], **attributes), path)
        operators.append(read_node(path, "it"))
    assert operators[0] == operators[1]


def test_the_room_imports_no_heavy_library():
    code = "import sys, intarsia.models; print(sorted({'numba', 'onnx', 'ml_dtypes', 'google'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_average_pooling_is_the_sum(tmp_path):
    x = drawn((1, 2, 6, 6))
    model = model_of("AveragePool", [x], kernel_shape=[2, 3], strides=[2, 3])
    expected, found, _ = expected_and_found(tmp_path, model, [x], [])
    assert np.allclose(found / 6, expected)


@pytest.mark.parametrize(
    ("attributes", "windows"),
    [
        ({"kernel_shape": [2], "strides": [3], "pads": [0, 2]}, 2),  # a third one would begin in the padding
        ({"kernel_shape": [3], "strides": [2], "pads": [0, 0]}, 3),  # the last one leaves the image
        ({"kernel_shape": [1], "strides": [4], "auto_pad": "SAME_UPPER"}, 2),
        ({"kernel_shape": [4], "strides": [3], "auto_pad": "VALID"}, 1),
    ],
)
def test_rounding_up_gives_no_window_that_begins_beside_the_image(tmp_path, attributes, windows):
    path = str(tmp_path / "model.onnx")
    onnx.save(model_of("MaxPool", [drawn((1, 2, 6))], **attributes, ceil_mode=1), path)
    assert read_node(path, "it").outputs[0].shape == (1, 2, windows)


def test_integer_convolution_pads_with_the_zero_point(tmp_path):
    x, w = drawn((1, 3, 6, 6), np.uint8), drawn((4, 3, 3, 3), np.int8)
    zero = np.array(5, np.uint8)
    model = model_of("ConvInteger", [x], [w, zero], TensorProto.INT32, pads=[1, 1, 1, 1])
    path = str(tmp_path / "model.onnx")
    onnx.save(model, path)
    (node,) = read_onnx(path).qualifying
    assert node.note == "zero points apart"
    assert node.operator.tensor("I").pad == 5
    core = interpret(node.operator, {"I": x, "W": w})["O"]
    corrected = core - 5 * w.astype(np.int32).sum((1, 2, 3)).reshape(1, -1, 1, 1)
    (expected,) = ReferenceEvaluator(model).run(None, {"x0": x})
    assert np.array_equal(corrected, expected)


def test_integer_matrix_product(tmp_path):
    a, b = drawn((3, 4), np.uint8), drawn((4, 5), np.int8)
    expected, found, op = expected_and_found(tmp_path, model_of("MatMulInteger", [a], [b], TensorProto.INT32), [a], [b])
    assert np.array_equal(found, expected)
    assert [t.dtype for t in op.tensors] == ["int32", "uint8", "int8"]


def qlinear():
    x = drawn((1, 2, 5, 5), np.uint8)
    scale, zero = np.array(0.5, FLOAT), np.array(3, np.uint8)
    constants = [scale, zero, drawn((4, 2, 3, 3), np.int8), scale, np.array(0, np.int8), scale, zero]
    return model_of("QLinearConv", [x], constants, TensorProto.UINT8, pads=[1, 1, 1, 1])


def test_a_quantised_convolution_is_its_integer_core(tmp_path):
    path = str(tmp_path / "model.onnx")
    onnx.save(qlinear(), path)
    (node,) = read_onnx(path).qualifying
    assert node.note == "integer core: zero points, bias, requantisation apart"
    assert str(node.operator) == (
        "conv2d: n<1 oc<4 oh<5 ow<5 ; c<2 kh<3 kw<3\n"
        "  O:int32[1, 4, 5, 5] I:uint8[1, 2, 5, 5] pad=3 W:int8[4, 2, 3, 3] const\n"
        "  O[n, oc, oh, ow] += I[n, c, oh+kh-1, ow+kw-1] * W[oc, c, kh, kw]"
    )


@pytest.fixture
def network(tmp_path):
    """Two convolutions, one without a name, and nodes that do not qualify."""
    weights = [numpy_helper.from_array(drawn((4, 3, 3, 3)), "w1"), numpy_helper.from_array(drawn((4, 4, 1, 1)), "w2")]
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["a"], name="stem"),
        helper.make_node("Relu", ["a"], ["b"], name="relu"),
        helper.make_node("Conv", ["b", "w2"], ["c"]),
        helper.make_node("ConvTranspose", ["c", "w1t"], ["d"], name="up", dilations=[2, 2]),
        helper.make_node("Conv", ["z", "w1"], ["e"], name="unknown"),
        helper.make_node("Add", ["i", "i"], ["f"], name="long"),
        helper.make_node("Conv", ["b", "w2"], ["g"], name="stem"),
    ]
    weights.append(numpy_helper.from_array(drawn((4, 2, 3, 3)), "w1t"))
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8]),
        helper.make_tensor_value_info("z", TensorProto.FLOAT, ["batch", 3, 8, 8]),
        helper.make_tensor_value_info("i", TensorProto.INT64, [4]),
    ]
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ("d", "e", "f", "g")]
    graph = helper.make_graph(nodes, "g", inputs, outputs, weights)
    path = str(tmp_path / "network.onnx")
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


def test_a_file_lists_every_node(network):
    file = read_onnx(network)
    assert [node.name for node in file.qualifying] == ["stem", "c", "stem.2"]
    assert [(o.name, o.kind) for o in file.others] == [
        ("relu", "Relu"),
        ("up", "ConvTranspose"),
        ("unknown", "Conv"),
        ("long", "Add"),
    ]
    reasons = [o.reason for o in file.others]
    assert reasons[0].startswith("this type of node has no operator; allowed: Conv, ConvInteger, QLinearConv")
    assert reasons[1] == "deconv2d: dilation of a transposed convolution: (2, 2); allowed: 1"
    assert reasons[2] == "the shape of 'z' is not known: [batch, 3, 8, 8]; try: fix the graph's input shapes"
    assert reasons[3].startswith("the element type of 'i': INT64; allowed: INT8, UINT8")


def test_specs(network, tmp_path):
    assert read_spec(f"{network}#stem") == read_onnx(network).qualifying[0].operator
    assert read_spec("gemm:m=2,n=3,k=4") == read_operator("gemm:m=2,n=3,k=4")
    assert read_specs(network) == read_onnx(network)
    assert [q.name for q in read_specs(f"{network}#c").qualifying] == ["c"]
    assert read_specs("gemm:m=2,n=3,k=4").qualifying[0].operator == read_operator("gemm:m=2,n=3,k=4")
    text = str(read_operator("gemm:m=2,n=3,k=4"))
    assert read_spec(f"{text}  # a comment") == read_operator(text)
    single = str(tmp_path / "single.onnx")
    onnx.save(qlinear(), single)
    assert read_spec(single) == read_spec(f"{single}#it")


def test_bad_nodes_are_refused(network):
    with pytest.raises(InputError) as caught:
        read_spec(f"{network}#sten")
    assert str(caught.value) == f"{network}: no such node: sten; allowed: stem, c, stem.2; try: stem"
    with pytest.raises(InputError) as caught:
        read_spec(f"{network}#up")
    assert str(caught.value).startswith(f"{network}#up: the node cannot be an operator (ConvTranspose): deconv2d: dil")
    with pytest.raises(InputError) as caught:
        read_spec(network)
    assert str(caught.value) == (
        f"{network}: 3 nodes qualify, one is needed; allowed: stem, c, stem.2; try: {network}#stem"
    )


@pytest.mark.parametrize("part", [0.0, 0.1, 0.3, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(network, tmp_path, part):
    whole = Path(network).read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(InputError) as caught:
        read_spec(f"{path}#stem")
    assert str(caught.value).startswith(f"{path}: not an ONNX file, or cut off: ")


@pytest.mark.parametrize("content", [b"", b"hello, world\n", b"\x89PNG\r\n\x1a\n" + bytes(100), b"PK\x03\x04" * 9])
def test_what_is_not_onnx_is_refused(tmp_path, content):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_onnx(str(path))
    assert str(caught.value).startswith(f"{path}: not an ONNX file, or cut off: ")


def test_a_missing_file_is_refused():
    with pytest.raises(InputError) as caught:
        read_spec("nowhere.onnx#it")
    assert str(caught.value) == "nowhere.onnx: no such file"


def test_a_graph_without_nodes_is_said_to_have_none(tmp_path):
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    path = tmp_path / "empty.onnx"
    onnx.save(helper.make_model(helper.make_graph([], "g", [value], [value])), path)
    with pytest.raises(InputError, match="the ONNX file's graph has no nodes"):
        read_onnx(str(path))


def test_a_folder_is_no_model(tmp_path):
    folder = tmp_path / "x.onnx"
    folder.mkdir()
    with pytest.raises(InputError, match=r"x\.onnx: it is a folder; allowed: an ONNX file"):
        read_onnx(str(folder))


def test_a_named_node_keeps_its_note(tmp_path):
    path = tmp_path / "pool.onnx"
    onnx.save(model_of("AveragePool", [drawn((1, 2, 6, 6))], kernel_shape=[2, 2]), path)
    (whole,), (named,) = read_specs(str(path)).qualifying, read_specs(f"{path}#it").qualifying
    assert whole == named
    assert named.note
