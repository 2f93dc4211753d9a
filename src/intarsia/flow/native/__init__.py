"""Operators as native code of this processor: compiled, checked, timed, and set beside libraries."""
