"""A schedule as a trace and as a picture."""

import json
from xml.etree import ElementTree as ET

from problems import layered

from intarsia.schedule import Kind, ScheduleProblem, list_schedule, svg, trace_json


def test_a_trace_has_every_task_on_each_of_its_cores():
    problem = layered(0, 20, (3, 2))
    schedule = list_schedule(problem)
    events = json.loads(trace_json(problem, schedule))["traceEvents"]
    names = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    assert list(names.values()) == ["tensor 0", "tensor 1", "tensor 2", "vector 0", "vector 1", "network"]
    bars = [event for event in events if event["ph"] == "X"]
    assert len(bars) == sum(len(slot.cores) for slot in schedule.slots)
    for slot, task in zip(schedule.slots, problem.tasks, strict=True):
        own = [event for event in bars if event["name"] == slot.task]
        prefix = "" if task.kind is Kind.NETWORK else " "
        wanted = [f"{task.kind}{prefix}{core}" if prefix else "network" for core in slot.cores]
        assert [names[event["tid"]] for event in own] == wanted
        assert all(event["ts"] == slot.start * 1e6 for event in own)


def test_a_picture_has_one_bar_for_each_task():
    problem = layered(0, 20, (3, 2))
    root = ET.fromstring(svg(problem, list_schedule(problem), title="a <layer>"))
    space = "{http://www.w3.org/2000/svg}"
    titles = [title.text for title in root.iter(f"{space}title")]
    assert [title.split(":")[0] for title in titles] == [task.name for task in problem.tasks]
    assert "a <layer>" in [text.text for text in root.iter(f"{space}text")]


def test_an_empty_picture():
    problem = ScheduleProblem((), 1, 1)
    assert "0 tasks in 0 s, proved optimal" in svg(problem, list_schedule(problem))
