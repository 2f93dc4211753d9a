"""The catalogue of models that have names, with what one asks first."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph import Variant
from intarsia.models.convnet import CONVNETS, convnet
from intarsia.models.swin import SWINS, swin
from intarsia.models.transformer import find_model, model_names
from intarsia.models.transformer.catalogue import source_of
from intarsia.models.vit import VITS, vit


@dataclass(frozen=True, slots=True)
class Listed:
    """A model of the catalogue.

    Attributes:
        name: as typed.
        parameters: all weights, tied ones once, elements.
        layers: blocks of a transformer; of a convolutional network all layers of its chain but the loss.
        hidden: channels of a token, in the first stage where stages differ; 0 for models without tokens.
        sequence: tokens that it is usually trained on; 0 for models of images.
        source: where its configuration is published.
    """

    name: str
    parameters: int
    layers: int
    hidden: int
    sequence: int
    source: str


def catalogue_names() -> tuple[str, ...]:
    """Every name, sorted."""
    return tuple(sorted((*model_names(), *CONVNETS, *VITS, *SWINS)))


def listing() -> tuple[Listed, ...]:
    """The whole catalogue, sorted by name."""
    return tuple(map(_listed, catalogue_names()))


def _listed(name: str) -> Listed:
    if name in CONVNETS:
        net = convnet(name)
        layers = sum(layer.repeat for layer in net.layers(Variant(1, 0)) if layer.name != "loss")
        return Listed(name, net.parameters, layers, 0, 0, net.source)
    if name in VITS:
        model = vit(name)
        return Listed(name, model.parameters, VITS[name].blocks, VITS[name].hidden, 0, model.source)
    if name in SWINS:
        windowed = swin(name)
        return Listed(name, windowed.parameters, sum(SWINS[name].blocks), SWINS[name].hidden, 0, windowed.source)
    found = find_model(name)
    return Listed(name, found.parameters, found.blocks, found.hidden, found.sequence, source_of(name))
