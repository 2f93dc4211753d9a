"""A PyTorch module as a model: exported on meta tensors, so that weights are neither made nor read.

The backward pass follows by rule from the exported forward pass, as for every other graph; it is not traced, since
tracing is known to lose products where weights are tied.
"""

from __future__ import annotations

import operator
from typing import Any

from intarsia.graph import Gather, Kind, Step, Steps, Vector, live
from intarsia.ground.errors import InputError
from intarsia.models.torch_steps import Call, kind_of
from intarsia.models.traced import Traced, notes_of

Weights = tuple[tuple[str, int], ...]


def from_torch(module: Any, *example_inputs: Any) -> Traced:
    """The graph of a module.

    Args:
        module: a ``torch.nn.Module``, on the meta device or any other; it is not changed.
        example_inputs: what its ``forward`` takes, as tensors of one sample; only their shapes and types matter.

    Raises:
        InputError: if PyTorch is not installed, or cannot export the module.
    """
    try:
        import torch
    except ImportError as error:
        raise InputError("PyTorch is not installed", hint="pip install 'intarsia[torch]'") from error
    import warnings

    on_meta = _without_values(module)
    inputs = tuple(x.to("meta") if isinstance(x, torch.Tensor) else x for x in example_inputs)
    name = type(module).__name__
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exported = torch.export.export(on_meta, inputs, strict=False)
    except Exception as error:  # the module's own forward is run, and may raise anything
        reason = str(error).strip().partition("\n")[0]
        raise InputError("torch.export cannot export the module", where=name, value=reason) from error
    graph = _Reading(exported, on_meta).steps()
    first = max((x.shape[0] for x in inputs if isinstance(x, torch.Tensor) and x.dim()), default=1)
    notes = [*notes_of(graph.steps)]
    if first > 1:
        notes.append(f"the example's first extent is {first}: a microbatch of 1 is all of it")
    return Traced(name, graph, notes=tuple(notes), source=f"torch.export of {name}")


def _without_values(module: Any) -> Any:
    """A copy on the meta device, in which tied weights stay tied."""
    from copy import deepcopy

    import torch

    bare: dict[int, Any] = {}
    for tensor in (*module.parameters(), *module.buffers()):
        empty = torch.empty_like(tensor, device="meta", requires_grad=False)
        weight = isinstance(tensor, torch.nn.Parameter)
        bare[id(tensor)] = torch.nn.Parameter(empty, requires_grad=tensor.requires_grad) if weight else empty
    return deepcopy(module, bare)


class _Reading:
    """The nodes of an exported program, met in order."""

    def __init__(self, exported: Any, module: Any) -> None:
        self.exported = exported
        first: dict[int, str] = {}
        for name, weight in module.named_parameters(remove_duplicate=False):
            first.setdefault(id(weight), name)
        self.canonical = {n: first[id(w)] for n, w in module.named_parameters(remove_duplicate=False)}
        self.weights: dict[str, Weights] = {}
        self.made: dict[str, str] = {}
        self.inputs: list[tuple[str, int]] = []

    def steps(self) -> Steps:
        found: list[Step] = []
        output = ""
        for node in self.exported.graph.nodes:
            if node.op == "placeholder":
                self._placeholder(node)
            elif node.op == "call_function":
                found += self._called(node)
            elif node.op == "output":
                output = next((self.made[n.name] for n in node.all_input_nodes if n.name in self.made), "")
        if not found or not output:
            raise InputError("no output depends on an input")
        return live(Steps(tuple(self.inputs), tuple(found), output))

    def _placeholder(self, node: Any) -> None:
        signature = self.exported.graph_signature
        parameter = signature.inputs_to_parameters.get(node.name)
        value = node.meta.get("val")
        if parameter is not None:
            self.weights[node.name] = ((self.canonical.get(parameter, parameter), value.numel()),)
        elif node.name in signature.user_inputs and hasattr(value, "numel"):
            self.made[node.name] = f"input {node.name}"
            self.inputs.append((f"input {node.name}", value.numel()))
        else:
            self.weights[node.name] = ()

    def _called(self, node: Any) -> list[Step]:
        sources = node.all_input_nodes
        behind = tuple(dict(pair for n in sources for pair in self.weights.get(n.name, ())).items())
        values = node.meta.get("val")
        if all(n.name in self.weights for n in sources):
            self.weights[node.name] = behind
            return []
        if values is None:
            return []
        tensors = values if isinstance(values, (list, tuple)) else (values,)
        elements = sum(t.numel() for t in tensors if hasattr(t, "numel"))
        kind, note = self._kind(node, tuple(tensors[0].shape))
        name = self._name(node)
        self.made[node.name] = name
        inputs = tuple(self.made[n.name] for n in _in_order(node) if n.name in self.made)
        if isinstance(kind, Gather) and not behind:
            kind = Vector("copy", 0)
        return [Step(name, kind, inputs, elements, behind, note)]

    def _kind(self, node: Any, shape: tuple[int, ...]) -> tuple[Kind, str]:
        call = self._call(node, shape)
        kind = kind_of(call)
        if kind is not None:
            return kind, ""
        return Vector("unknown", 0), f"{call.operation} is not known: priced as memory traffic only"

    def _call(self, node: Any, shape: tuple[int, ...]) -> Call:
        if node.target is operator.getitem:
            return Call("getitem", {}, frozenset(), shape)
        schema = getattr(node.target, "_schema", None)
        if schema is None:
            return Call(str(node.target), {}, frozenset(), shape)
        arguments = {a.name: a.default_value for a in schema.arguments if a.has_default_value()}
        arguments |= dict(zip((a.name for a in schema.arguments), node.args, strict=False)) | dict(node.kwargs)
        constant = frozenset(n for n, v in arguments.items() if getattr(v, "name", None) in self.weights)
        name = schema.name.rpartition("::")[2]
        bare = name if name.startswith("_") else name.rstrip("_")
        return Call(bare, arguments, constant, tuple(int(e) for e in shape))

    def _name(self, node: Any) -> str:
        """The node's name behind that of the module it stands in."""
        stack = node.meta.get("nn_module_stack") or {}
        path = next(reversed([str(entry[0]) for entry in stack.values()]), "") if stack else ""
        path = path.removeprefix("L['self'].").removeprefix("L__self__").strip(".")
        return f"{path}.{node.name}" if path else str(node.name)


def _in_order(node: Any) -> list[Any]:
    """Tensor arguments in the order of the call, one that is given twice twice."""
    found: list[Any] = []

    def visit(value: Any) -> None:
        if isinstance(value, (list, tuple)):
            for item in value:
                visit(item)
        elif hasattr(value, "meta") and hasattr(value, "op"):
            found.append(value)

    visit((*node.args, *node.kwargs.values()))
    return found
