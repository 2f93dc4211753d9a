"""What a second kind of tensor cores brings: the best chip of a space with two kinds, and the best with one.

    python benchmarks/two_kinds.py [--models NAME,NAME] [--cluster NAMExN] [--global-batch N] [--only NAME=VALUE ...]
        [--space FILE] [--workers N] [--json FILE]

Three spaces of one budget: the file's, with its second kind or without; its chips without; and chips with one kind of
the sizes of both, in any number that is a power of two. Where the score of one search is below the bound of another,
the better space is proved better, whatever the schedules.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from command import options, read, write

from intarsia.flow.searching import SearchAnswer, search_chip
from intarsia.flow.study.budgets import space_toml
from intarsia.machines.template import TemplateSpace, read_space

SPACE = str(Path(__file__).parents[1] / "examples" / "two-kinds.toml")
MODELS = "mobilenet-v2,bert-large"
CHOICES = ("context=1", "zero=1", "tensor=1", "pipeline=1", "recompute=none")


@dataclass(frozen=True)
class Line:
    """The end of one search."""

    kinds: str
    points: int
    optimum: str
    score: float
    bound: float
    seconds: tuple[float, ...]
    evaluated: int
    wall: float


NONE = {"more_cores": (0,), "more_width": (0,), "more_depth": (0,)}


def spaces(space: TemplateSpace) -> dict[str, TemplateSpace]:
    """The three, by name."""
    sides = {
        name: tuple(sorted({*getattr(space, name), *getattr(space, f"more_{name}")} - {0}))
        for name in ("width", "depth")
    }
    counts = tuple(1 << n for n in range(13))
    return {
        "one kind, its first": replace(space, name="one kind, its first", **NONE),
        "one kind of any size": replace(space, name="one kind of any size", tensor_cores=counts, **sides, **NONE),
        "one kind or two": space,
    }


def searched(space: TemplateSpace, kinds: str, models: list[str], cluster: str, batch: int, only: tuple[str, ...],
             workers: int) -> Line:  # fmt: skip
    """The best chip of a space."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "space.toml"
        file.write_text(space_toml(space), encoding="utf-8")
        restricted = {name: value.split(",") for name, _, value in (one.partition("=") for one in only)}
        answer = search_chip(models, cluster, batch, space=str(file), only=restricted, workers=workers)
    return line(answer, kinds)


def line(answer: SearchAnswer, kinds: str) -> Line:
    """What is told of a search."""
    found, proof = answer.searched, answer.searched.certificate
    return Line(
        kinds, proof.points, str(found.point), found.score, proof.bound, found.seconds, proof.evaluated, found.wall
    )


def tell(own: Line, models: list[str]) -> None:
    """What was found."""
    times = ", ".join(f"{name} {seconds:.6g} s" for name, seconds in zip(models, own.seconds, strict=True))
    print(f"{own.kinds}: {own.points:,} chips, {own.evaluated} evaluated in {own.wall:.0f} s\n  {own.optimum}")
    print(f"  score {own.score:.6g}, no chip is below {own.bound:.6g}; {times}", flush=True)


def main() -> None:
    """The three searches."""
    parser = options(__doc__)
    parser.add_argument("--models", metavar="NAME,NAME", default=MODELS)
    parser.add_argument("--cluster", metavar="NAMExN", default="tpuv4x64")
    parser.add_argument("--global-batch", metavar="N", type=int, default=1024)
    parser.add_argument("--only", metavar="NAME=VALUE", nargs="*", default=CHOICES, help=f"default {' '.join(CHOICES)}")
    parser.add_argument("--space", metavar="FILE", default=SPACE)
    parser.add_argument("--workers", metavar="N", type=int, default=0)
    arguments = read(parser)
    space, models = read_space(arguments.space), arguments.models.split(",")
    found = []
    for kinds, own in spaces(space).items():
        found.append(
            searched(own, kinds, models, arguments.cluster, arguments.global_batch, arguments.only, arguments.workers)
        )
        tell(found[-1], models)
    *ones, two = found
    for one in ones:
        proved = "proved" if two.score < one.bound or one.score < two.bound else "not proved"
        print(f"two kinds over {one.kinds}: {one.score / two.score:.4f}x as fast ({proved}, whatever the schedules)")
    write(arguments.json, [asdict(own) for own in found])


if __name__ == "__main__":
    main()
