"""Does an ONNX file become the right chain of layers, and is what is not understood said?"""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from intarsia.graph import Attention, Elementwise, Recompute, Variant, check_model
from intarsia.ground import InputError
from intarsia.models import read_model

ONE = Variant(1, 0)


def weight(name, *shape):
    return numpy_helper.from_array(np.zeros(shape, np.float32), name)


def whole(name, values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def node(kind, inputs, output, **attributes):
    domain = {"domain": attributes.pop("domain")} if "domain" in attributes else {}
    return helper.make_node(kind, inputs.split(), [output], name=attributes.pop("name", output), **domain, **attributes)


def saved(tmp_path, nodes, weights, shape=("batch", 3, 16, 16), dtype=TensorProto.FLOAT):
    given = helper.make_tensor_value_info("x", dtype, shape)
    made = helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "g", [given], [made], weights)
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("mine", 1)]
    file = tmp_path / "net.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), file)
    return str(file)


CONVNET = (
    [
        node("Conv", "x w0 b0", "c", name="/stem/Conv", pads=[1, 1, 1, 1], strides=[2, 2]),
        node("BatchNormalization", "c s b m v", "n", name="/stem/BatchNormalization"),
        node("Relu", "n", "r", name="/stem/Relu"),
        node("Conv", "r w1", "d", name="/body/Conv", pads=[1, 1, 1, 1], group=8),
        node("Add", "d r", "a", name="/body/Add"),
        node("GlobalAveragePool", "a", "p", name="/head/Pool"),
        node("Flatten", "p", "f", name="/head/Flatten"),
        node("Gemm", "f w2 b2", "y", name="/head/Gemm", transB=1),
    ],
    [
        *(weight("w0", 8, 3, 3, 3), weight("b0", 8), *(weight(x, 8) for x in "sbmv")),
        *(weight("w1", 8, 1, 3, 3), weight("w2", 5, 8), weight("b2", 5)),
    ],
)


def test_a_network_becomes_layers_with_a_free_batch(tmp_path):
    model = read_model(saved(tmp_path, *CONVNET))
    assert check_model(model, Variant(4, 0)) == ()
    layers = model.layers(Variant(4, 0))
    assert [layer.name for layer in layers] == ["stem", "body", "head"]
    assert [layer.parameters for layer in layers] == [8 * 27 + 8 + 16, 72, 45]
    assert model.parameters == 357  # without the running statistics
    assert [layer.forward_flops for layer in layers] == [2 * 4 * 64 * n for n in (8 * 27, 8 * 9)] + [2 * 4 * 40]
    assert layers[1].input_bytes == layers[1].output_bytes == 2 * 4 * 8 * 64
    assert [node.name for node in layers[0].forward] == ["Conv", "BatchNormalization+Relu"]
    assert layers[0].forward[0].work.spec == "conv2d:n=4,c=3,h=16,w=16,k=8,r=3,s=3,stride=2,pad=1"
    assert model.notes == ("the loss is not in the graph: the gradient of its first output is taken as given",)


def test_a_fixed_batch_is_one_sample_and_said(tmp_path):
    free, fixed = (read_model(saved(tmp_path, *CONVNET, shape=(n, 3, 16, 16))) for n in ("batch", 2))
    assert fixed.flops(0) == 2 * free.flops(0)
    assert fixed.notes[0] == "the file fixes the first extent of an input at 2: a microbatch of 1 is all of it"


def test_attention_with_computed_shapes_is_read(tmp_path):
    """Exporters compute the shapes of heads in the graph, where inference alone does not follow."""
    split = [
        node("Shape", "x", "shape"),
        node("Gather", "shape zero", "rows", axis=0),
        node("Gather", "shape two", "wide", axis=0),
        node("Div", "wide heads", "width"),
        node("Unsqueeze", "rows first", "rows1"),
        node("Unsqueeze", "width first", "width1"),
        node("Concat", "rows1 six four width1", "heads4", axis=0),
    ]
    parts = []
    for x in "qkv":
        parts += [node("MatMul", f"x w{x}", f"{x}0"), node("Reshape", f"{x}0 heads4", f"{x}1")]
        parts += [node("Transpose", f"{x}1", x, perm=[0, 2, 3, 1] if x == "k" else [0, 2, 1, 3])]
    core = [
        node("MatMul", "q k", "scores"),
        node("Div", "scores root", "scaled"),
        node("Softmax", "scaled", "soft", axis=-1),
        node("MatMul", "soft v", "values"),
        node("Transpose", "values", "back", perm=[0, 2, 1, 3]),
        node("Reshape", "back whole", "joined"),
        node("MatMul", "joined wo", "y"),
    ]
    numbers = [whole("first", [0]), whole("six", [6]), whole("four", [4]), whole("whole", [0, 6, 8])]
    numbers += [whole("zero", 0), whole("two", 2), whole("heads", 4)]
    numbers += [numpy_helper.from_array(np.array(1.4, np.float32), "root")]
    weights = [weight(f"w{x}", 8, 8) for x in "qkvo"]
    model = read_model(saved(tmp_path, split + parts + core, weights + numbers, shape=("batch", 6, 8)))
    layers = model.layers(Variant(2, 0))
    nodes = [node for layer in layers for node in layer.forward]
    assert sum(layer.forward_flops for layer in layers) == 2 * 2 * (4 * 6 * 8 * 8 + 2 * 6 * 6 * 8)
    assert model.parameters == 4 * 64
    assert [node.name for node in nodes if node.core] == ["scores", "scaled", "soft", "values"]
    assert check_model(model, ONE) == ()


