"""Answers as files for other programs: launch files of training frameworks, traces."""

from intarsia.report.deepspeed import deepspeed_json
from intarsia.report.export import Export, Launch
from intarsia.report.megatron import megatron_script
from intarsia.report.outputs import Outputs, write_outputs
from intarsia.report.pipeline_trace import trace_text
from intarsia.report.study_folder import write_study
from intarsia.report.torchtitan import torchtitan_toml

__all__ = [
    "Export",
    "Launch",
    "Outputs",
    "deepspeed_json",
    "megatron_script",
    "torchtitan_toml",
    "trace_text",
    "write_outputs",
    "write_study",
]
