"""Studies that serve and take a few seconds: 16 chips, a small model on four devices."""

from __future__ import annotations

from pathlib import Path

SPACE = """\
name = "small"
[budget]
area_mm2 = 120
watts = 150
[chips]
tensor_cores = [2, 4]
vector_cores = [1, 2]
width = [64, 128]
depth = 128
buffer_mib = [16, 32]
hbm_gib = 16
"""
SERVING = """\
title = "a <b>small</b> one that serves"
model = "gpt2"
cluster = "tpuv4x4"
space = "SPACE"
audit = 2
seed = 1
workers = 1
baselines = ["tpuv4-like", "a100"]
[serving]
prompt = 64
output = 9
ttft = 0.5
tpot = 0.003
[choose]
tensor = [1, 2]
pipeline = [1, 2]
prompts = [1, 8]
"""
GIVEN = """\
model = "gpt2"
cluster = "a100x4"
chip = "h100"
workers = 1
baselines = []
[serving]
prompt = 64
output = 9
"""


def written(folder: Path) -> Path:
    """The study's file with its space beside it."""
    (folder / "space.toml").write_text(SPACE)
    file = folder / "serving.toml"
    file.write_text(SERVING.replace("SPACE", str(folder / "space.toml")))
    return file
