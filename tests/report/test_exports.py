"""Launch files of training frameworks, whole texts for plans that need their every form."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from plans import planned, strategy_of

from intarsia.graph import Attention, Dtype, Recompute
from intarsia.ground import InputError
from intarsia.machines.clusters import read_cluster
from intarsia.models import read_model
from intarsia.place import Pipeline, Split, Strategy
from intarsia.report import Launch, deepspeed_json, megatron_script, torchtitan_toml

GPT3 = strategy_of(
    tensor=8, pipeline=16, data=8, global_batch=1536, sequence=2048, interleave=3, sequence_parallel=True
)
LLAMA = strategy_of(tensor=4, pipeline=3, data=2, global_batch=16, sequence=8192, sequence_parallel=True, zero=3)
LLAMA_SPLIT = Split(((1, 12, 0, 0), (0, 11, 0, 0), (0, 9, 1, 1)), (Recompute.FULL, Recompute.NONE, Recompute.NONE))
DEEPSEEK = strategy_of(
    tensor=2, pipeline=4, data=8, context=2, expert=16, global_batch=64, sequence=4096, sequence_parallel=True,
    dtype=Dtype.FP8, order=Pipeline.ZERO_BUBBLE, recompute=Recompute.SELECTIVE, gradient_bytes=2,
)  # fmt: skip
CASES = {
    "gpt3": ("gpt3-175b", "a100x1024", GPT3, None),
    "llama": ("llama3-8b", "a100x24", LLAMA, LLAMA_SPLIT),
    "deepseek": ("deepseek-v3", "h100x128", DEEPSEEK, None),
    "one-device": ("gpt2-xl", "a100x1", strategy_of(attention=Attention.EAGER, zero=0, dtype=Dtype.FP16), None),
}


def launch_of(name: str, cluster: str, strategy: Strategy, split: Split | None = None) -> Launch:
    model = read_model(name)
    plan, _ = planned(model, cluster, strategy, split=split)
    return Launch(replace(plan, seconds=2.5, interval=(2.0, 3.0)), model, read_cluster(cluster))


@pytest.mark.parametrize("case", CASES)
def test_megatron(case: str, tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    text = megatron_script(launch_of(*CASES[case])).text
    golden(f"megatron-{case}", text)
    script = tmp_path / "megatron.sh"
    script.write_text(text)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


@pytest.mark.parametrize("case", CASES)
def test_torchtitan(case: str, golden: Callable[[str, str], None]) -> None:
    launch = launch_of(*CASES[case])
    text = torchtitan_toml(launch).text
    golden(f"torchtitan-{case}", text)
    table = tomllib.loads(text)["parallelism"]
    parts = table.get("module_fqns_per_model_part", [])
    if parts:
        layers = [name for part in parts for name in part if name.startswith("layers.")]
        assert layers == [f"layers.{i}" for i in range(sum(launch.blocks))]
        assert len(parts) == launch.plan.strategy.pipeline * launch.plan.strategy.interleave


@pytest.mark.parametrize("case", CASES)
def test_deepspeed(case: str, golden: Callable[[str, str], None]) -> None:
    export = deepspeed_json(launch_of(*CASES[case]))
    golden(f"deepspeed-{case}", export.text + "".join(f"- {note}\n" for note in export.notes))
    config = json.loads(export.text)
    strategy = CASES[case][2]
    micro, steps = config["train_micro_batch_size_per_gpu"], config["gradient_accumulation_steps"]
    assert config["train_batch_size"] == micro * steps * strategy.data


@pytest.mark.parametrize(
    ("counts", "argument"),
    [
        (((1, 8, 0, 0), (0, 8, 0, 0), (0, 8, 0, 0), (0, 8, 1, 1)), ""),
        (((1, 7, 0, 0), (0, 9, 0, 0), (0, 9, 0, 0), (0, 7, 1, 1)), "--decoder-first-pipeline-num-layers 7"),
        (((1, 9, 0, 0), (0, 8, 0, 0), (0, 9, 0, 0), (0, 6, 1, 1)), '"Et*9|t*8|t*9|t*6L"'),
        (((1, 0, 0, 0), (0, 15, 0, 0), (0, 16, 0, 0), (0, 1, 1, 1)), '"E|t*15|t*16|tL"'),
        (((1, 10, 0, 0), (0, 11, 0, 0), (0, 11, 0, 0), (0, 0, 1, 1)), '"Et*10|t*11|t*11|L"'),
    ],
)
def test_stages_of_megatron(counts: tuple[tuple[int, ...], ...], argument: str) -> None:
    strategy = strategy_of(pipeline=4, tensor=2, sequence=4096)
    text = megatron_script(launch_of("llama3-8b", "a100x8", strategy, Split(counts, (Recompute.NONE,) * 4))).text
    if argument:
        assert argument in text
    else:
        assert "layout" not in text
        assert "decoder" not in text


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("bert-large", "tokens see those behind them, norms behind the branches, an embedding of its own kind"),
        ("bloom-176b", "positions by ALiBi, an embedding of its own kind"),
        ("gpt-neox-20b", "attention and feed-forward side by side"),
    ],
)
def test_models_that_megatron_cannot_be(name: str, reasons: str) -> None:
    sequence = read_model(name).sequence
    with pytest.raises(InputError) as raised:
        megatron_script(launch_of(name, "a100x1", strategy_of(sequence=sequence)))
    assert str(raised.value) == f"{name}: Megatron-LM's GPT cannot be this model: {reasons}"
