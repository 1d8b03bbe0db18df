"""Every public name, once: type checkers read it, and `yibao` itself when a name is asked for.

A name is declared by importing it as itself, from the room that shows it.
"""
# ruff: isort: skip_file

from typing import Final

from yibao.adapters.editions import Editions as Editions, SourceError as SourceError
from yibao.adapters.following.cohort import (
    CohortCounts as CohortCounts,
    CohortDays as CohortDays,
    CohortEntry as CohortEntry,
    CohortPage as CohortPage,
)
from yibao.adapters.following.due import (
    DueEntry as DueEntry,
    DuePage as DuePage,
    cloud_event as cloud_event,
)
from yibao.adapters.following.trail import AuditTrail as AuditTrail, Question as Question
from yibao.adapters.office.reading import UnreadableTable as UnreadableTable
from yibao.adapters.service import (
    CohortView as CohortView,
    Receipt as Receipt,
    Service as Service,
    open as open,
    read_cutoff as read_cutoff,
    read_instant as read_instant,
    what_if_of as what_if_of,
)
from yibao.adapters.store import (
    AheadOfClock as AheadOfClock,
    Halted as Halted,
    Interrupted as Interrupted,
    StoreError as StoreError,
)
from yibao.adapters.store.files import NotWritten as NotWritten
from yibao.adapters.store.postgres import StoreSettings as StoreSettings
from yibao.adapters.telemetry import Telemetry as Telemetry, open_telemetry as open_telemetry
from yibao.adapters.views.objects import as_json as as_json
from yibao.adapters.views.pages.plots import plot as plot
from yibao.domain.care import Assessed as Assessed
from yibao.domain.derivation import Derived as Derived
from yibao.domain.editions import Policy as Policy
from yibao.domain.facts import KeptAttempt as KeptAttempt
from yibao.domain.facts.commands import Command as Command
from yibao.domain.facts.events import Event as Event
from yibao.domain.lifecycle import Change as Change, Guard as Guard, Possible as Possible
from yibao.domain.money import Fen as Fen
from yibao.domain.refusals import (
    AlteredEdition as AlteredEdition,
    BadValue as BadValue,
    Code as Code,
    NotCorrectable as NotCorrectable,
    NotPermitted as NotPermitted,
    OutOfStep as OutOfStep,
    Refused as Refused,
    UnknownCutoff as UnknownCutoff,
    UnknownEdition as UnknownEdition,
    UnreadableEvent as UnreadableEvent,
    YibaoError as YibaoError,
)
from yibao.domain.rules import Values as Values
from yibao.domain.vocabulary import (
    PENDING as PENDING,
    ActivationChannel as ActivationChannel,
    CareSetting as CareSetting,
    Category as Category,
    ConfirmationChannel as ConfirmationChannel,
    DayRange as DayRange,
    Document as Document,
    EnrollmentId as EnrollmentId,
    HospitalLevel as HospitalLevel,
    Leaving as Leaving,
    OtherCover as OtherCover,
    Pending as Pending,
    Place as Place,
    Seen as Seen,
    Settlement as Settlement,
    State as State,
    WaitingPeriod as WaitingPeriod,
)
from yibao.projections.answer import Answer as Answer
from yibao.projections.audit_trail import Entry as Entry
from yibao.projections.cohort.what_if import (
    Effects as Effects,
    Example as Example,
    Moved as Moved,
    Outcome as Outcome,
    WhatIf as WhatIf,
)
from yibao.projections.comparison import Comparison as Comparison
from yibao.projections.discrepancies import Discrepancy as Discrepancy
from yibao.projections.history import Held as Held
from yibao.projections.evidence import (
    NotProven as NotProven,
    UnreadableEvidence as UnreadableEvidence,
)
from yibao.projections.next_step import NextStep as NextStep
from yibao.projections.record import Record as Record
from yibao.projections.care import Changed as Changed

from . import (
    commands as commands,
    http as http,
    models as models,
    office as office,
    testing as testing,
)

__version__: Final[str]
__all__: Final[list[str]]
