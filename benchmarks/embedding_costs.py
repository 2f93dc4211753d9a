"""What costs from embeddings change against the rule that pads every dimension of a product.

    python benchmarks/embedding_costs.py [--array WxD ...] [--microbatch N]
        [--search] [--space NAME] [--models NAME,NAME] [--workers N] [--json FILE]

First how much of a tensor core's multiplications is the model's own, over all products of a training iteration
(forward, both gradients), where each product is padded and where it is embedded; attention is eager.
With ``--search`` also a study: the chip of a space that is best for convolutions and transformers together, found with
either cost, both judged by the embeddings' cost; it takes some minutes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from math import exp, log
from pathlib import Path

from command import options, read, write

from intarsia.cost.systolic import systolic_seconds
from intarsia.flow.search_question import Wanted
from intarsia.flow.searching import plan_on, search_chip
from intarsia.graph import Attention, Contraction, Variant
from intarsia.machines.chips import Mapping
from intarsia.machines.template import Point, chip_of
from intarsia.models import read_model

MODELS = {
    "vgg-16": "convolution", "resnet-50": "convolution", "mobilenet-v2": "depthwise", "efficientnet-b0": "depthwise",
    "convnext-tiny": "depthwise", "resnext50-32x4d": "grouped", "regnety-400mf": "grouped", "swin-tiny": "small heads",
    "deit-tiny": "small heads", "vit-base-16": "attention", "bert-large": "attention", "mixtral-8x7b": "experts",
}  # fmt: skip
STUDY = ("convnext-tiny", "mobilenet-v2", "bert-large")
CLUSTER, BATCH = "tpuv4x64", 2048
SPACE = str(Path(__file__).parents[1] / "examples" / "large-cores.toml")


@dataclass(frozen=True)
class Use:
    """Of one model on one core: the fraction of multiplications that are the model's, padded and embedded."""

    model: str
    kind: str
    array: str
    padded: float
    embedded: float

    @property
    def gain(self) -> float:
        """How many times fewer cycles."""
        return self.embedded / self.padded


def use(name: str, kind: str, width: int, depth: int, microbatch: int) -> Use:
    """All products of an iteration, one after the other on one core."""
    model = read_model(name)
    variant = Variant(microbatch, min(model.sequence, 2048), attention=Attention.EAGER)
    chip = chip_of(Point(1, 1, width, depth, 128))
    own = 0.0
    cycles = dict.fromkeys(Mapping, 0.0)
    for layer in model.layers(variant):
        for node in (*layer.forward, *layer.backward):
            if isinstance(node.work, Contraction):
                own += layer.repeat * node.work.flops / (2 * width * depth)
                for mapping in Mapping:
                    seconds = systolic_seconds(replace(chip, mapping=mapping), node.work, 1)
                    cycles[mapping] += layer.repeat * seconds * chip.clock
    return Use(name, kind, f"{width}x{depth}", own / cycles[Mapping.PADDED], own / cycles[Mapping.EMBEDDED])


@dataclass(frozen=True)
class Study:
    """The best chip for several models by one cost, judged by the embeddings'.

    Attributes:
        costs: by which it was found.
        chip: the chip.
        seconds: of each model's iteration, by the embeddings' cost.
        score: their geometric mean as multiples of the TPUv4-like chip's.
        gap: of the search, by its own cost.
        wall: seconds of the search.
    """

    costs: str
    chip: str
    seconds: tuple[float, ...]
    score: float
    gap: float
    wall: float


def study(models: tuple[str, ...], space: str, workers: int) -> list[Study]:
    """The two searches, and what the chips that they find are worth."""
    answers = [
        search_chip(models, CLUSTER, BATCH, Wanted(costs=costs), space=space, workers=workers)
        for costs in ("padded", "embedded")
    ]
    judge = answers[1].question
    found = []
    for answer in answers:
        point = answer.searched.point
        assert point is not None
        plans = [plan_on(judge, point, at) for at in range(len(models))]
        seconds = tuple(plan.seconds for plan in plans if plan is not None)
        ratios = [own / base for own, base in zip(seconds, judge.objective.references, strict=True)]
        score = exp(sum(map(log, ratios)) / len(ratios))
        searched = answer.searched
        found.append(Study(str(answer.question.mapping), str(point), seconds, score, searched.gap, searched.wall))
    return found


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--array", metavar="WxD", action="append", help="of a tensor core (default 32x32, 128x128)")
    parser.add_argument("--microbatch", metavar="N", type=int, default=16, help="samples (default 16)")
    parser.add_argument("--search", action="store_true", help="the study as well")
    parser.add_argument("--space", metavar="NAME", default=SPACE, help="of chips (default large-cores.toml)")
    parser.add_argument(
        "--models", metavar="NAME,NAME", default=",".join(STUDY), help="of the study (default %(default)s)"
    )
    parser.add_argument("--workers", metavar="N", type=int, default=0, help="processes (default: one to each core)")
    arguments = read(parser)
    uses = []
    print(f"{'model':18s}{'':13s}{'core':>9s}{'padded':>9s}{'embedded':>10s}{'gain':>8s}")
    for array in arguments.array or ("32x32", "128x128"):
        width, depth = map(int, array.split("x"))
        for name, kind in MODELS.items():
            one = use(name, kind, width, depth, arguments.microbatch)
            uses.append(one)
            print(f"{name:18s}{kind:13s}{array:>9s}{one.padded:9.1%}{one.embedded:10.1%}{one.gain:7.2f}×", flush=True)
    models = tuple(arguments.models.split(","))
    found = study(models, arguments.space, arguments.workers) if arguments.search else []
    for its in found:
        print(f"\nbest by {its.costs} costs: {its.chip} (gap {its.gap:.2%}, {its.wall:.0f} s)")
        print(f"  {its.score:.3f} of the TPUv4-like chip's seconds, by the embeddings' cost")
        print(
            "  "
            + ", ".join(f"{name} {seconds * 1e3:.1f} ms" for name, seconds in zip(models, its.seconds, strict=True))
        )
    if found:
        print(f"\nthe chip found with embeddings is {found[0].score / found[1].score:.3f}× faster")
    write(arguments.json, {"uses": [asdict(one) for one in uses], "study": [asdict(one) for one in found]})


if __name__ == "__main__":
    main()
