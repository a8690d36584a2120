"""Spreadsheets of unknown origin -> rows of text, and rows of text -> spreadsheets: CSV and XLSX behind one door.

source -> csv_rows (encodings) | xlsx_rows (bombs, xlsx_child), and writing; nobody here knows what the rows are about
"""

from subscribers.sheets.limits import Limits
from subscribers.sheets.source import Row, Sample, Sheet, data_rows, open_sheet
from subscribers.sheets.writing import sheet_file, write_sheet

__all__ = ["Limits", "Row", "Sample", "Sheet", "data_rows", "open_sheet", "sheet_file", "write_sheet"]
