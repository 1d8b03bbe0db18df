"""The one door: commands and questions, each loaded, decided and saved in one transaction."""

from yibao.adapters.service.cohorts import CohortView, check_analysis
from yibao.adapters.service.given import read_cutoff, read_instant
from yibao.adapters.service.opened import shanghai_now
from yibao.adapters.service.recording import Clock, Receipt, is_altered
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.service.service import open_service as open
from yibao.adapters.service.what_if import what_if_of

__all__ = [
    "Clock",
    "CohortView",
    "Receipt",
    "Service",
    "check_analysis",
    "is_altered",
    "open",
    "open_service",
    "read_cutoff",
    "read_instant",
    "shanghai_now",
    "what_if_of",
]
