import pytest

from intarsia.operators import read_operator, row, rows, unique


@pytest.mark.parametrize(
    ("kind", "which", "all_rows", "different"),
    [
        ("conv", "inference", 124, 104),
        ("conv", "inference_device", 17, 16),
        ("conv", "training", 94, 90),
        ("gemm", "inference", 88, 84),
        ("gemm", "training", 160, 160),
    ],
)
def test_rows_and_equal_rows(kind, which, all_rows, different):
    table = rows(kind, which)
    folded = unique(table)
    assert len(table) == all_rows
    assert len(folded) == different
    assert sum(count for _, count in folded) == all_rows
    assert [r for r in table if any(r is first for first, _ in folded)] == [first for first, _ in folded]


def test_names_lead_back_to_rows():
    for one in (*rows("conv", "inference_device"), *rows("gemm", "inference_device")):
        assert row(one.name) == one
        assert read_operator(f"deepbench:{one.name}") == one.operator


def test_widths_and_heights_are_not_exchanged():
    first = row("conv/inference_server/0").operator
    assert str(first) == (
        "conv2d: n<1 oc<32 oh<79 ow<341 ; c<1 kh<5 kw<20\n"
        "  O:int32[1, 32, 79, 341] I:int8[1, 1, 161, 700] W:int8[32, 1, 5, 20] const\n"
        "  O[n, oc, oh, ow] += I[n, c, 2*oh+kh, 2*ow+kw] * W[oc, c, kh, kw]"
    )


def test_transposed_products():
    transposed = [r for r in rows("gemm", "training") if r.operator.tensor("A").shape[0] == r.operator.axis("k").extent]
    assert any("A[k, m]" in str(r.operator) for r in transposed)


def test_element_types_may_be_chosen():
    op = row("gemm/inference_device/0", ("uint8", "int8", "int32")).operator
    assert [t.dtype for t in op.tensors] == ["int32", "int8", "uint8"]
