"""The floor of the house: errors, files that appear whole, the store of results, the trace of a flow, units."""

from intarsia.ground.atomic import folder, refuse_unwritable, refuse_unwritable_folder, write_file
from intarsia.ground.errors import InputError, at_column
from intarsia.ground.trace import QUIET, Trace, Verbosity

__all__ = [
    "QUIET",
    "InputError",
    "Trace",
    "Verbosity",
    "at_column",
    "folder",
    "refuse_unwritable",
    "refuse_unwritable_folder",
    "write_file",
]
