"""The officer's season: people who can be forgotten, tables read, rosters recorded, workbooks.

All of it needs `yibao[office]`.
"""
