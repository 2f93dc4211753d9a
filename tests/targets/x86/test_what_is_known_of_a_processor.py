"""What the system tells of a processor is read; what it does not tell is left out."""

import pytest

from intarsia.targets.x86 import Cache, host_features, host_processor

CPUINFO = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Some Processor @ 2.50GHz\nflags\t\t: fpu\n"


@pytest.fixture
def system(tmp_path):
    """Folders as Linux has them, for core 0 of a processor; core `n` for every other core."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cpuinfo").write_text(CPUINFO)
    for core in host_processor().cores:
        folder = tmp_path / "sys" / "devices" / "system" / "cpu" / f"cpu{core}" / "cache"
        for number, (level, kind, size, shared) in enumerate(
            [
                (3, "Unified", "32M", "0-3,8"),
                (1, "Instruction", "32K", "0"),
                (1, "Data", "48K", "0"),
                (2, "Unified", "2048K", "0-1"),
            ]
        ):
            index = folder / f"index{number}"
            index.mkdir(parents=True)
            values = {"level": level, "type": kind, "size": size, "coherency_line_size": 64, "shared_cpu_list": shared}
            for name, value in values.items():
                (index / name).write_text(f"{value}\n")
    return tmp_path


def read(system):
    return host_processor(proc=system / "proc", sys=system / "sys")


def test_name_and_caches_are_read(system):
    found = read(system)
    assert found.name == "Some Processor @ 2.50GHz"
    assert found.caches == (Cache(1, 48 << 10, 64, 1), Cache(2, 2 << 20, 64, 2), Cache(3, 32 << 20, 64, 5))
    assert found.cache(2) == Cache(2, 2 << 20, 64, 2)
    assert found.cache(4) is None
    assert found.features == host_features()
    assert len(found.cores) >= 1


def test_a_system_that_tells_nothing_leaves_little(tmp_path):
    found = read(tmp_path)
    assert found.name == host_features().cpu
    assert found.caches == ()


@pytest.mark.parametrize(
    ("name", "text"), [("size", "unknown"), ("size", ""), ("level", "?"), ("coherency_line_size", "")]
)
def test_a_cache_that_is_not_told_whole_is_left_out(system, name, text):
    for file in (system / "sys").glob(f"devices/system/cpu/cpu*/cache/index3/{name}"):
        file.write_text(text)
    assert [c.level for c in read(system).caches] == [1, 3]
