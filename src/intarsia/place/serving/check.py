"""The check of a serving plan: the question and a plan come in, what is wrong goes out.

Nothing is taken from the search: seconds and bytes of every deployment that is named are worked out again from the
model's kernels, stage by stage.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isclose

from intarsia.cost import Placed, message_seconds, pass_demand
from intarsia.graph import Group, Phase, ServedLayer, Serving, check_served
from intarsia.place.profile import ScheduledPass
from intarsia.place.serving.plan import Served, ServingPlan
from intarsia.place.serving.task import Deployment, ServingTask

TOLERANCE = 1e-9
RUNTIME = 3 * 2**29
LOST = 0.04


def check_serving(task: ServingTask, plan: ServingPlan) -> tuple[str, ...]:
    """One text for each violation, none if the plan is right."""
    found = []
    if (plan.cluster, plan.devices) != (task.cluster.name, task.cluster.devices):
        found.append(f"the plan is for {plan.devices} devices of {plan.cluster}")
    for title, served in (("plan", plan.best), *((f"runner-up {i}", s) for i, s in enumerate(plan.runners_up, 2))):
        wrong = list(_legal(task, served.deployment))
        if wrong:
            return (*found, *(f"{title}: {text}" for text in wrong))
        found += [f"{title}: {text}" for text in _served(task, served)]
        if served.pace.tokens_per_second > plan.pace.tokens_per_second * (1 + TOLERANCE):
            found.append(f"{title} makes more tokens a second than the plan")
    cuts = [served.deployment.degrees for served in (plan.best, *plan.runners_up)]
    found += [f"two answers have {cut}" for cut in dict.fromkeys(cuts) if cuts.count(cut) > 1]
    return (*found, *_told(task, plan))


def _legal(task: ServingTask, deployment: Deployment) -> Iterator[str]:
    """What a deployment may not be."""
    degrees = (deployment.tensor, deployment.pipeline, deployment.expert, deployment.data)
    if min(*degrees, deployment.prompts, deployment.sequences) < 1:
        yield "a number is not positive"
        return
    if deployment.prompts > deployment.sequences:
        yield f"{deployment.prompts} prompts are read for {deployment.sequences} places"
    if deployment.tensor * deployment.pipeline * deployment.data > task.cluster.devices:
        yield "it needs more devices than there are"
    if deployment.data % deployment.expert:
        yield f"expert {deployment.expert} does not divide {deployment.data} replicas"
    refused = task.model.serving_refusal(_serving(task, deployment, Phase.PREFILL))
    if refused:
        yield refused
    chosen = {
        "tensor": deployment.tensor, "pipeline": deployment.pipeline, "expert": deployment.expert,
        "data": deployment.data, "prompts": deployment.prompts, "batch": deployment.pipeline * deployment.sequences,
    }  # fmt: skip
    for name, value in chosen.items():
        allowed = getattr(task.choices, name)
        if allowed and value not in allowed:
            yield f"{name} {value} is none of {allowed}"


def _served(task: ServingTask, served: Served) -> Iterator[str]:
    """Whether the pace is right, within the limits, and the bytes fit."""
    deployment, told = served.deployment, served.pace
    for stage, total in enumerate(_totals(task, deployment)):
        if total > task.cluster.chip.hbm_bytes:
            yield f"stage {stage} needs {total} bytes of {task.cluster.chip.hbm_bytes}"
    read = _loads(task, deployment, Phase.PREFILL) if task.reads else [0.0]
    prompts, output, batch = deployment.prompts, task.output, deployment.pipeline * deployment.sequences
    step = deployment.pipeline * max(_loads(task, deployment, Phase.DECODE)) if output > 1 else 0.0
    whole = (output - 1) * step + batch * max(read) / prompts
    right = {
        "ttft": sum(read),
        "step": step,
        "prefill": max(read) / prompts,
        "tpot": (whole - max(read)) / (output - 1) if output > 1 else 0.0,
        "tokens_per_second": deployment.data * batch * (output if task.reads else output - 1) / whole,
    }
    for name, value in right.items():
        if not isclose(value, getattr(told, name), rel_tol=TOLERANCE, abs_tol=TOLERANCE * whole):
            yield f"{name} is {value}, not {getattr(told, name)}"
    for name, limit in (("ttft", task.ttft), ("tpot", task.tpot)):
        if right[name] > limit * (1 + TOLERANCE):
            yield f"{name} {right[name]} s is beyond {limit} s"


def _serving(task: ServingTask, deployment: Deployment, phase: Phase) -> Serving:
    many = {Phase.PREFILL: deployment.prompts, Phase.DECODE: deployment.sequences}[phase]
    seen = {Phase.PREFILL: task.prompt, Phase.DECODE: task.prompt + -(-task.output // 2)}[phase]
    return Serving(phase, many, seen, deployment.tensor, deployment.expert, task.dtype, task.cache)


def _dealt(layers: tuple[ServedLayer, ...], pipeline: int) -> list[list[ServedLayer]]:
    """Every layer of every stage by itself."""
    single = [layer for layer in layers for _ in range(layer.repeat)]
    places = [place for place, layer in enumerate(single) if layer.block]
    before, blocks, after = single[: places[0]], single[places[0] : places[-1] + 1], single[places[-1] + 1 :]
    least, more = divmod(len(blocks), pipeline)
    middle = (pipeline - 1) / 2
    larger = sorted(range(pipeline), key=lambda stage: (abs(stage - middle), stage))[:more]
    stages, start = [], 0
    for stage in range(pipeline):
        end = start + least + (stage in larger)
        stages.append(blocks[start:end])
        start = end
    stages[0] = before + stages[0]
    stages[-1] = stages[-1] + after
    return stages


def _loads(task: ServingTask, deployment: Deployment, phase: Phase) -> list[float]:
    """Seconds of every stage."""
    serving = _serving(task, deployment, phase)
    layers = task.model.served(serving)
    efficiency = replace(task.efficiency, host=0.0, straggle=0.0)
    groups = {Group.TENSOR: Placed(deployment.tensor, 1), Group.EXPERT: Placed(deployment.expert, deployment.tensor)}
    seconds: dict[int, float] = {}
    for layer in layers:
        if id(layer.nodes) not in seconds:
            if task.cluster.chip.serial:
                cost = pass_demand(layer.nodes, task.cluster, groups).cost(task.cluster, efficiency)
            else:
                cost = ScheduledPass((), layer.nodes, groups).cost(task.cluster, efficiency)
            seconds[id(layer.nodes)] = cost.seconds
    loads = [sum(seconds[id(layer.nodes)] for layer in stage) for stage in _dealt(layers, deployment.pipeline)]
    stride = deployment.tensor * deployment.expert
    for stage in range(1, deployment.pipeline):
        sent = layers[0].output_bytes
        loads[stage] += message_seconds(sent, stride, task.cluster, task.efficiency, deployment.pipeline)
    return loads


def _totals(task: ServingTask, deployment: Deployment) -> list[int]:
    """Bytes of a device of every stage."""
    read = task.model.served(_serving(task, deployment, Phase.PREFILL))
    made = task.model.served(_serving(task, deployment, Phase.DECODE))
    totals = []
    for prompt, token in zip(_dealt(read, deployment.pipeline), _dealt(made, deployment.pipeline), strict=True):
        names = [layer.name for layer in prompt]
        weights = sum(layer.weight_bytes + layer.experts * layer.expert_bytes for layer in prompt)
        weights -= sum(layer.tied_bytes for layer in prompt if layer.tied in names)
        tokens = task.prompt + task.output
        kept = sum(layer.cache_bytes * min(tokens, layer.window or tokens) for layer in prompt)
        passing = prompt + token if task.reads else token
        alive = max(layer.working_bytes for layer in passing)
        sent = 2 * max(layer.output_bytes for layer in passing) if deployment.pipeline > 1 else 0
        cached = kept * deployment.pipeline * deployment.sequences
        totals.append(weights + cached + alive + sent + RUNTIME + int(LOST * alive))
    return totals


def _told(task: ServingTask, plan: ServingPlan) -> Iterator[str]:
    """What the plan says beside its paces."""
    totals = _totals(task, plan.deployment)
    if [stage.total for stage in plan.memory] != totals:
        yield f"the stages need {totals} bytes, not {[stage.total for stage in plan.memory]}"
    for name, parts, seconds in (("decode", plan.decode, plan.pace.step), ("prefill", plan.prefill, plan.pace.prefill)):
        if not isclose(sum(parts.kinds().values()), seconds, rel_tol=1e-6, abs_tol=1e-12):
            yield f"the parts of {name} add up to {sum(parts.kinds().values())} s, not {seconds} s"
    if plan.hbm_step > plan.pace.step * (1 + TOLERANCE):
        yield f"a step takes {plan.pace.step} s, the HBM alone {plan.hbm_step} s"
    for phase in Phase:
        yield from check_served(task.model.served(_serving(task, plan.deployment, phase)))
