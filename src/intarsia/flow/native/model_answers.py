"""What ``run`` answers of a model whose int8 nodes are native code: plain values. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.flow.native.answers import Peak, Times


@dataclass(frozen=True, slots=True)
class NodeRun:
    """A node of a model.

    Attributes:
        name, kind: the node's.
        library: times of ONNX Runtime, the node alone.
        ours: times of native code, None where there is none.
        correct: whether native code gave ONNX Runtime's bits.
        part: of the peak, 0 to 1.
        words: the embedding in words.
        why: why there is no native code, or what a user should know of it.
    """

    name: str
    kind: str
    library: Times
    ours: Times | None = None
    correct: bool = True
    part: float | None = None
    words: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class ModelRun:
    """A model that ran node by node.

    Attributes:
        path: of the file.
        processor: its name.
        threads, seed: of the run.
        features: the level that native code could use.
        nodes: in the order of the file.
        whole: times of ONNX Runtime for the whole model at once.
        peak: measured in the same run.
        same: whether the model's outputs are those of ONNX Runtime, floats within its tolerance of another fusion.
    """

    path: str
    processor: str
    threads: int
    seed: int
    features: str
    nodes: tuple[NodeRun, ...]
    whole: Times
    peak: Peak
    same: bool

    @property
    def native(self) -> tuple[NodeRun, ...]:
        """The nodes that ran as native code."""
        return tuple(node for node in self.nodes if node.ours is not None)

    @property
    def correct(self) -> bool:
        """Whether every node gave ONNX Runtime's bits, and the model its outputs."""
        return self.same and all(node.correct for node in self.nodes)

    @property
    def seconds(self) -> float:
        """Of all nodes one after the other, native code where there is some."""
        return sum((node.ours or node.library).least for node in self.nodes)

    @property
    def library_seconds(self) -> float:
        """Of all nodes one after the other by ONNX Runtime."""
        return sum(node.library.least for node in self.nodes)

    @property
    def speedup(self) -> float | None:
        """ONNX Runtime's time for the nodes that have native code, over that of the code; None without such nodes."""
        if not self.native:
            return None
        return sum(n.library.least for n in self.native) / sum(n.ours.least for n in self.native if n.ours)
