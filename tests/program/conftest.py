"""The random operators and embeddings of the fuzz, and the hand-made embeddings, are used here."""

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / "fuzz"), str(TESTS / "embed" / "check")]
