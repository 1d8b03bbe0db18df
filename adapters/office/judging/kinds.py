"""What tables tell of students who are known already: a table of the kinds of tables."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from yibao.adapters.office.judging.columns import (
    NUMBER,
    Column,
    Columns,
    amount,
    count,
    heading_of,
    read_row,
    year,
)
from yibao.adapters.office.judging.refusals import Judged, RowRefused
from yibao.adapters.office.judging.roster import ROSTER
from yibao.adapters.office.reading import Heading, Row, Table, day_in, instant_in
from yibao.domain.facts.commands import (
    BuildAccount,
    Confirm,
    PayPremium,
    RecordFact,
    VerifyPriorCoverage,
)
from yibao.domain.vocabulary import ConfirmationChannel


class Kind(NamedTuple):
    """A kind of table, and the command that a row of it gives.

    `values` are the columns that are values of the command, each by the name it has there, and
    `fixed` those that are the same in each row. `at` is the column that says when it happened; a
    row that says nothing there is of the instant of the import, unless it `waits`: then it is no
    fact yet. `apart` tells rows of one student apart, which are not told twice.
    """

    name: str
    columns: Columns
    command: type[RecordFact]
    values: Mapping[str, str]
    at: str | None = None
    fixed: Mapping[str, Any] = {}
    waits: str | None = None
    apart: tuple[str, ...] = ("year",)

    @property
    def is_of_payments(self) -> bool:
        """Whether the year of a row is the one paid for, and not that of her enrollment."""
        return self.command is PayPremium

    @property
    def day(self) -> str:
        """The column with the day that a row tells of, where it does not say when it happened."""
        return self.waits or "built_on"

    @property
    def heading(self) -> Heading:
        """What is looked for to find the header of it."""
        return heading_of(self.columns)


class Told(NamedTuple):
    """What a row tells of a student; of `values` those that its table has columns for."""

    number: str
    year: int | None
    at: datetime | None
    values: dict[str, Any]

    def __repr__(self) -> str:
        return "<Told by a row>"  # nothing of her stands in a log


def told_by(kind: Kind, table: Table, row: Row) -> Judged:
    """What a row tells: Told, or RowRefused for the first cell that cannot be right."""
    read, refused = read_row(kind.columns, table, row)
    number = None if refused and refused.column == "number" else read["number"]
    at = read.get(kind.at) if kind.at else None
    if refused is None and kind.waits and at is None and kind.waits not in read:
        refused = RowRefused(kind.waits, "empty")
    apart, same = tuple(map(read.get, kind.apart)), tuple(read.items())
    if refused:
        return Judged(row.number, number, refused, same, apart)
    values = {column: read[column] for column in (*kind.values, kind.waits) if column in read}
    return Judged(
        row.number, number, Told(read["number"], read.get("year"), at, values), same, apart
    )


_YEAR: Final = Column(
    (
        *("参保年度", "医保年度", "缴费年度", "年度", "所属年度"),
        *("benefityear", "year", "premiumyear", "yearpaidfor"),
    ),
    year,
)
_OF_WHICH_YEAR: Final = _YEAR._replace(may_lack=True)

RESULTS: Final = Kind(
    "results",
    {
        "number": NUMBER,
        "lapsed_years": Column(
            (
                *("断保年数", "断缴年数", "中断年数", "中断缴费年数", "中断参保年数", "断保年限"),
                *("lapsedyears", "yearslapsed", "lapsed"),
            ),
            count,
        ),
        "years_repaid": Column(
            (
                *("缴费修复年数", "补缴年数", "已补缴年数", "补缴年限"),
                *("yearsrepaid", "repaidyears", "yearspaidsince"),
            ),
            count,
            may_lack=True,
            says_none=True,
        ),
        "waiting_ends_on": Column(
            (
                *("等待期截止日期", "等待期截止日", "待遇等待期截止日期", "待遇等待期截止日"),
                *("等待期结束日期", "等待期止", "等待期至"),
                *("waitingendson", "lastwaitingday", "waitingperiodendson", "waitinguntil"),
            ),
            day_in,
            may_lack=True,
            says_none=True,
        ),
        "checked_at": Column(
            (
                *("核验时间", "核验日期", "查询时间", "查询日期"),
                *("checkedat", "checkedon", "timeofthecheck", "dateofthecheck"),
            ),
            instant_in,
            may_lack=True,
        ),
        "year": _OF_WHICH_YEAR,
    },
    VerifyPriorCoverage,
    {name: name for name in ("lapsed_years", "years_repaid", "waiting_ends_on")},
    at="checked_at",
    apart=("year", "checked_at"),
)

ACCOUNTS: Final = Kind(
    "accounts",
    {
        "number": NUMBER,
        "built_on": Column(
            (
                *("建账日期", "建账日", "建账时间", "账户建立日期", "账户建立时间"),
                *("accountbuilton", "accountday", "builton", "accountdate"),
            ),
            day_in,
        ),
        "year": _OF_WHICH_YEAR,
    },
    BuildAccount,
    {"built_on": "on"},
)

PROXIES: Final = Kind(
    "proxies",
    {
        "number": NUMBER,
        "asked_on": Column(
            (
                *("委托日期", "委托日", "委托时间", "代办委托日期"),
                *("proxydate", "dateofproxy", "askedon", "proxygivenon"),
            ),
            day_in,
            may_be_empty=True,
        ),
        "entered_at": Column(
            (
                *("录入时间", "录入日期", "代办时间", "代办日期", "代为确认时间"),
                *("enteredat", "enteredon", "timeofentry", "instantofentry"),
            ),
            instant_in,
            may_lack=True,
        ),
        "year": _OF_WHICH_YEAR,
    },
    Confirm,
    {},
    at="entered_at",
    fixed={"channel": ConfirmationChannel.PROXY},
    waits="asked_on",
)

PAYMENTS: Final = Kind(
    "payments",
    {
        "number": NUMBER,
        "year": _YEAR,
        "amount": Column(
            (
                *("缴费金额", "实缴金额", "金额", "个人缴费金额", "缴费金额(元", "金额(元"),
                *("amount", "amountpaid", "premium", "amount(yuan"),
            ),
            amount,
            may_lack=True,
        ),
        "paid_at": Column(
            (
                *("缴费时间", "缴费日期", "到账时间", "到账日期"),
                *("paidat", "paidon", "paymentdate", "dateofpayment", "timeofpayment"),
            ),
            instant_in,
            may_lack=True,
        ),
    },
    PayPremium,
    {"year": "year", "amount": "amount"},
    at="paid_at",
    fixed={"observed": True},  # the tax bureau took it: that is no question to us
)

#: Every kind of table about students who are known, by its name.
KINDS: Final = {kind.name: kind for kind in (RESULTS, ACCOUNTS, PROXIES, PAYMENTS)}

#: What is looked for in a table of each kind, the roster among them.
HEADINGS: Final = {"roster": ROSTER, **{name: kind.heading for name, kind in KINDS.items()}}
