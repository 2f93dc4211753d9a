"""The timeline is valid JSON whose slices follow one another on each track."""

import json
from itertools import pairwise

import pytest
from vta_programs import layer

from intarsia.ground import InputError
from intarsia.targets.vta import Stream, VtaConfig, time_program, write_timeline

CONFIG = VtaConfig()


def test_a_timeline(tmp_path):
    stream = Stream.of(*layer(CONFIG))
    timing = time_program(stream, CONFIG)
    write_timeline(stream, timing, tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    names = [event["args"]["name"] for event in events if event["ph"] == "M"]
    assert names == ["load", "compute", "store", "fetch"]
    slices = [event for event in events if event["ph"] == "X"]
    assert len(slices) == len(stream) + 2
    for track in range(4):
        times = sorted((e["args"]["start"], e["args"]["cycles"]) for e in slices if e["tid"] == track)
        assert all(a + cycles <= b for (a, cycles), (b, _) in pairwise(times))
    gemm = next(event for event in slices if event["name"] == "gemm")
    assert gemm["args"]["text"] == "gemm uop 0:2 loop 1x1 dst 0,0 src 0,0 wgt 0,0 [pop load]"
    assert gemm["ts"] == pytest.approx(timing.start[4] / 100)
    assert list(tmp_path.iterdir()) == [tmp_path / "trace.json"]


def test_a_folder_that_is_not_there(tmp_path):
    stream = Stream.of(*layer(CONFIG))
    path = tmp_path / "none" / "trace.json"
    with pytest.raises(InputError) as caught:
        write_timeline(stream, time_program(stream, CONFIG), path)
    assert str(caught.value) == f"{path}: cannot write the timeline: No such file or directory"
