"""Which nodes of a file are quantised operators, what they are made of, and why the others are none."""

import numpy as np
import onnx
import pytest
from int8_nodes import case
from onnx import TensorProto, helper, numpy_helper

from intarsia.ground import InputError
from intarsia.models import read_node, read_quantised
from intarsia.operators import evaluate_quantised

F, U, I8 = np.float32, np.uint8, np.int8


def convolution(**more):
    """Arrays of a QLinearConv with a scale for each of two channels."""
    given = {
        "x": np.arange(32, dtype=U).reshape(1, 2, 4, 4),
        "x_scale": np.array(0.5, F),
        "x_zero_point": np.array(3, U),
        "w": np.arange(36, dtype=I8).reshape(2, 2, 3, 3),
        "w_scale": np.array([0.5, 0.25], F),
        "w_zero_point": np.array([0, 0], I8),
        "y_scale": np.array(8, F),
        "y_zero_point": np.array(7, U),
    }
    return {name: array for name, array in (given | more).items() if array is not None}


def product(**more):
    """Arrays of a QLinearMatMul."""
    given = {
        "a": np.ones((2, 3, 4), U),
        "a_scale": np.array(0.5, F),
        "a_zero_point": np.array(0, U),
        "b": np.ones((4, 5), I8),
        "b_scale": np.array(0.5, F),
        "b_zero_point": np.array(0, I8),
        "y_scale": np.array(1, F),
        "y_zero_point": np.array(0, U),
    }
    return given | more


def saved(tmp_path, made):
    path = str(tmp_path / "model.onnx")
    onnx.save(made.model, path)
    return path


def only(tmp_path, made):
    file = read_quantised(saved(tmp_path, made))
    assert file.others == ()
    (node,) = file.nodes
    return node


def reason(tmp_path, made):
    (other,) = read_quantised(saved(tmp_path, made)).others
    return other.reason


def test_a_convolution_has_one_scale_and_no_zero_point_that_is_zero(tmp_path):
    node = only(tmp_path, case("QLinearConv", convolution(), {"pads": [1, 1, 1, 1]}))
    assert (node.name, node.kind, node.output, node.feeds) == ("it", "QLinearConv", "y", (("I", "x"),))
    assert str(node.quantised).splitlines()[1:] == [
        "  O:int32[1, 2, 4, 4] I:uint8[1, 2, 4, 4] pad=3 W:int8[2, 2, 3, 3] const",
        "  O[n, oc, oh, ow] += I[n, c, oh+kh-1, ow+kw-1] * W[oc, c, kh, kw]",
        "  result O:uint8[1, 2, 4, 4] " + " ".join(map(str, node.quantised.parameters)),
    ]
    assert [str(t) for t in node.quantised.parameters] == [
        "I_zero:uint8[1, 1, 1, 1] const",
        "scale:float32[1, 2, 1, 1] const",
        "zero:uint8[1, 1, 1, 1] const",
    ]
    assert {name: array.reshape(-1).tolist() for name, array in node.constants.items() if name != "W"} == {
        "I_zero": [3],
        "scale": [0.03125, 0.015625],
        "zero": [7],
    }


def test_the_scale_is_multiplied_before_it_is_divided(tmp_path):
    """In float32, in this order: another one gives another last bit here."""
    x, w, y = (np.array(v, F) for v in (0.1, 0.7, 0.3))
    node = only(tmp_path, case("QLinearConv", convolution(x_scale=x, w_scale=w, y_scale=y), {}))
    assert node.constants["scale"].item() == ((x * w) / y).item() != (x * (w / y)).item()


def test_a_zero_point_that_is_not_known_is_fed(tmp_path):
    arrays = {"A": np.ones((3, 4), U), "B": np.ones((4, 2), I8), "a_zero_point": np.array(2, U)}
    found = case("MatMulInteger", arrays, {}, fed=("a_zero_point",))
    node = only(tmp_path, found)
    assert node.feeds == (("A", "A"), ("A_zero", "a_zero_point"))
    assert not node.quantised.left_zero.constant
    inputs = node.inputs(found.inputs)
    assert inputs["A_zero"].shape == (1, 1)
    assert evaluate_quantised(node.quantised, inputs).tolist() == [[-4, -4]] * 3


