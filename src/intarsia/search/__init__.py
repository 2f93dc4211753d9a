"""The chip of a space and the plan on it, found together, with a certificate: nothing in the space is better.

Bounds for all chips at once come from one dream chip for each variant (``ladder.py``, ``rough.py``); what they leave is
evaluated in full (``evaluate.py``), best bound first (``search.py``).
"""

from intarsia.search.evaluate import Evaluated
from intarsia.search.question import Question
from intarsia.search.search import Audit, Certificate, Searched, audit, search

__all__ = ["Audit", "Certificate", "Evaluated", "Question", "Searched", "audit", "search"]
