"""The chip of a space and the plans on it, found together, with a certificate: nothing in the space is better.

Bounds for all chips at once come from one dream chip for each variant (``ladder.py``, ``rough.py``); what they leave is
evaluated in full (``evaluate.py``), best bound first (``search.py``).
"""

from intarsia.search.audit import Audit, audit
from intarsia.search.candidates import Candidate, Candidates
from intarsia.search.certificate import Certificate, Looked, Moment, Searched, Step
from intarsia.search.known import Known, OfVariant
from intarsia.search.objective import Objective, Per, Several
from intarsia.search.question import Question, Total, Training
from intarsia.search.search import search
from intarsia.search.serving import (
    Journal,
    SearchedServing,
    ServingAudit,
    ServingCertificate,
    ServingLooked,
    ServingMoment,
    ServingQuestion,
    audit_serving,
    search_serving,
)
from intarsia.search.shares import Shares, shares
from intarsia.search.workers import crew

__all__ = [
    "Audit",
    "Candidate",
    "Candidates",
    "Certificate",
    "Journal",
    "Known",
    "Looked",
    "Moment",
    "Objective",
    "OfVariant",
    "Per",
    "Question",
    "Searched",
    "SearchedServing",
    "ServingAudit",
    "ServingCertificate",
    "ServingLooked",
    "ServingMoment",
    "ServingQuestion",
    "Several",
    "Shares",
    "Step",
    "Total",
    "Training",
    "audit",
    "audit_serving",
    "crew",
    "search",
    "search_serving",
    "shares",
]
