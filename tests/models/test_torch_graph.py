"""Does a PyTorch module become the graph that PyTorch itself runs, weights, operations and gradients?

The extra ``torch`` is not installed by default; these tests then say so and are skipped.
"""

from __future__ import annotations

import pytest

from intarsia.graph import Attention, FusedAttention, Recompute, Variant, check_model
from intarsia.ground import InputError
from intarsia.models import from_torch

torch = pytest.importorskip("torch", reason="the optional extra 'torch' is not installed: pip install -e '.[torch]'")
nn = torch.nn
FlopCounterMode = pytest.importorskip("torch.utils.flop_counter").FlopCounterMode

EAGER = Variant(1, 0, attention=Attention.EAGER)


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.norm1, self.norm2 = heads, nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        n, rows, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(n, rows, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        y = nn.functional.scaled_dot_product_attention(q, k, v)
        x = x + self.out(y.transpose(1, 2).reshape(n, rows, width))
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


class Language(nn.Module):
    """Tied weights, which a traced backward pass is known to lose products of."""

    def __init__(self):
        super().__init__()
        self.tokens, self.rows = nn.Embedding(100, 32), nn.Embedding(16, 32)
        self.blocks = nn.ModuleList([Block(32, 4) for _ in range(3)])
        self.norm, self.head = nn.LayerNorm(32), nn.Linear(32, 100, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, ids):
        x = self.tokens(ids) + self.rows(torch.arange(ids.shape[1], device=ids.device))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class Convnet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8)
        self.body, self.wide = nn.Conv2d(8, 8, 3, padding="same"), nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1)
        self.head = nn.Linear(4, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu_(self.norm(self.stem(x))), 2)
        return self.head(self.wide(x + self.body(x)).mean((2, 3)))


def counted(module, x):
    """Forward and backward operations as PyTorch counts them while it runs, attention by plain products."""
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        result = module(x)
        forward = counter.get_total_flops()
        result.sum().backward()
    return forward, counter.get_total_flops() - forward


@pytest.mark.parametrize(
    ("module", "example"),
    [(Language(), torch.zeros(1, 16, dtype=torch.long)), (Convnet(), torch.zeros(1, 3, 32, 32))],
    ids=["language", "convnet"],
)
def test_weights_and_operations_are_those_that_pytorch_runs(module, example):
    model = from_torch(module, example)
    layers = model.layers(EAGER)
    found = tuple(sum(x.repeat * getattr(x, f"{way}_flops") for x in layers) for way in ("forward", "backward"))
    assert found == counted(module, example)
    assert model.parameters == sum(weight.numel() for weight in module.parameters())
    assert model.notes == ()
    assert check_model(model, EAGER) == check_model(model, Variant(4, 0)) == ()


def test_blocks_are_folded_and_the_head_is_tied():
    layers = from_torch(Language(), torch.zeros(1, 16, dtype=torch.long)).layers(Variant(2, 0))
    assert [(layer.repeat, bool(layer.tied)) for layer in layers] == [(1, False), (3, False), (1, True)]
    works = [node.work for node in layers[1].forward]
    assert FusedAttention(8, 16, 16, 8, 8, 8, causal=False, products=2) in works
    assert layers[1].kept_bytes(Recompute.SELECTIVE) == 32 * 2 * 16 * 32


def test_meta_modules_are_not_filled():
    with torch.device("meta"):
        model = from_torch(nn.Linear(1 << 20, 1 << 20), torch.zeros(1, 1 << 20))
    assert model.parameters == (1 << 40) + (1 << 20)


def test_an_unknown_operation_is_said():
    model = from_torch(nn.LSTM(8, 8), torch.zeros(1, 5, 8))
    assert model.notes == ("lstm is not known: priced as memory traffic only (1 node)",)


def test_a_module_that_cannot_be_exported_is_refused():
    class Looks(nn.Module):
        def forward(self, x):
            return x + 1 if x.sum() > 0 else x

    with pytest.raises(InputError, match=r"^Looks: torch\.export cannot export the module: "):
        from_torch(Looks(), torch.zeros(3))
