"""The officer's season for whoever embeds yibao: people who can be forgotten, tables in, lists out.

    with yibao.open(url, by="office") as service:
        with yibao.office.open_directory("people.db", key="directory.key") as people:
            yibao.office.import_table(service, people, "roster", "roster.xlsx", school="sjtu")
            print(yibao.office.today(service, people, "sjtu"))

What each does is what the command of that name under `yibao office` does. It needs
`yibao[office]`, and raises YibaoError where that is not installed.
"""

from yibao.adapters.office import check_office

check_office()

from yibao.adapters.office.demo import make_school  # noqa: E402
from yibao.adapters.office.directory import Directory, Entry, Person  # noqa: E402
from yibao.adapters.office.imports import Change, Imported, RowVerdict  # noqa: E402
from yibao.adapters.office.library import (  # noqa: E402
    as_json,
    import_table,
    listed,
    open_directory,
    shown,
    today,
    write_list,
)
from yibao.adapters.office.season import (  # noqa: E402
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
