"""The plans of the placement's tests are used here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "place"))
