"""What several families read the same way: activations, heads, dropout."""

from __future__ import annotations

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.kinds import Activation

ACTIVATIONS = {
    "gelu": Activation.GELU,
    "gelu_new": Activation.GELU_TANH,
    "gelu_fast": Activation.GELU_TANH,
    "gelu_pytorch_tanh": Activation.GELU_TANH,
    "silu": Activation.SILU,
    "swish": Activation.SILU,
    "relu": Activation.RELU,
}


def activation(config: Config, *keys: str, default: str) -> Activation:
    """The activation under the first of the keys that is there."""
    return ACTIVATIONS[config.word(*keys, allowed=ACTIVATIONS, default=default)]


def heads(config: Config, hidden: int) -> tuple[int, int, int]:
    """Query heads, key heads and the width of a head, as Llama's relatives name them."""
    count = config.size("num_attention_heads")
    keys = config.size("num_key_value_heads", default=count)
    config.divided("num_attention_heads", count, "num_key_value_heads", keys)
    if config.has("head_dim"):
        return count, keys, config.size("head_dim")
    return count, keys, config.divided("hidden_size", hidden, "num_attention_heads", count)


def chosen_of(config: Config, key: str) -> tuple[int, int]:
    """Routed experts, and how many of them a token meets.

    Raises:
        InputError: if a token is to meet more than there are.
    """
    count, chosen = config.size(key), config.size("num_experts_per_tok")
    if chosen > count:
        raise config.refuse("more experts for a token than there are", "num_experts_per_tok", f"at most {count}")
    return count, chosen


def every_block(config: Config, step: str, exceptions: str) -> None:
    """Refuse experts in some blocks only.

    Raises:
        InputError: if ``step`` is not 1 or there are exceptions.
    """
    if config.size(step, default=1) != 1:
        raise config.refuse("experts in some blocks only", step, "1")
    if exceptions and config.has(exceptions) and not config.empty(exceptions):
        raise config.refuse("experts in some blocks only", exceptions, "[]")
