"""report.html: one file that a sales manager can read, offline, light or dark, on a phone or on paper."""

from apportion.reasons.report.render import render_report
from apportion.reasons.report.view import Measured

__all__ = ["Measured", "render_report"]
