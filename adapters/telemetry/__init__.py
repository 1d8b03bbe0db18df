"""Spans, figures and log lines; off until asked for."""

from yibao.adapters.telemetry.figures import SILENT, Outcome, Telemetry, Watched, open_telemetry
from yibao.adapters.telemetry.logs import frames_of, log_json, tell
from yibao.adapters.telemetry.watch import Watch

__all__ = [
    "SILENT",
    "Outcome",
    "Telemetry",
    "Watch",
    "Watched",
    "frames_of",
    "log_json",
    "open_telemetry",
    "tell",
]
