"""How the products that take the most seconds run on a tensor core: the loop nests of their embeddings.

On systolic cores they are those that the seconds come from (``embed.stationary``); on a GPU those of fewest calls of
its instruction, while its seconds come from tiles and waves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from intarsia.embed import Embedding
from intarsia.embed.stationary import best_fit, embedding_of, gathered, roles_of
from intarsia.flow.answers import Question
from intarsia.flow.fit import answer
from intarsia.flow.study.layers import Running
from intarsia.flow.study.model_records import EmbeddingRecord
from intarsia.graph import Contraction
from intarsia.ground import QUIET
from intarsia.ground.units import count_text
from intarsia.machines import Instruction, find_instruction
from intarsia.machines.chips import Chip, Dataflow
from intarsia.models import read_spec
from intarsia.operators import Operator
from intarsia.solvers import Found, Infeasible, OutOfTime

SHOWN = 4
LIMIT = 20.0
"""Seconds for one of them."""
MMA = "nvidia.mma.m16n8k16"
FLOATS = {"systolic": "bfloat16", MMA: "float16"}
"""Of an instruction's factors, whose sums are float32: the catalogue has this mma with IEEE half precision, whose shape
is that of bf16."""


@dataclass(slots=True)
class _Asked:
    """A product, the seconds of all nodes that ask for it, and their names."""

    seconds: float = 0.0
    names: list[str] = field(default_factory=list)


def instruction_of(chip: Chip) -> str:
    """The instruction of one tensor core; empty where the catalogue has none."""
    if chip.tensor.dataflow is Dataflow.SYSTOLIC:
        return f"systolic:{chip.tensor.width}x{chip.tensor.depth},bfloat16"
    return MMA if chip.family == "nvidia" else ""


def embedding_records(run: Running) -> Iterator[EmbeddingRecord]:
    """The embeddings of the products that take the most seconds; a chip with an instruction is expected."""
    factors = FLOATS[instruction_of(run.cluster.chip).partition(":")[0]]
    asked: dict[str, _Asked] = {}
    whole = 0.0
    for layer, prefix, node, task in run.each():
        whole += task.quickest * layer.repeat
        if isinstance(node.work, Contraction):
            one = asked.setdefault(spec_of(node.work), _Asked())
            one.seconds += task.quickest * layer.repeat
            one.names.append(f"{layer.name}: {prefix} {node.name}")
    for spec in sorted(asked, key=lambda spec: -asked[spec].seconds)[:SHOWN]:
        operator = _in_floats(read_spec(spec), factors)
        chip = min(run.cluster.chip.kinds, key=lambda kind: _cycles(operator, kind))
        instruction = find_instruction(instruction_of(chip))
        for best, said in _embedded(operator, instruction, chip):
            yield EmbeddingRecord(
                operator=str(best.operator),
                names=tuple(asked[spec].names),
                share=asked[spec].seconds / whole,
                instruction=instruction.name,
                nest=str(best),
                calls=best.calls,
                utilisation=best.operator.iterations / (best.calls * instruction.lanes),
                facts=said,
            )


def _cycles(operator: Operator, chip: Chip) -> int:
    """On all tensor cores of a chip with one kind of them; 0 where they are not systolic, since there is one kind."""
    if chip.tensor.dataflow is not Dataflow.SYSTOLIC:
        return 0
    width, depth, cores = chip.tensor.width, chip.tensor.depth, chip.tensor.count
    fits = (best_fit(roles_of(part), cores, width, depth) for part in gathered(operator))
    return sum(fit.cycles(cores, width, depth) for fit in fits)


def _embedded(operator: Operator, instruction: Instruction, chip: Chip) -> Iterator[tuple[Embedding, str]]:
    """An operator's embedding, or those of the sums that it is made of, with what to know of each."""
    if chip.tensor.dataflow is Dataflow.SYSTOLIC:
        width, depth, cores = chip.tensor.width, chip.tensor.depth, chip.tensor.count
        for part in gathered(operator):
            fit = best_fit(roles_of(part), cores, width, depth)
            cycles = f"{count_text(fit.cycles(cores, width, depth))} cycles on {count_text(cores)} cores"
            said = f"{fit.role.stationary} stays, {count_text(fit.loads)} loads, {cycles}"
            yield embedding_of(part, instruction, fit), said
        return
    found = answer(Question(operator, instruction, limit=LIMIT), listed=False, trace=QUIET)
    match found.outcome:
        case Found(best) | OutOfTime(best) if isinstance(best, Embedding):
            yield best, "no embedding makes fewer calls" if found.optimal else "not proved to make the fewest calls"
        case Found() | OutOfTime() | Infeasible():
            return


def spec_of(work: Contraction) -> str:
    """The operator of a product as it is typed."""
    if work.spec:
        return work.spec
    batch = f"batch={work.batch}," if work.batch > 1 else ""
    return f"matmul:{batch}m={work.m},n={work.n},k={work.k}"


def _in_floats(operator: Operator, factors: str) -> Operator:
    """The same with floating-point elements, of its factors and of its float32 sums."""
    sums = {tensor.name for tensor in operator.outputs}
    tensors = (replace(one, dtype="float32" if one.name in sums else factors) for one in operator.tensors)
    return replace(operator, tensors=tuple(tensors))
