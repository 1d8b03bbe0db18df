"""The officer's season for whoever embeds yibao: people who can be forgotten, tables in, lists out.

    with yibao.open(url, by="office") as service:
        with yibao.office.open_directory("people.db", key="directory.key") as people:
            yibao.office.import_table(service, people, "roster", "roster.xlsx", school="sjtu")
            print(yibao.office.today(service, people, "sjtu"))

What each does is what the command of that name under `yibao office` does. All of it needs
`yibao[office]`: without it each name raises YibaoError, which says what lacks.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yibao.adapters.office.demo import make_school
    from yibao.adapters.office.directory import Directory, Entry, Person
    from yibao.adapters.office.imports import Change, Imported, RowVerdict
    from yibao.adapters.office.library import (
        as_json,
        import_table,
        listed,
        open_directory,
        shown,
        today,
        write_list,
    )
    from yibao.adapters.office.season import (
        LISTS,
        Due,
        Entered,
        HowMany,
        Listed,
        Morning,
        Shown,
    )

__all__ = [
    "LISTS",
    "Change",
    "Directory",
    "Due",
    "Entered",
    "Entry",
    "HowMany",
    "Imported",
    "Listed",
    "Morning",
    "Person",
    "RowVerdict",
    "Shown",
    "as_json",
    "import_table",
    "listed",
    "make_school",
    "open_directory",
    "shown",
    "today",
    "write_list",
]


def __getattr__(name: str) -> Any:
    """Loads what is asked for when it is asked for: to name the season should not need it."""
    if name not in __all__:
        raise AttributeError(f"module 'yibao.office' has no attribute {name!r}")
    from yibao.adapters.office import check_office

    check_office()
    from yibao.adapters.office import demo, directory, imports, library, season

    for room in (demo, directory, imports, season, library):  # of two of one name, the library's
        globals().update({each: vars(room)[each] for each in __all__ if each in vars(room)})
    return globals()[name]
