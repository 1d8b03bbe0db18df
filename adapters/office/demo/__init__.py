"""A synthetic school: people who are plainly not real, a season of facts, and the tables of it.

Where it is to be looked at, `make_school` writes the tables into a folder and records them there,
with what happens beside them, as it came to be known week by week; `season_of` is the plan of it.
"""

from yibao.adapters.office.demo.lives import SCHOOL, UNTIL, Life, lives_of
from yibao.adapters.office.demo.making import FEWEST, Made, make_school
from yibao.adapters.office.demo.season import Happened, Season, season_of
from yibao.adapters.office.demo.sheets import Sheet
from yibao.adapters.office.demo.writing import write_sheet

__all__ = [
    "FEWEST",
    "SCHOOL",
    "UNTIL",
    "Happened",
    "Life",
    "Made",
    "Season",
    "Sheet",
    "lives_of",
    "make_school",
    "season_of",
    "write_sheet",
]
