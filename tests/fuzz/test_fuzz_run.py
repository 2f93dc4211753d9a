"""Does a long run count, repeat and resume?"""

import json
import subprocess
import sys
from pathlib import Path

import fuzz_cases
import pytest
import run


@pytest.fixture
def failing(monkeypatch):
    """A property of which case 3 fails."""

    def case(random):
        if random.getstate() == fuzz_cases.Random("7/3").getstate():
            raise AssertionError("two elements are wrong")
        return fuzz_cases.Finding("right", ("some",))

    monkeypatch.setitem(run.PROPERTIES, "generic", case)


def started(*arguments):
    return run.main(["--property", "generic", "--processes", "1", *arguments])


@pytest.mark.usefixtures("failing")
def test_a_failure_names_the_command_that_repeats_it(capsys):
    assert started("--examples", "5", "--seed", "7") == 1
    text = capsys.readouterr().out
    assert "FAILED generic:7:3: AssertionError: two elements are wrong (test_fuzz_run.py:" in text
    assert "repeat: python tests/fuzz/run.py --case generic:7:3" in text
    assert "seed 7: 5 of 5 cases, 1 failed: 4 right; 4 some" in text
    with pytest.raises(AssertionError, match="two elements are wrong"):
        run.main(["--case", "generic:7:3"])


@pytest.mark.usefixtures("failing")
def test_a_run_without_a_failure_ends_well():
    assert started("--examples", "5", "--seed", "8") == 0


@pytest.mark.usefixtures("failing")
def test_a_run_that_was_stopped_goes_on(tmp_path, capsys):
    state = tmp_path / "state.json"
    started("--examples", "30", "--seed", "8", "--state", str(state))
    assert json.loads(state.read_text()) == {"generic:8": 30}
    capsys.readouterr()
    started("--examples", "40", "--seed", "8", "--state", str(state))
    assert "seed 8: 40 of 40 cases, 0 failed: 10 right" in capsys.readouterr().out


def test_two_processes_find_what_one_finds(capsys):
    run.main(["--property", "generic", "--examples", "8", "--seed", "3", "--processes", "1"])
    one = capsys.readouterr().out
    script = Path(run.__file__)
    arguments = ["--property", "generic", "--examples", "8", "--seed", "3", "--processes", "2"]
    two = subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True, check=True)
    assert two.stdout == one
