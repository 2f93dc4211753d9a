"""Evaluations of chips as the store keeps them, so that an interrupted search continues."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from typing import cast

from intarsia.graph import Attention, Dtype, Variant
from intarsia.ground.store import Json, Store
from intarsia.machines.clusters import Cluster
from intarsia.search import Candidate, Known, OfVariant, Question


class Book:
    """What earlier runs found of each training on each chip."""

    def __init__(self, question: Question, names: Sequence[str], store: Store) -> None:
        self.store = store
        files = [_file_digest(name) for name in names]
        self.asked: dict[int, list[dict[str, Json]]] = {
            cluster.devices: [
                {
                    "search": name, "file": file, "parameters": its.model.parameters, "cluster": _network(cluster),
                    "batch": its.global_batch, "sequence": its.sequence, "choices": str(asdict(its.choices)),
                    "efficiency": str(question.efficiency), "mapping": str(question.mapping),
                }
                for name, file, its in zip(names, files, question.trainings, strict=True)
            ]
            for cluster in question.clusters
        }  # fmt: skip

    def read(self, its: Candidate) -> tuple[Known | None, ...]:
        """What is known of so many of a chip."""
        asked = self.asked[its.devices]
        return tuple(_known(self.store.get({**own, "point": str(its.point)})) for own in asked)

    def write(self, its: Candidate, found: tuple[Known, ...]) -> None:
        """Keep what was found; not what was not looked for."""
        for own, known in zip(self.asked[its.devices], found, strict=True):
            if known.cutoff > 0:
                self.store.put({**own, "point": str(its.point)}, _stored(known))


def _file_digest(name: str) -> str:
    """Of the file that a model is read from: another one may have the same name later; empty for a known model."""
    file = Path(name)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def _network(cluster: Cluster) -> str:
    """The cluster without its chip."""
    return str((cluster.devices, cluster.levels))


def _stored(known: Known) -> Json:
    """As text, for JSON proper has no infinite numbers."""
    variants = [(*astuple(its.variant), its.quick, its.proved) for its in known.variants]
    return json.dumps((known.cutoff, known.seconds, known.bound, variants))


def _known(stored: Json) -> Known | None:
    if stored is None:
        return None
    cutoff, seconds, bound, variants = json.loads(cast("str", stored))
    return Known(cutoff, seconds, bound, tuple(_of_variant(*its) for its in variants))


def _of_variant(
    microbatch: int,
    sequence: int,
    tensor: int,
    parallel: bool,  # noqa: FBT001 (a field of a stored row)
    context: int,
    expert: int,
    attention: str,
    dtype: str,
    quick: float,
    proved: float,
) -> OfVariant:
    variant = Variant(microbatch, sequence, tensor, parallel, context, expert, Attention(attention), Dtype(dtype))
    return OfVariant(variant, quick, proved)
