"""A study that takes a few seconds: 16 chips, a small model on four devices, two stages."""

from __future__ import annotations

from pathlib import Path

SPACE = """\
name = "small"
[budget]
area_mm2 = 120
[chips]
tensor_cores = [2, 4]
vector_cores = [1, 2]
width = [64, 128]
depth = 128
buffer_mib = [16, 32]
hbm_gib = 32
"""
STUDY = """\
title = "a <b>small</b> & quick one"
model = "gpt2"
cluster = "tpuv4x4"
global_batch = 8
sequence = 256
space = "SPACE"
front = "area"
audit = 2
workers = 1
baselines = ["tpuv4-like", "a100"]
[choose]
tensor = 1
pipeline = 2
microbatch = [1, 2]
context = 1
order = "1f1b"
zero = 1
sequence_parallel = 0
"""
GIVEN = """\
models = ["gpt2", "bert-base"]
cluster = "a100x4"
global_batch = 8
sequence = 128
workers = 1
baselines = []
[choose]
tensor = 1
pipeline = 1
"""


def written(folder: Path) -> Path:
    """The study's file with its space beside it."""
    (folder / "space.toml").write_text(SPACE)
    file = folder / "small.toml"
    file.write_text(STUDY.replace("SPACE", str(folder / "space.toml")))
    return file
