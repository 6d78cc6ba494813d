"""Implementation file: how divisions handle matters as CSV gives it, checked. No database."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from agents.sheets import read_sheet
from dispatch.catalogue.limit_cells import limit_cells
from dispatch.core.limit import Limit

IMPLEMENTATION_COLUMNS = (
    "matter_code", "division_code", "authority", "counter_place", "centre_no", "seal",
    "statutory_limit", "committed_limit",
    "legal_fee_yuan", "fee_basis", "fee_payer", "same_day",
)  # fmt: skip


def read_implementations(
    path: Path | str, matters: Mapping[str, Limit | None], divisions: Collection[str], centres: Collection[str]
) -> list[dict[str, Any]]:
    """How divisions handle matters; an empty cell keeps what stands above. Raises BadImport.

    ``matters`` are the codes of the catalogue with the limit that the law sets."""
    sheet = read_sheet(path, IMPLEMENTATION_COLUMNS)
    seen: dict[tuple[str, str], int] = {}
    rows = []
    for cells in sheet:
        code, division, centre = (
            cells.text("matter_code"),
            cells.text("division_code"),
            cells.text("centre_no", needed=False),
        )
        if code not in matters:
            cells.fault("matter_code", f"the catalogue has no matter {code}")
        if division not in divisions:
            cells.fault("division_code", f"the network has no division {division}")
        if centre and centre not in centres:
            cells.fault("centre_no", f"the network has no centre {centre}")
        if (code, division) in seen:
            cells.fault("matter_code", f"{code} at {division} stands already in row {seen[code, division]}")
        seen.setdefault((code, division), cells.number)
        fee = cells.whole("legal_fee_yuan", 0, 100_000_000) if cells.values["legal_fee_yuan"].strip() else None
        basis, payer = cells.text("fee_basis", needed=fee is not None), cells.text("fee_payer", needed=fee is not None)
        rows.append(
            {
                "matter_code": code,
                "division_code": division,
                "centre_no": centre or None,
                "authority": cells.text("authority", needed=False) or None,
                "counter_place": cells.text("counter_place", needed=False) or None,
                "seal": cells.text("seal", needed=False) or None,
                **limit_cells(cells, "statutory_limit", "committed_limit", law=matters.get(code)),
                "legal_fee_cents": None if fee is None else fee * 100,
                "fee_basis": basis or None,
                "fee_payer": payer or None,
                "same_day": cells.yes("same_day") if cells.values["same_day"].strip() else None,
            }
        )
    sheet.refuse_if_faulty()
    return rows
