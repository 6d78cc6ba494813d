"""Bulk rows: the cells of one row become the request that they ask for; what cannot be read is named by its column."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

import db
from agents.network import Level
from dispatch.cases.enterprises import checked_credit_code, mobile_of
from dispatch.cases.notify import day_of
from dispatch.cases.project import FAMILY_LABEL
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Actor, Role
from dispatch.core.amount import amount_wan
from dispatch.core.errors import Refused
from dispatch.core.project_code import project_code
from dispatch.views import enterprise_intake, place_list
from web.pages.enterprise.bulk_sheet import NEEDED
from web.wiring.formatting import in_words
from web.wiring.sheet_rows import LONGEST_CELL, Fault, unread

COLUMNS = {
    "name": "项目名称", "family": "类型", "site.division_code": "县（市、区）", "site.address": "详细地址",
    "investment_wan": "总投资（万元）", "project_code": "项目代码", "matters": "办理事项",
    "is_state_secret": "是否涉密", "party.name": "企业名称", "party.credit_code": "统一社会信用代码",
    "party.contact_name": "联系人", "party.contact_phone": "手机号",
}  # fmt: skip
"""The column in which each field of the request stands."""
ANSWERS = {
    **dict.fromkeys(
        ("否", "不", "无", "不是", "不涉及", "不涉密", "非涉密", "非密", "n", "no", "false", "0", "×", "x"), False
    ),
    **dict.fromkeys(("是", "有", "涉及", "涉密", "y", "yes", "true", "1", "√", "✓"), True),
}
"""How people write yes and no."""


class SheetRow:
    """One row being checked, and what was found wrong in it."""

    def __init__(self, number: int, cells: Mapping[str, str]) -> None:
        self.number, self.cells = number, cells
        self.faults: list[Fault] = []
        for column, text in cells.items():
            if words := unread(text):
                self.fault(column, words)
            elif column in NEEDED and not text:
                self.fault(column, "请填写")
            elif len(text) > LONGEST_CELL:
                self.fault(column, f"超过{LONGEST_CELL}个字")

    def fault(self, column: str, words: str) -> None:
        self.faults.append(Fault(self.number, column, words))

    def read(self, column: str, read: Callable[[str], object]) -> str | None:
        """The cell in its one form; None when it is empty or, with the fault noted, when it cannot be read."""
        try:
            return str(read(text)) if (text := self.given(column)) else None
        except Refused as error:
            self.fault(column, in_words(error.user_message))
            return None

    def given(self, column: str) -> str:
        return "" if any(fault.column == column for fault in self.faults) else self.cells.get(column, "")


class DivisionLookup:
    """Divisions by their names as people write them, and the matters that each offers; looked up once a sheet."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.index = place_list.place_index(session)
        self.offered: dict[tuple[str, Family], list[enterprise_intake.Phase]] = {}

    def county(self, row: SheetRow) -> str | None:
        """The county's code, of a town or zone the county it lies in; None with the fault noted."""
        column, name = "县（市、区）", row.given("县（市、区）")
        if not name:
            return None
        named = self.index.named(name)
        counties = {above.code for place in named for above in self.index.line(place) if above.level == Level.COUNTY}
        if len(counties) == 1:
            return counties.pop()
        several = "、".join(self.index.full_name(self.index.by_code[code]) for code in sorted(counties)[:3])
        row.fault(
            column,
            f"有几个“{name}”，请带上设区市：{several}" if counties
            else self._gone(name) or self._proposed(f"没有“{name}”这个县（市、区）", name, Level.COUNTY),
        )  # fmt: skip
        return None

    def town(self, row: SheetRow, county: str) -> str | None:
        """The town's code; where none is named, the zone's that stands for the county, else the county's.

        None with the fault noted."""
        name = row.given("镇街或园区")
        if not name:
            zone = [place for place in self.index.named(row.given("县（市、区）")) if place.level == Level.TOWN]
            return zone[0].code if len(zone) == 1 else county
        below = [
            place for place in self.index.named(name) if county in {above.code for above in self.index.line(place)}
        ]
        if len(below) == 1:
            return below[0].code
        row.fault(
            "镇街或园区",
            self._gone(name) or self._proposed(f"“{name}”不在所填的县（市、区）内", name, Level.TOWN, within=county),
        )
        return None

    def matter_names(self) -> dict[str, str]:
        """The short names of all that the rows read so far may ask for."""
        found = (offer for phases in self.offered.values() for phase in phases for offer in phase.offers)
        return {offer.code: offer.short for offer in found}

    def _proposed(self, words: str, name: str, level: Level, *, within: str = "") -> str:
        """The fault, with the names that may have been meant."""
        lines = [self.index.line(place) for place in self.index.proposals(name)]
        near = [
            self.index.full_name(line[0]) for line in lines
            if line[0].level == level and (not within or within in {above.code for above in line})
        ]  # fmt: skip
        return f"{words}，是不是：{'、'.join(near)}" if near else words

    def _gone(self, name: str) -> str | None:
        """Where a division that was merged is now, in words."""
        merged = enterprise_intake.retired_place(self.session, name)
        if merged is None:
            return None
        return f"“{name}”已并入“{merged}”，请填现行名称" if merged else f"“{name}”已撤并，请填现行名称"

    def phases(self, by: Actor, county: str, family: Family) -> list[enterprise_intake.Phase]:
        """What may be asked for in this county."""
        key = (county, family)
        if key not in self.offered:
            self.offered[key] = enterprise_intake.offers(
                self.session, by, division_code=county, family=family, facts={}, on=day_of(db.now(self.session))
            )
        return self.offered[key]


