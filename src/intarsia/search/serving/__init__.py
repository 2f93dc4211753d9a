"""The chip of a space that serves a model best: the most tokens per second, or for each mm², watt or dollar."""

from intarsia.search.serving.answer import SearchedServing, ServingCertificate, ServingLooked, ServingMoment
from intarsia.search.serving.audit import ServingAudit, audit_serving
from intarsia.search.serving.journal import Journal
from intarsia.search.serving.question import ServingQuestion, rates_of
from intarsia.search.serving.search import search_serving

__all__ = [
    "Journal",
    "SearchedServing",
    "ServingAudit",
    "ServingCertificate",
    "ServingLooked",
    "ServingMoment",
    "ServingQuestion",
    "audit_serving",
    "rates_of",
    "search_serving",
]
