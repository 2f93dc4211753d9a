"""A study: one question about chips and plans from a file, the whole way to a result that a report draws.

The file's keys are in ``file.py``, the answer's in ``result.py``; ``run.py`` is the way from one to the other.
"""

from intarsia.flow.study.compared import Compared, Row, compare
from intarsia.flow.study.file import Study, decode_study, read_study
from intarsia.flow.study.kept import RESULT, read_result, result_text
from intarsia.flow.study.progress import Progress
from intarsia.flow.study.result import SCHEMA, Result
from intarsia.flow.study.run import StudyAnswer, run_study

__all__ = [
    "RESULT",
    "SCHEMA",
    "Compared",
    "Progress",
    "Result",
    "Row",
    "Study",
    "StudyAnswer",
    "compare",
    "decode_study",
    "read_result",
    "read_study",
    "result_text",
    "run_study",
]
