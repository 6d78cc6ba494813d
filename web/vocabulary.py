"""Vocabulary: which words of the pages have an English form; gathered from the sources, kept, compiled.

``python -m web.vocabulary`` after words changed: new ones appear in translations/en/LC_MESSAGES/messages.po without an
English form, those that no source holds any more leave, and what has one is compiled. A word without one is shown in
Chinese.
"""

import ast
import io
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from agents.roster import CATEGORY_LABEL
from dispatch.acts.coming import UNTOLD_LABEL
from dispatch.acts.pausing import PAUSE_WORDS
from dispatch.acts.run_ends import END_LABEL
from dispatch.assignment.explanation import BAR_WORDS
from dispatch.assignment.propose import TERM_WORDS
from dispatch.cases.case import MATERIAL_LABEL, MODE_LABEL, OUTCOME_LABEL
from dispatch.cases.contact_note import CONTACT_WAY_LABEL
from dispatch.cases.courier_report import HELD_LABEL, REPORT_LABEL, REPORT_STATE_LABEL
from dispatch.cases.evaluation import GRADE_LABEL, RECTIFICATION_LABEL, TICKET_LABEL
from dispatch.cases.evidence import ORIGIN_LABEL
from dispatch.cases.fact_event import FACT_LABEL
from dispatch.cases.obligations.obligation import OBLIGATION_LABEL, OWNER_LABEL
from dispatch.cases.person_data import PERSON_WORDS
from dispatch.cases.project import FAMILY_LABEL, PROJECT_LABEL
from dispatch.cases.project_correction import PART_LABEL
from dispatch.cases.review_event import EVENT_LABEL
from dispatch.cases.review_state import RELIEF_LABEL, REVIEW_LABEL
from dispatch.cases.stages import LABEL
from dispatch.cases.visit_word import CHANGE_LABEL, COMING_LABEL
from dispatch.catalogue.material_source import SOURCE_LABEL
from dispatch.core.actor import ROLE_LABEL
from dispatch.core.statutory_holidays import HOLIDAYS
from dispatch.custody.handover import HOLDER_LABEL
from dispatch.custody.parcel import LEG_LABEL, PARCEL_LABEL, PAYER_LABEL
from dispatch.custody.proofs import MISSING
from dispatch.path.seven_lists import GROUPS, PHASES
from dispatch.views import plan_costs
from dispatch.views.agents_board import AWAY
from dispatch.views.case_lines import NEXT_ACT
from dispatch.views.catalogue_page import CONFIDENCE_LABEL
from dispatch.views.coming import HEARD_LABEL
from dispatch.views.courier_desk import ACT_LABEL
from dispatch.views.enterprise_letters import POWER_LABEL
from dispatch.views.enterprise_turns import TURN_LABEL
from dispatch.views.evaluations_page import STEP_WORDS
from dispatch.views.finding import FOUND_LABEL
from dispatch.views.inbox_page import LAMP_WORDS, SORT_WORDS, STATE_WORDS
from dispatch.views.obligation_lines import DUE_LABEL
from dispatch.views.plan_proof import WHY_UNPROVED
from dispatch.views.project_list import PROJECT_SORT
from dispatch.views.sms_outbox import PURPOSE_LABEL, STATE_LABEL, WHY_SUPPRESSED
from dispatch.views.staffing_page import LACK_WORDS, REASON_WORDS
from dispatch.views.stop_lines import WHY_NOT
from dispatch.views.team_tickets import TICKET_SORT
from routing.day.courier_stop import FAIL_LABEL, STOP_LABEL, STOP_STATE_LABEL
from routing.day.couriers import VEHICLE_LABEL
from routing.day.day_plan import PLAN_LABEL
from routing.travel.geocoding import QUALITY_LABEL, map_links
from web.pages.courier.handovers import DIRECTION
from web.pages.enterprise.intake_steps import TITLES
from web.pages.team.agent import LANGUAGE_LABEL, SKILL_LABEL
from web.pages.team.answers import TICKET_HEADS, TICKET_STATE_LABEL
from web.pages.team.inbox import CASE_HEADS
from web.pages.team.outbox import WHY_LABEL
from web.pages.team.owed import OWED_HEADS
from web.pages.team.projects import PROJECT_HEADS
from web.pages.team.roster_sheet import COLUMNS
from web.pages.team.runs import SHIFT_WORDS
from web.wiring.act_door import MISSING as MISSING_FIELD
from web.wiring.errors import FOR_PROGRAMS, WORDS
from web.wiring.field_faults import FAULTS
from web.wiring.field_faults import FOR_PROGRAMS as FAULTS_FOR_PROGRAMS
from web.wiring.formatting import LAMPS
from web.wiring.navigation import NAV
from web.wiring.security_alarms import ALARM_WORDS
from web.wiring.security_words import DETAIL_LABEL, SECURITY_LABEL, SUBJECT_LABEL, VALUE_LABEL
from web.wiring.sheet_rows import UNREAD, UNREADABLE
from web.wiring.upload_kinds import REFUSAL_WORDS

