"""The one door: commands and questions, each loaded, decided and saved in one transaction."""

from yibao.adapters.service.opened import shanghai_now
from yibao.adapters.service.recording import Clock, Receipt, is_altered
from yibao.adapters.service.service import Service, open_service

__all__ = [
    "Clock",
    "Receipt",
    "Service",
    "is_altered",
    "open_service",
    "shanghai_now",
]
