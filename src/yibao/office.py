"""The officer's season for whoever embeds yibao: people who can be forgotten, tables in, lists out.

    with yibao.open(url) as service, yibao.office.directory("people.db", key="key") as people:
        table = yibao.office.read("roster.xlsx", "roster")
        imported = yibao.office.record(service, people, table, school="sjtu")

It needs `yibao[office]`, and raises YibaoError where that is not installed.
"""