def request_fields(row: SheetRow, places: DivisionLookup, by: Actor, contact_id: int | None) -> dict[str, Any] | None:
    """The fields of the request that a row asks for; None with its faults noted. ``contact_id``: who is told of a
    request for the own enterprise; a row of staff names the enterprise and its contact."""
    family = _family(row)
    county = places.county(row)
    code = places.town(row, county) if county is not None else None
    matters = _matters(row, places.phases(by, county, family)) if county and code and family else []
    party = None if by.role is Role.ENTERPRISE else _party(row, places.session)
    investment, number = row.read("总投资（万元）", amount_wan), row.read("项目代码", project_code)
    is_secret = _yes_or_no(row, "是否涉密")
    if row.faults:
        return None
    return {
        "name": row.given("项目名称"),
        "family": family,
        "site": {"division_code": code, "address": row.given("详细地址")},
        "matters": matters,
        "investment_wan": investment,
        "project_code": number,
        "is_state_secret": is_secret,
        "contact_id": contact_id,
        "party": party,
    }


def _yes_or_no(row: SheetRow, column: str) -> bool | None:
    """The answer however it was spelled; None with the fault noted, since a word that is not read answers nothing."""
    answer = ANSWERS.get(unicodedata.normalize("NFKC", row.given(column)).casefold())
    if answer is None and row.given(column):
        row.fault(column, words="请填“否”或“是”")
    return answer


def _family(row: SheetRow) -> Family | None:
    family = next((key for key, words in FAMILY_LABEL.items() if words == row.given("类型")), None)
    if family is None and row.given("类型"):
        row.fault("类型", f"请填：{'、'.join(FAMILY_LABEL.values())}")
    return family


def _matters(row: SheetRow, phases: Sequence[enterprise_intake.Phase]) -> list[str]:
    """The codes that the row names, or what usually comes first."""
    named = [word for word in re.split(r"[、,,;;\s]+", row.given("办理事项")) if word]
    if not named:
        return next(([offer.code for offer in phase.fitting] for phase in phases if phase.fitting), [])
    known = {
        key: offer.code for phase in phases for offer in phase.offers for key in (offer.code, offer.short, offer.name)
    }
    if unknown := [word for word in named if word not in known]:
        row.fault("办理事项", f"目录里没有：{'、'.join(unknown)}")
    return [known[word] for word in named if word in known]


def _party(row: SheetRow, session: Session) -> dict[str, Any]:
    """Whose project it is, and who is told."""
    return {
        "name": row.given("企业名称"),
        "credit_code": row.read("统一社会信用代码", partial(checked_credit_code, session)),
        "contact_name": row.given("联系人"), "contact_phone": row.read("手机号", mobile_of),
    }  # fmt: skip