def test_rows_of_the_left_operand_may_have_zero_points(tmp_path):
    """As ONNX's text has it; its evaluator takes a vector for one along what is summed."""
    arrays = {"A": np.full((3, 4), 9, U), "B": np.ones((4, 2), I8), "a_zero_point": np.array([1, 2, 3], U)}
    node = only(tmp_path, case("MatMulInteger", arrays, {}))
    assert node.quantised.left_zero.shape == (3, 1)
    found = evaluate_quantised(node.quantised, node.inputs({"A": arrays["A"]}))
    assert found.tolist() == [[32, 32], [28, 28], [24, 24]]


@pytest.mark.parametrize(
    ("a", "b", "scale", "shape"),
    [
        ((3, 4), (4, 5), (5,), (1, 5)),
        ((2, 3, 4), (4, 5), (5,), (1, 1, 5)),
        ((2, 3, 4), (2, 4, 5), (2, 1, 5), (2, 1, 5)),
        ((3, 4), (2, 4, 5), (5,), (1, 1, 5)),
        ((4,), (4, 5), (5,), (5,)),
        ((4,), (2, 4, 5), (2, 1, 5), (2, 5)),
        ((3, 4), (4,), (), (1,)),
    ],
)
def test_scales_of_columns_lie_along_the_columns_of_the_result(tmp_path, a, b, scale, shape):
    arrays = product(a=np.ones(a, U), b=np.ones(b, I8), b_scale=np.ones(scale, F), b_zero_point=np.zeros(scale, I8))
    node = only(tmp_path, case("QLinearMatMul", arrays, {}))
    assert node.quantised.scale.shape == shape
    (core,) = read_node(saved(tmp_path, case("QLinearMatMul", arrays, {})), "it").outputs
    assert core.shape == node.quantised.result.shape


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (convolution(x_zero_point=np.array([1, 2], U)), "the shape of 'x_zero_point': [2]; allowed: one value"),
        (convolution(w_scale=np.ones(3, F)), "the shape of 'w_scale': [3]; allowed: one value, 2, or what"),
        (convolution(y_scale=np.array(0, F)), "the scale of the factors over that of the result is not finite"),
        (
            convolution(x_scale=np.array(1, np.float64)),
            "the element type of 'x_scale': DOUBLE; allowed: FLOAT, FLOAT16, BFLOAT16",
        ),
        (convolution(x=np.ones((1, 2, 4, 4), np.int16)), "conv2d: it cannot be quantised: "),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, made, why):
    assert reason(tmp_path, case("QLinearConv", made, {})).startswith(why)


def test_a_scale_that_is_not_known_is_said(tmp_path):
    made = case("QLinearConv", convolution(), {}, fed=("y_scale",))
    assert reason(tmp_path, made) == "'y_scale' is not constant"


def test_other_nodes_are_listed(tmp_path):
    relu = helper.make_node("Relu", ["x"], ["y"], name="r")
    infos = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [2]) for n in "xy"]
    path = str(tmp_path / "model.onnx")
    onnx.save(helper.make_model(helper.make_graph([relu], "g", infos[:1], infos[1:])), path)
    (other,) = read_quantised(path).others
    assert (other.name, other.kind) == ("r", "Relu")
    assert other.reason == (
        "this type of node is no quantised operator; allowed: QLinearConv, ConvInteger, QLinearMatMul, MatMulInteger"
    )


def test_weights_may_lie_beside_the_file(tmp_path):
    made = case("QLinearConv", convolution(), {})
    path = tmp_path / "model.onnx"
    onnx.save(made.model, str(path), save_as_external_data=True, location="weights", size_threshold=0)
    (node,) = read_quantised(str(path)).nodes
    assert np.array_equal(node.constants["W"], made.arrays["w"])
    (tmp_path / "weights").unlink()
    with pytest.raises(InputError, match="its external weights cannot be read"):
        read_quantised(str(path))


def test_constants_are_not_what_the_file_shares(tmp_path):
    """Arrays of the record have the shapes of its inputs, whatever ONNX's were."""
    node = only(tmp_path, case("QLinearConv", convolution(B=np.array([5, 6], np.int32)), {}))
    shapes = {t.name: t.shape for t in node.quantised.inputs}
    assert all(array.shape == shapes[name] for name, array in node.constants.items())
    assert node.constants["bias"].tolist() == [[[[5]], [[6]]]]
    assert numpy_helper.to_array(numpy_helper.from_array(node.constants["W"])).dtype == I8
