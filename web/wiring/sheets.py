"""Sheets: tables as XLSX and CSV whose cells are never formulas, whatever somebody typed into a name."""

import csv
import io
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

Plain = str | int | float | None
BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def harmless(value: Plain) -> Plain:
    """Words that a spreadsheet would compute get an apostrophe in front; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(BEGINS_A_FORMULA) and not _is_number(value):
        return "'" + value
    return value


def _is_number(words: str) -> bool:
    try:
        float(words)
    except ValueError:
        return False
    return True


def xlsx(sheets: Iterable[tuple[str, Sequence[str], Iterable[Sequence[Plain]]]]) -> bytes:
    """A workbook of sheets, each with a title, its heads and its rows."""
    book = Workbook()
    for empty in book.worksheets:
        book.remove(empty)
    for title, heads, rows in sheets:
        sheet = book.create_sheet(title[:31])
        sheet.append(list(heads))
        for cell in sheet[1]:
            cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
        widths = [len(head) for head in heads]
        for row in rows:
            sheet.append([harmless(value) for value in row])
            for n, value in enumerate(row):
                _as_words(sheet.cell(sheet.max_row, n + 1))
                widths[n] = max(widths[n], len(str(value or "")))
        for n, width in enumerate(widths, start=1):
            sheet.column_dimensions[get_column_letter(n)].width = min(60, 4 + width * 1.8)
        sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _as_words(cell: Cell) -> None:
    if isinstance(cell.value, str):
        cell.data_type = "s"


def comma_separated(heads: Sequence[str], rows: Iterable[Sequence[Plain]]) -> bytes:
    """CSV that Excel opens in Chinese: UTF-8 with a mark at its beginning."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heads)
    writer.writerows([harmless(value) for value in row] for row in rows)
    return ("\ufeff" + out.getvalue()).encode()
