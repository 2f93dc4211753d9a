"""A study's result as one self-contained HTML file, and two of them side by side. Nothing is computed here."""

from intarsia.report.html.report import report_html
from intarsia.report.html.side_by_side import compare_html

__all__ = ["compare_html", "report_html"]
