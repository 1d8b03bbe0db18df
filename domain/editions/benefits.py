"""What an edition says of what is paid: the table of deductibles and shares (R26 to R31)."""

from decimal import Decimal
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from yibao.domain.editions.citation import Flag, Model, Parameter, Places, in_unit
from yibao.domain.kept import kept
from yibao.domain.money import Fen
from yibao.domain.vocabulary import CareSetting, HospitalLevel

Share = Annotated[
    Parameter[Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)]],
    in_unit("percent"),
]
PerVisit = Annotated[Parameter[Fen], in_unit("yuan a visit")]
PerYear = Annotated[Parameter[Fen], in_unit("yuan a year")]
PerStay = Annotated[Parameter[Fen], in_unit("yuan a stay")]
#: The rules that an edition with a table of benefits cites beside those of the enrollment.
BENEFIT_RULES = ("R26", "R27", "R28", "R29", "R29-earlier-use", "R30", "R31")
#: Those that it may cite.
OPTIONAL_BENEFIT_RULES = ("R37",)


class Row(NamedTuple):
    """One row of the table: who treats, and what the fund pays above which deductible.

    A yearly deductible accumulates over the year instead of standing for each piece. What is
    capped counts towards what the fund pays at most in a year.
    """

    setting: CareSetting
    level: HospitalLevel | None
    rule: str
    deductible: Parameter[Fen]
    share: Parameter[Decimal]
    is_yearly: bool
    is_capped: bool


class Benefits(Model):
    """The table, cell by cell, and what else R26 to R31 read."""

    campus_clinic_deductible: PerVisit  # R26
    campus_clinic_share: Share
    village_clinic_deductible: PerVisit
    village_clinic_share: Share
    outpatient_deductible: PerYear  # R27, for emergency care too
    outpatient_first_share: Share
    outpatient_second_share: Share
    outpatient_third_share: Share
    outpatient_cap: PerYear | None = None  # R37
    outpatient_cap_counts_campus: Flag | None = None
    inpatient_first_deductible: PerStay  # R28
    inpatient_first_share: Share
    inpatient_second_deductible: PerStay
    inpatient_second_share: Share
    inpatient_third_deductible: PerStay
    inpatient_third_share: Share
    remote_filing_required: Flag  # R31
    remote_settles_by_evoucher: Flag
    remote_filing_places: Places
    claim_places: Places

    def row(self, setting: CareSetting, level: HospitalLevel | None) -> Row:
        """The row that holds for a piece of care."""
        return self._rows[setting, level]

    @kept
    def _rows(self) -> dict[tuple[CareSetting, HospitalLevel | None], Row]:
        return {
            (setting, level): self._row(setting, level)
            for setting in CareSetting
            for level in (HospitalLevel if needs_level(setting) else (None,))
        }

    def _row(self, setting: CareSetting, level: HospitalLevel | None) -> Row:
        kind = _TABLE[setting]
        place = f"{kind.cells}_{level}" if level else kind.cells
        deductible: Any = getattr(self, f"{kind.cells if kind.is_yearly else place}_deductible")
        share: Any = getattr(self, f"{place}_share")
        is_capped = self.outpatient_cap is not None and kind.rule in self._capped_rules
        return Row(setting, level, kind.rule, deductible, share, kind.is_yearly, is_capped)

    @property
    def _capped_rules(self) -> tuple[str, ...]:
        """R37: the rules of the care that counts towards the cap, where there is one."""
        counts = self.outpatient_cap_counts_campus
        return ("R26", "R27") if counts and counts.value else ("R27",)

    @property
    def table(self) -> list[Row]:
        """Every row, as the notice prints them; emergency care has those of outpatients."""
        rows = self._rows.values()
        return [row for row in rows if row.setting is not CareSetting.EMERGENCY]


def needs_level(setting: CareSetting) -> bool:
    """Whether what is paid depends on the level of the institution; a clinic has none."""
    return _TABLE[setting].has_levels


class _Kind(NamedTuple):
    """What holds of a setting: its rule, how its cells are named, and what they depend on."""

    rule: str
    cells: str
    has_levels: bool = True
    is_yearly: bool = False


_TABLE = {
    CareSetting.CAMPUS_CLINIC: _Kind("R26", "campus_clinic", has_levels=False),
    CareSetting.VILLAGE_CLINIC: _Kind("R26", "village_clinic", has_levels=False),
    CareSetting.OUTPATIENT: _Kind("R27", "outpatient", is_yearly=True),
    CareSetting.EMERGENCY: _Kind("R27", "outpatient", is_yearly=True),
    CareSetting.INPATIENT: _Kind("R28", "inpatient"),
}
