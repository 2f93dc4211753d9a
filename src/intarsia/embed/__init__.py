"""Embeddings: every way an instruction fits an operator, counted, and the best one with a proof.

The nouns are ``Embedding`` and ``Layout``; ``EmbeddingProblem`` is a question, ``optimise``, ``enumerate_embeddings``
and ``count`` answer it, ``embed`` does all of it and checks what leaves.
"""

from intarsia.embed.count import Count, count
from intarsia.embed.embedding import Embedding, Flat, Loop
from intarsia.embed.enumerate import enumerate_embeddings
from intarsia.embed.fixed import fixed_embedding
from intarsia.embed.layout import Dim, Layout, gather, layout_of, layouts
from intarsia.embed.optimise import fewest_needed, optimise
from intarsia.embed.problem import EmbeddingProblem, Family, Measure, Objective, Price, Requirement
from intarsia.embed.result import Result, embed

__all__ = [
    "Count",
    "Dim",
    "Embedding",
    "EmbeddingProblem",
    "Family",
    "Flat",
    "Layout",
    "Loop",
    "Measure",
    "Objective",
    "Price",
    "Requirement",
    "Result",
    "count",
    "embed",
    "enumerate_embeddings",
    "fewest_needed",
    "fixed_embedding",
    "gather",
    "layout_of",
    "layouts",
    "optimise",
]
