"""Workbook reader: the first sheet of an XLSX file as JSON rows of plain words, in a process of its own."""

import io
import json
import zipfile
from datetime import date
from typing import Any

from openpyxl import load_workbook

from web.wiring.reader_limits import RefusedByReader, run_reader

MOST_UNPACKED = 40 * 1024 * 1024
MOST_ROWS, MOST_COLUMNS = 1000, 60
MOST_DIGITS = 15  # a spreadsheet keeps no more of a number
NUMBER_CELL, DATE_CELL = "\0number", "\0date"


def rows_of(content: bytes) -> bytes:
    """The first rows of the first sheet. Raises RefusedByReader."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MOST_UNPACKED:
                raise RefusedByReader("unpacked")
        sheet = load_workbook(io.BytesIO(content), read_only=True, data_only=True).worksheets[0]
        found = sheet.iter_rows(max_row=MOST_ROWS, max_col=MOST_COLUMNS, values_only=True)
        rows = [[_plain(value) for value in row] for row in found]
    except (RefusedByReader, MemoryError):
        raise
    except Exception as error:  # the library raises whatever a broken file makes it trip over; the process ends with it
        raise RefusedByReader("damaged") from error
    return json.dumps(rows, ensure_ascii=False).encode()


def _plain(value: Any) -> str:
    """A cell as text; behind a mark where the workbook has not kept what was typed."""
    if value is None:
        return ""
    if isinstance(value, date):
        return DATE_CELL + value.isoformat()[:10]
    if isinstance(value, int | float) and abs(value) >= 10**MOST_DIGITS:
        return NUMBER_CELL
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


if __name__ == "__main__":
    run_reader(rows_of)
