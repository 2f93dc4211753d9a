"""The random operators, embeddings and tilings of the fuzz, and the hand-made embeddings, are used here."""

import sys
from pathlib import Path

TESTS = Path(__file__).parents[3]
sys.path[:0] = [str(TESTS / "fuzz"), str(TESTS / "embed" / "check")]
