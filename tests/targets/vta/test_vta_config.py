"""Configurations: derived sizes, VTA's JSON, and what cannot be encoded."""

import json

import pytest

from intarsia.ground import InputError
from intarsia.targets.vta import VtaConfig


def refusal(text):
    with pytest.raises(InputError) as caught:
        VtaConfig.from_json(text, "vta.json")
    return str(caught.value)


def test_the_default_core():
    config = VtaConfig.default()
    assert (config.batch, config.block_in, config.block_out) == (1, 16, 16)
    assert (config.inp_depth, config.wgt_depth, config.acc_depth, config.uop_depth) == (2048, 1024, 2048, 2048)
    assert (config.log_uop_depth, config.log_src_depth) == (13, 11)
    assert (config.uop_bytes, config.inp_bytes, config.wgt_bytes, config.acc_bytes, config.out_bytes) == (
        4, 16, 256, 64, 16,
    )  # fmt: skip
    assert (config.port_bytes, config.clock_hz) == (8, 100_000_000)
    assert str(config) == "VTA 1x16x16 on sim"


def test_a_core_with_batch_16():
    config = VtaConfig.named("batch16")
    assert (config.log_inp_depth, config.log_wgt_depth, config.log_acc_depth) == (7, 10, 7)
    assert (config.inp_bytes, config.acc_bytes, config.out_bytes) == (256, 1024, 256)


def test_the_published_file_is_read():
    text = """{"TARGET": "ultra96", "HW_VER": "0.0.2", "LOG_INP_WIDTH": 3, "LOG_WGT_WIDTH": 3, "LOG_ACC_WIDTH": 5,
      "LOG_OUT_WIDTH": 3, "LOG_BATCH": 0, "LOG_BLOCK": 4, "LOG_UOP_BUFF_SIZE": 15, "LOG_INP_BUFF_SIZE": 15,
      "LOG_WGT_BUFF_SIZE": 18, "LOG_ACC_BUFF_SIZE": 17}"""
    config = VtaConfig.from_json(text)
    assert config == VtaConfig(target="ultra96")
    assert (config.port_bytes, config.clock_hz) == (16, 333_000_000)


@pytest.mark.parametrize("config", [VtaConfig(), VtaConfig.named("batch16"), VtaConfig(log_block_out=5, target="pynq")])
def test_json_is_read_back(config):
    assert VtaConfig.from_json(config.to_json()) == config
    assert ("LOG_BLOCK" in json.loads(config.to_json())) == (config.log_block_in == config.log_block_out)


REFUSED = {
    "{": "vta.json: not JSON: line 1, column 2: Expecting property name enclosed in double quotes",
    "[]": "vta.json: not a JSON object: list; allowed: {...}",
    '{"LOG_BATCH": "0"}': "vta.json: LOG_BATCH is of the wrong kind: '0'; allowed: int",
    '{"LOG_BATCH": true}': "vta.json: LOG_BATCH is of the wrong kind: True; allowed: int",
    '{"LOG_INP_WIDTH": 2}': "vta.json: LOG_INP_WIDTH is not supported: 2; allowed: 3",
    '{"LOG_OUT_WIDTH": 5}': "vta.json: LOG_OUT_WIDTH is LOG_INP_WIDTH: 5; allowed: 3",
    '{"LOG_BLOCK": 9}': "vta.json: LOG_BLOCK_IN is out of range: 9; allowed: 0 to 8",
    '{"TARGET": "zynq"}': "vta.json: unknown TARGET: zynq; allowed: sim, tsim, pynq, de10nano, ultra96, zcu104",
    '{"LOG_WGT_BUFF_SIZE": 8}': "vta.json: LOG_WGT_BUFF_SIZE holds less than two elements: 8; allowed: at least 9",
    '{"LOG_WGT_BUFF_SIZE": 19}': "vta.json: a micro-operation does not fit (acc, source and weight index bits): "
    "11 + 11 + 11 = 33; allowed: at most 32 bits",
    '{"LOG_UOP_BUFF_SIZE": 16}': "vta.json: the first half of GEMM does not fit in 64 bits (log2 of the uop depth): "
    "14; allowed: at most 13",
    '{"LOG_ACC_BUFF_SIZE": 18, "LOG_WGT_BUFF_SIZE": 12}': "vta.json: the second half of ALU does not fit in 64 bits "
    "(log2 of the acc depth): 12; allowed: at most 11",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused(text):
    assert refusal(text) == REFUSED[text]


def test_an_unknown_key_names_the_nearest():
    assert refusal('{"LOG_BLOK": 4}').startswith("vta.json: unknown key: LOG_BLOK; allowed: LOG_INP_WIDTH, ")
    assert refusal('{"LOG_BLOK": 4}').endswith("; try: LOG_BLOCK")


def test_an_unknown_name():
    with pytest.raises(InputError) as caught:
        VtaConfig.named("huge")
    assert str(caught.value) == "configuration: no such configuration: huge; allowed: default, batch16"