ROOM = Path(__file__).parent
FOLDER = ROOM / "translations" / "en" / "LC_MESSAGES"
ROOMS = ("web", "dispatch", "agents", "routing", "notifications")
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
# What the pages take from tables.
TABLES: tuple[Mapping[Any, str], ...] = (
    FAULTS_FOR_PROGRAMS, FOR_PROGRAMS, ALARM_WORDS, DETAIL_LABEL, SUBJECT_LABEL, VALUE_LABEL,
    ROLE_LABEL, LABEL, TURN_LABEL, TITLES, FAMILY_LABEL, PROJECT_LABEL, REVIEW_LABEL, EVENT_LABEL, OUTCOME_LABEL,
    MATERIAL_LABEL, MODE_LABEL, LEG_LABEL, PARCEL_LABEL, HOLDER_LABEL, PAYER_LABEL, STOP_LABEL,
    FAIL_LABEL, MISSING, GRADE_LABEL,
    TICKET_LABEL, PHASES, GROUPS, POWER_LABEL, DIRECTION, RECTIFICATION_LABEL, WHY_NOT,
    OBLIGATION_LABEL, OWNER_LABEL, DUE_LABEL, CHANGE_LABEL, COMING_LABEL, UNTOLD_LABEL, HEARD_LABEL,
    END_LABEL, HELD_LABEL, PART_LABEL, FACT_LABEL, CONTACT_WAY_LABEL, ORIGIN_LABEL,
    REPORT_LABEL, REPORT_STATE_LABEL, ACT_LABEL,
    PLAN_LABEL, VEHICLE_LABEL, RELIEF_LABEL, PAUSE_WORDS, AWAY, CATEGORY_LABEL, LANGUAGE_LABEL, SKILL_LABEL,
    FOUND_LABEL, LACK_WORDS, REASON_WORDS, LAMP_WORDS, SORT_WORDS, STATE_WORDS, PROJECT_SORT, TICKET_SORT,
    TICKET_STATE_LABEL,
    *(dict(enumerate(heads)) for heads in (CASE_HEADS, OWED_HEADS, PROJECT_HEADS, TICKET_HEADS)),
    PURPOSE_LABEL, STATE_LABEL, WHY_SUPPRESSED, WHY_LABEL, CONFIDENCE_LABEL, NEXT_ACT, STEP_WORDS,
    BAR_WORDS, TERM_WORDS, plan_costs.TERMS, STOP_STATE_LABEL, SHIFT_WORDS, FAULTS, UNREAD, UNREADABLE, MISSING_FIELD,
    REFUSAL_WORDS,
    SOURCE_LABEL, WHY_UNPROVED, COLUMNS, QUALITY_LABEL, dict(enumerate(HOLIDAYS)),
)  # fmt: skip
LISTED = ("SheetList", "Figure")  # of these every constant is shown: titles, heads, definitions
KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}


