"""Workbooks for the office, by XlsxWriter: nothing in a cell is a formula or a link."""

from yibao.adapters.office.workbooks.errors import errors_workbook
from yibao.adapters.office.workbooks.lists import list_heads, list_row, list_workbook
from yibao.adapters.office.workbooks.templates import template

__all__ = ["errors_workbook", "list_heads", "list_row", "list_workbook", "template"]
