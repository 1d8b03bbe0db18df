"""Spans, figures and log lines; off until asked for."""

from yibao.adapters.telemetry.figures import SILENT, Outcome, Telemetry, Watched, open_telemetry
from yibao.adapters.telemetry.logs import log_json, tell

__all__ = [
    "SILENT",
    "Outcome",
    "Telemetry",
    "Watched",
    "log_json",
    "open_telemetry",
    "tell",
]