def user_texts(source: str) -> Iterator[str]:
    """What a module says to a person: forms of ``LocalizedText``, and constants kept as words or messages."""
    tree = ast.parse(source)
    named = {
        line.targets[0].id: line.value
        for line in tree.body
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg="user_message", value=ast.Name(name)) if name in named:
                yield from _constants(named[name])
            case ast.Call(func=ast.Name("Wanted"), args=[ast.Constant(str(text)), *_]):
                yield text
            case ast.Call(func=ast.Name("Wanted"), args=[ast.Name(name), *_]) if name in named:
                yield from _constants(named[name])
            case ast.Call(func=ast.Name("take_form"), args=[_, done, *_]):
                yield from _constants(done)
            case ast.Call(func=ast.Name("LocalizedText"), args=[form, *_]):
                yield from _constants(form)
            case ast.Call(func=ast.Name(noun), args=args) if noun in LISTED:
                yield from (word for arg in args for word in _shown(arg))
            case ast.keyword(arg="words" | "user_message", value=value):
                yield from _constants(value)
            case ast.ClassDef(body=body):
                for line in body:
                    if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) in {"words", "user_message"}:
                        yield from _constants(line.value)


def _shown(value: ast.expr) -> Iterator[str]:
    """The Chinese constants of an argument, those of a tuple too."""
    for one in value.elts if isinstance(value, ast.Tuple) else [value]:
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and not one.value.isascii():
            yield one.value


def _constants(value: ast.expr) -> Iterator[str]:
    match value:
        case ast.Constant(str(text)) if text:
            yield text
        case ast.IfExp(body=body, orelse=otherwise):
            yield from _constants(body)
            yield from _constants(otherwise)


def marked() -> Iterator[str | tuple[str, str]]:
    """Every word that is marked in a source, then those that stand in tables."""
    for _file, _line, message, _comments, _context in extract_from_dir(ROOM, METHODS, keywords=KEYWORDS):
        yield message if isinstance(message, str) else (message[0], message[1])
    for room in (ROOM, ROOM.parent / "dispatch", ROOM.parent / "routing", ROOM.parent / "agents"):
        for file in sorted(room.rglob("*.py")):
            yield from user_texts(file.read_text())
    for _slug, title, next_step in WORDS.values():
        yield from (title, next_step)
    for part_words, lines in (part for parts in NAV.values() for part in parts):
        yield from (words for words in (part_words, *(words for _, words in lines)) if words)
    yield from SECURITY_LABEL.values()
    yield from PERSON_WORDS
    yield from (word for _, word in LAMPS.values())
    yield from (words for table in TABLES for words in table.values() if words)
    yield from (link.name for link in map_links(119.95, 31.72, ""))


def held() -> set[str]:
    """Every text that a source of the rooms holds, marked or not: one reached through a name keeps its English."""
    return {
        node.value
        for room in ROOMS
        for file in sorted((ROOM.parent / room).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def gathered() -> Catalog:
    """The words of the sources, each with the English form that it had."""
    with open(FOLDER / "messages.po", "rb") as file:
        known = read_po(file, locale="en")
    texts = held()
    kept = {message.id for message in known if isinstance(message.id, str) and message.string and message.id in texts}
    fresh = Catalog(locale="en", project="daiban", charset="utf-8")
    for word in sorted({*marked(), *kept}, key=str):
        old = known.get(word if isinstance(word, str) else word[0])
        nothing = "" if isinstance(word, str) else ("", "")
        fresh.add(word, old.string if old is not None and old.string else nothing)
    return fresh


def compiled(catalog: Catalog) -> bytes:
    """What gettext reads: the same bytes of the same words, whenever it is made."""
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def main() -> int:
    """Gather, keep, compile, and say how much has no English form yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    catalog = gathered()
    with open(FOLDER / "messages.po", "wb") as file:
        write_po(file, catalog, width=0, omit_header=True)
    (FOLDER / "messages.mo").write_bytes(compiled(catalog))
    missing = sum(1 for message in catalog if message.id and not any(message.string or ()))
    sys.stdout.write(f"{len(catalog)} words, {missing} without an English form\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