def test_an_embedding_that_is_also_the_head_is_tied(tmp_path):
    nodes = [
        node("Gather", "table x", "rows"),
        node("MatMul", "rows w", "body"),
        node("Transpose", "table", "turned", perm=[1, 0]),
        node("MatMul", "body turned", "y"),
    ]
    model = read_model(saved(tmp_path, nodes, [weight("table", 50, 8), weight("w", 8, 8)], ("b", 4), TensorProto.INT64))
    assert model.parameters == 50 * 8 + 64
    assert [(x.name, x.tied) for x in model.layers(ONE)] == [("rows", ""), ("body", ""), ("y", "rows")]
    assert check_model(model, ONE) == ()


def test_literals_and_masks_are_no_weights(tmp_path):
    literal = helper.make_node("Constant", [], ["half"], name="half", value=weight("half", 8))
    nodes = [literal, node("MatMul", "x w", "a"), node("Add", "a half", "b"), node("Where", "mask b half", "y")]
    mask = numpy_helper.from_array(np.ones(8, np.bool_), "mask")
    model = read_model(saved(tmp_path, nodes, [weight("w", 8, 8), mask], ("batch", 8)))
    assert model.parameters == 64
    assert check_model(model, ONE) == ()


def test_large_weights_are_not_copied(tmp_path):
    nodes = [node("MatMul", "x w", "y")]
    model = read_model(saved(tmp_path, nodes, [weight("w", 1024, 1024)], ("batch", 1024)))
    assert (model.parameters, model.layers(ONE)[0].forward_flops) == (1 << 20, 1 << 21)


def test_an_unknown_node_is_memory_traffic_and_said(tmp_path):
    nodes = [
        node("MatMul", "x w0", "a"),
        node("Wavelet", "a", "u", domain="mine"),
        node("MatMul", "u w1", "y"),
    ]
    model = read_model(saved(tmp_path, nodes, [weight("w0", 8, 4), weight("w1", 4, 8)], ("batch", 8)))
    assert model.notes[0] == "mine.Wavelet is not known: priced as memory traffic only (1 node)"
    assert model.notes[2] == "the result of u is taken to have its input's shape"
    layers = model.layers(Variant(3, 0))
    work = next(node.work for layer in layers for node in layer.forward if node.name == "u")
    assert work == Elementwise((), 2 * 3 * 4, 2 * 3 * 4)
    assert check_model(model, ONE) == ()


def test_a_transposed_convolution_has_the_gradients_of_one(tmp_path):
    nodes = [
        node("Conv", "x w0", "a", kernel_shape=[1, 1]),
        node("ConvTranspose", "a w1", "y", strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]),
    ]
    model = read_model(saved(tmp_path, nodes, [weight("w0", 4, 3, 1, 1), weight("w1", 4, 6, 3, 3)]))
    layers = model.layers(ONE)
    assert layers[1].output_bytes == 2 * 6 * 32 * 32
    assert layers[1].forward_flops == 2 * 16 * 16 * 4 * 6 * 9
    assert layers[1].backward_flops == 2 * layers[1].forward_flops


def test_eager_attention_and_recomputation_are_the_graphs_own(tmp_path):
    model = read_model(saved(tmp_path, *CONVNET))
    eager, flash = (model.layers(Variant(1, 0, attention=a)) for a in Attention)
    assert eager == flash
    assert all(x.kept_bytes(Recompute.NONE) == x.kept_bytes(Recompute.SELECTIVE) for x in eager)


def test_a_free_extent_that_is_not_the_batch_is_refused(tmp_path):
    path = saved(tmp_path, *CONVNET, shape=("batch", 3, "height", 16))
    with pytest.raises(InputError) as error:
        read_model(path)
    assert str(error.value) == (
        f"{path}: extent 2 of input 'x' is not fixed: height; allowed: a free first extent, which is the batch; "
        "try: export with a number for height, or set it with onnx.tools.update_model_dims"
    )


@pytest.mark.parametrize("content", [b"", b"no model at all", b"\x08\x07\x12\x07pytorch\x3a\xff\x7f"])
def test_what_is_no_onnx_file_is_refused(tmp_path, content):
    file = tmp_path / "net.onnx"
    file.write_bytes(content)
    with pytest.raises(InputError, match="not an ONNX file, or cut off"):
        read_model(str(file))
    with pytest.raises(InputError, match="no such file"):
        read_model(str(tmp_path / "none.onnx"))
