"""intarsia: fit deep-learning operators to accelerators by constraint solving with proofs."""

__version__ = "0.1.0"
