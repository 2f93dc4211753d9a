"""What a result says of a model that answers: its deployment, limits, bytes, seconds, neighbours and other chips.

Times are seconds, sizes bytes, areas mm², rates per second. ``None`` is a value that there is not.
"""

from __future__ import annotations

from intarsia.flow.study.model_records import MemoryRecord
from intarsia.flow.study.record import Record


class DeploymentRecord(Record, frozen=True):
    """A deployment and its pace.

    Attributes:
        tensor, pipeline, expert, data: degrees; ``data`` is the number of replicas.
        batch: sequences of a replica.
        prompts: read at once.
        tokens: of answers per second, of all replicas.
        ttft: seconds to the first token; None where prompts are read elsewhere.
        tpot: seconds between tokens; None where answers have one token.
    """

    tensor: int
    pipeline: int
    expert: int
    data: int
    batch: int
    prompts: int
    tokens: float
    ttft: float | None
    tpot: float | None


class LimitRecord(Record, frozen=True):
    """Something that could be in the way, and what there would be without it.

    Attributes:
        name: what it is.
        unit: ``s`` or ``B``.
        value: of the deployment.
        limit: at most.
        freed: what was changed.
        tokens: per second of the best deployment then; None where that is not known.
        times: over those with the limit.
    """

    name: str
    unit: str
    value: float
    limit: float
    freed: str
    tokens: float | None
    times: float | None


class ServingNeighbour(Record, frozen=True):
    """The best deployment after one change of a resource.

    Attributes:
        resource: what was changed.
        change: less or more.
        before, after: its values, with units.
        tokens: per second then; None where nothing can be served so.
        times: over those without the change.
        area: of the chip then; None where no area is known.
        within: whether the chip is within the space's budgets; None without any.
        because: why there is no deployment; empty otherwise.
    """

    resource: str
    change: str
    before: str
    after: str
    tokens: float | None
    times: float | None
    area: float | None
    within: bool | None
    because: str


class ServingBaseline(Record, frozen=True):
    """Another chip under its own best deployment.

    Attributes:
        chip: its name.
        cluster: so many of them, in their own network.
        peak_flops, hbm_bytes, hbm_bandwidth: of one chip.
        tokens: per second of the best deployment; None where nothing can be served so.
        interval: tokens per second between which nine measurements in ten are expected.
        times: its tokens per second over the study's.
        ttft, tpot: seconds.
        deployment: its degrees.
        because: why there is none; empty otherwise.
        efficiency: where its efficiencies are from.
        assumed: of the chip.
    """

    chip: str
    cluster: str
    peak_flops: float
    hbm_bytes: int
    hbm_bandwidth: float
    tokens: float | None
    interval: tuple[float, float] | None
    times: float | None
    ttft: float | None
    tpot: float | None
    deployment: str
    because: str
    efficiency: str
    assumed: tuple[str, ...]


class ServedRecord(Record, frozen=True):
    """What is said of a model that answers.

    Attributes:
        name, parameters: of the model.
        prompt, output: tokens of a prompt, and of an answer that are made here.
        best: the deployment.
        interval: tokens per second between which nine measurements in ten are expected.
        idle: devices that it leaves unused.
        limits: what could be in the way.
        stages: layers of each stage, as text.
        memory: of a device of each stage.
        round: seconds in which a replica answers once in each of its places, by steps and prompts, and by kind.
        step: seconds of one step of decode; None where answers have one token.
        hbm_step: of them those that the HBM takes at its full bandwidth.
        considered: ways to cut a replica by what became of them.
        runners_up: the best deployments with other degrees.
        neighbours: sensitivity.
        baselines: other chips.
        notes: what was assumed.
        absent: sections that there are not, with the reason.
    """

    name: str
    parameters: int
    prompt: int
    output: int
    best: DeploymentRecord
    interval: tuple[float, float]
    idle: int
    limits: tuple[LimitRecord, ...]
    stages: tuple[str, ...]
    memory: MemoryRecord
    round: dict[str, dict[str, float]]
    step: float | None
    hbm_step: float | None
    considered: dict[str, int]
    runners_up: tuple[DeploymentRecord, ...]
    neighbours: tuple[ServingNeighbour, ...]
    baselines: tuple[ServingBaseline, ...]
    notes: tuple[str, ...]
    absent: dict[str, str]
