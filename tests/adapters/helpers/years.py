"""Editions of the continuing students of several years, in a folder of their own."""

from pathlib import Path
from typing import Any, Final

from yibao.domain.vocabulary import EnrollmentId

REF: Final = "ada"
IN_2025: Final = EnrollmentId(REF, 2025)
IN_2026: Final = EnrollmentId(REF, 2026)
IN_2027: Final = EnrollmentId(REF, 2027)
SHEET: Final[dict[str, Any]] = {
    "ref": REF,
    "school": "sjtu",
    "category": "undergraduate",
    "document": "resident_id_card",
}

_EDITION = """\
edition: continuing-{year}
title: {{en: Continuing students of {year}, zh: {year} 年度续保学生}}
extends: shanghai-2025
parameters:
  for_students: {{value: [continuing], unit: students, {cited}}}
  autumn_from: {{value: {year}-08-01, unit: day, {cited}}}
  autumn_to: {{value: {year}-12-31, unit: day, {cited}}}
  benefit_from: {{value: {year}-01-01, unit: day, {cited}}}
  benefit_to: {{value: {year}-12-31, unit: day, {cited}}}
  roster_required: {{value: no, unit: yes or no, {cited}}}
  enrolled_by: {{value: payment, unit: event, {cited}}}
  premium: {{value: 400, unit: yuan, {cited}}}
  waiting_counts_from: {{value: enrollment, unit: day, {cited}}}
  window_opens: {{value: {before}-11-14 00:00, unit: instant, {cited}}}
  window_closes_on: {{value: {before}-12-31, unit: day, {cited}}}
"""
_CITED: Final = "clause: a table, basis: stated"


def editions_of(folder: Path, *years: int) -> Path:
    """A folder that holds an edition for the continuing students of each of some years."""
    folder.mkdir(exist_ok=True)
    for year in years:
        text = _EDITION.format(year=year, before=year - 1, cited=_CITED)
        (folder / f"continuing-{year}.yaml").write_text(text, encoding="utf-8")
    return folder
