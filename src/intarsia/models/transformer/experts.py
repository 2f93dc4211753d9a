"""Routed experts, as Megatron-LM's all-to-all dispatcher runs them.

The router is taken as balanced: every expert gets tokens × chosen ÷ count. Each rank permutes its tokens by expert,
sends them to the ranks that hold those experts, and gets the results back the same way. Experts are cut over the tensor
group like a plain feed-forward part: under sequence parallelism a rank dispatches its own part of the tokens, and the
tokens that arrive are gathered over the tensor group before the experts and scattered after; without it every tensor
rank dispatches all tokens and results are reduced at the end. The router's weight of a token is applied by the
activation's kernel.
"""

from __future__ import annotations

from intarsia.graph import Collective, Contraction, Elementwise, Group, Lookup, Pattern, met_experts
from intarsia.models.transformer.feed import activation, feed_backward, feed_forward
from intarsia.models.transformer.kinds import Experts
from intarsia.models.transformer.linear import reduce, weight_gradient, whole_backward, whole_forward
from intarsia.models.transformer.passes import Pass
from intarsia.models.transformer.share import Share


def experts_forward(p: Pass, share: Share, experts: Experts) -> None:
    """From normalised tokens to a branch's result."""
    begin = p.at
    hidden = share.model.hidden
    whole_forward(p, share, "router", tokens=share.thin, n=experts.count, k=hidden, kept=2 * share.thin * hidden)
    p.then("choice", _choice(share, experts), kept=4 * share.thin * experts.count)
    _move(p, share, experts, "permute")
    _exchange(p, share, experts, "dispatch")
    _sort(p, share, experts, "sort")
    _gather(p, share, experts, "experts.gather")
    local, rows, inner, up = _sizes(share, experts)
    count = local * rows * inner
    kept = 2 * local * rows * hidden
    p.then("experts-up", Contraction(local, rows, up * inner, hidden, share.operand_bytes), kept=kept)
    p.then("experts-activation", activation(share, count, weighted=True), kept=2 * up * count)
    p.then("experts-down", Contraction(local, rows, hidden, inner, share.operand_bytes), kept=2 * count)
    _scatter(p, share, experts, "experts.scatter")
    _sort(p, share, experts, "unsort")
    _exchange(p, share, experts, "combine")
    _merge(p, share, experts, "unpermute")
    _reduce_whole(p, share, "experts.reduce")
    if experts.shared_ffn:
        routed = p.at
        p.at = begin
        feed_forward(p, share, experts.shared_ffn // share.tensor, prefix="shared-", kept=0)
        _join(p, share, "experts-join", (*routed, *p.at))


def experts_backward(p: Pass, share: Share, experts: Experts) -> None:
    """From a branch's gradient to that of its normalised tokens."""
    begin = p.at
    hidden = share.model.hidden
    local, rows, inner, up = _sizes(share, experts)
    _move(p, share, experts, "unpermute.back")
    _exchange(p, share, experts, "combine.back")
    _sort(p, share, experts, "unsort.back")
    _gather(p, share, experts, "experts.gather-gradient")
    gradient = p.at
    p.then("experts-down.input", Contraction(local, rows, inner, hidden, share.operand_bytes))
    p.beside("experts-down.weight", weight_gradient(share, hidden, inner, rows, local), needs=gradient)
    p.then("experts-activation.back", activation(share, local * rows * inner, backward=True, weighted=True))
    gradient = p.at
    p.then("experts-up.input", Contraction(local, rows, hidden, up * inner, share.operand_bytes))
    p.beside("experts-up.weight", weight_gradient(share, up * inner, hidden, rows, local), needs=gradient)
    _scatter(p, share, experts, "experts.scatter-gradient")
    _sort(p, share, experts, "sort.back")
    _exchange(p, share, experts, "dispatch.back")
    _merge(p, share, experts, "permute.back")
    _reduce_whole(p, share, "experts.reduce-gradient")
    ends = p.at
    p.at = gradient
    p.then("choice.back", _choice(share, experts, backward=True))
    whole_backward(p, share, "router", tokens=share.thin, n=experts.count, k=hidden)
    _join(p, share, "router-join", (*ends, *p.at), backward=True)
    if experts.shared_ffn:
        routed = p.at
        p.at = begin
        feed_backward(p, share, experts.shared_ffn // share.tensor, prefix="shared-")
        _join(p, share, "experts-join", (*routed, *p.at), backward=True)


def missed_experts(experts: Experts, tokens: int, expert: int) -> float:
    """The chance that an expert is met by no token.

    Of n experts each token meets c, any c with the same chance and independent of other tokens; so t tokens all miss an
    expert with the chance (1 − c/n)^t, and of the n/e experts of a rank (n/e)·(1 − (1 − c/n)^t) are met on the average.

    Args:
        experts: n and c.
        tokens: of one rank; t is that of all ranks that share the experts.
        expert: e, those ranks.
    """
    return float((1 - experts.chosen / experts.count) ** (tokens * expert))


def _sizes(share: Share, experts: Experts) -> tuple[int, int, int, int]:
    """Experts that this rank reads, tokens of each, inner width on this rank, and products up."""
    local = experts.count // share.expert
    rows = -(-share.tokens * experts.chosen * share.expert // experts.count)
    if share.phase:
        local = met_experts(local, missed_experts(experts, share.tokens, share.expert))
        rows = -(-share.tokens * experts.chosen // local)
    return local, rows, experts.ffn // share.tensor, 2 if share.model.gated else 1


def _choice(share: Share, experts: Experts, *, backward: bool = False) -> Elementwise:
    """Softmax or sigmoid and the choice of the largest, in 4 bytes."""
    count = share.thin * experts.count
    names = ("multiply", "add") if backward else ("exp", "add", "divide", "compare")
    return Elementwise(tuple((name, count) for name in names), 4 * count, 4 * count, backward)


def _move(p: Pass, share: Share, experts: Experts, name: str) -> None:
    """Tokens copied to one place for each expert chosen."""
    rows, width = share.thin * experts.chosen, share.model.hidden
    p.then(name, Lookup(rows, width, 2 * rows * width, 2 * rows * width))


def _merge(p: Pass, share: Share, experts: Experts, name: str) -> None:
    """The copies of a token added up."""
    rows, width = share.thin * experts.chosen, share.model.hidden
    p.then(name, Lookup(rows, width, 2 * rows * width, 2 * share.thin * width))


def _exchange(p: Pass, share: Share, experts: Experts, name: str) -> None:
    if share.expert > 1:
        size = 2 * share.thin * experts.chosen * share.model.hidden
        p.then(name, Collective(Pattern.ALL_TO_ALL, Group.EXPERT, size))


def _sort(p: Pass, share: Share, experts: Experts, name: str) -> None:
    """What came from several ranks, put together by expert."""
    if share.expert > 1 and experts.count > share.expert:
        rows, width = share.thin * experts.chosen, share.model.hidden
        p.then(name, Lookup(rows, width, 2 * rows * width, 2 * rows * width))


def _gather(p: Pass, share: Share, experts: Experts, name: str) -> None:
    if share.scattered:
        size = 2 * share.tokens * experts.chosen * share.model.hidden
        p.then(name, Collective(Pattern.ALL_GATHER, Group.TENSOR, size))


def _scatter(p: Pass, share: Share, experts: Experts, name: str) -> None:
    if share.scattered:
        size = 2 * share.tokens * experts.chosen * share.model.hidden
        p.then(name, Collective(Pattern.REDUCE_SCATTER, Group.TENSOR, size))


def _reduce_whole(p: Pass, share: Share, name: str) -> None:
    if not share.scattered:
        reduce(p, share, name, share.model.hidden)


def _join(p: Pass, share: Share, name: str, needs: tuple[str, ...], *, backward: bool = False) -> None:
    count = share.thin * share.model.hidden
    p.then(name, Elementwise((("add", count),), 4 * count, 2 * count, backward), needs=needs)
