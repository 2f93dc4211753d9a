"""Does the even split deal out every layer once, in order, whatever the chain?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from plans import EFFICIENCY, strategy_of

from intarsia.graph import Layer, Recompute
from intarsia.machines.clusters import read_cluster
from intarsia.models import read_model
from intarsia.place import Profile, even_split
from intarsia.place.even import block_kinds
from intarsia.place.profile import LayerProfile


def layer(repeat: int, *, block: bool) -> Layer:
    return Layer("layer", repeat, (), (), 0, 0, 0, 0, checkpointed=block)


def profile(layers: list[Layer]) -> Profile:
    found = tuple(LayerProfile(each, {}, {}) for each in layers)
    return Profile(strategy_of().variant, found, read_cluster("a100x8"), EFFICIENCY)


ENDS = st.lists(st.builds(layer, st.just(1), block=st.just(False)), max_size=2)
BLOCKS = st.lists(st.builds(layer, st.integers(1, 7), block=st.just(True)), min_size=1, max_size=4)


@given(ENDS, BLOCKS, ENDS, st.data())
def test_every_layer_is_dealt_out_once_in_order_and_evenly(
    before: list[Layer], blocks: list[Layer], after: list[Layer], data: st.DataObject
) -> None:
    layers = [*before, *blocks, *after]
    whole = sum(each.repeat for each in blocks)
    stages = data.draw(st.integers(1, whole))
    split = even_split(profile(layers), strategy_of(pipeline=stages, recompute=Recompute.FULL))
    assert split.recompute == (Recompute.FULL,) * stages
    dealt = [kind for row in split.counts for kind, count in enumerate(row) for _ in range(count)]
    assert dealt == [kind for kind, each in enumerate(layers) for _ in range(each.repeat)]
    kinds = block_kinds(tuple(layers))
    sizes = [sum(row[kind] for kind in kinds) for row in split.counts]
    assert sum(sizes) == whole
    assert max(sizes) - min(sizes) <= 1
    more = [stage for stage, size in enumerate(sizes) if size > min(sizes)]
    assert not more or {0, stages - 1} - set(more) or len(more) >= stages - 1


def test_a_single_dense_block_is_dealt_out_with_the_others() -> None:
    model = read_model("deepseek-v3")
    layers = model.layers(strategy_of(sequence=4096).variant)
    assert [layers[kind].repeat for kind in block_kinds(layers)] == [3, 58]
    alone = (layers[0], layer(1, block=True), layer(59, block=True), layers[-1])
    assert block_kinds(alone) == range(1, 3)
