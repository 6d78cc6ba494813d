"""Forms that a page puts together itself: how what a person fills in becomes the fields of a command."""

import dataclasses
import io
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from dispatch.acts.answering import OpenTicket
from dispatch.acts.answering_facts import AnswerFacts
from dispatch.acts.asking import OpenCase, RequestProject, RevokeDelegation, SignDelegation, SiteGiven
from dispatch.acts.batching import SignBatch
from dispatch.acts.booking import BookDelivery, BookPickup, RescheduleLeg
from dispatch.acts.closing import EvaluateCase
from dispatch.acts.correcting_facts import CorrectFact
from dispatch.acts.courier_run import DriveStopFirst, HandInToCentre, LoadRun, SignHandoverList
from dispatch.acts.early_ends import WithdrawCase
from dispatch.acts.filing import SubmitCase
from dispatch.acts.live_moves import MoveStop, UndoMove
from dispatch.acts.papers import GiveMaterial
from dispatch.acts.people import AddAgent, AddCourier
from dispatch.acts.prescreening import PrescreenCase
from dispatch.acts.review_steps import REVIEW_STEPS
from dispatch.acts.rostering import ImportRoster
from dispatch.acts.stop_report import ReportStop
from dispatch.cases.project import FAMILY_LABEL
from dispatch.catalogue.matter import Family
from dispatch.path.fact_table import fact_table
from tests.dispatch.builders import MONDAY
from tests.web.world import A_PDF, ArgsOf
from web.pages.enterprise.bulk_rows import COLUMNS
from web.pages.team.roster_sheet import COLUMNS as COLUMNS_OF_A_ROSTER

Form = dict[str, Any]
Written = tuple[Any, Form]
"""The command that is to arrive, and the form that says so."""


def _hours(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    hours = f"{form.pop('opens_s')}-{form.pop('closes_s')}".split("-")
    return wanted, {**form, "window": "-".join(str(int(second) // 3600) for second in hours)}


def _receipts(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    form.pop("receipts")
    return wanted, {**form, **{f"receipt{review}": number for review, number in wanted.receipts.items()}}


def _verdicts(wanted: Any, form: Form, known: ArgsOf) -> Written:
    """A paper has one verdict on the page: right, wrong or to follow."""
    paper = int(known["material_id"])
    deferred = dict.fromkeys([paper + 1], next(iter(wanted.deferred.values()))) if wanted.deferred else {}
    wanted = dataclasses.replace(wanted, deferred=deferred)
    said = {f"verdict{n}": "defect" for n in wanted.defects}
    said |= {f"words{n}": words for n, words in wanted.defects.items()}
    said |= {f"verdict{n}": "defer" for n in deferred} | {f"due{n}": due.isoformat() for n, due in deferred.items()}
    return wanted, {**{name: one for name, one in form.items() if name not in {"defects", "deferred"}}, **said}


def _upload(wanted: Any, form: Form, known: ArgsOf) -> Written:
    for name in ("sha256", "media_type", "filename"):
        form.pop(name)
    wanted = dataclasses.replace(wanted, sha256=known["digest"], media_type="application/pdf", filename="七.pdf")
    return wanted, {**form, "file": (io.BytesIO(A_PDF), "七.pdf", "application/pdf")}


def _right_file(wanted: Any, form: Form, known: ArgsOf) -> Written:
    """The right material comes as a file."""
    for name in ("document", "media_type", "filename"):
        form.pop(name, None)
    wanted = dataclasses.replace(wanted, document=known["digest"], media_type="application/pdf", filename="七.pdf")
    return wanted, {**form, "document": (io.BytesIO(A_PDF), "七.pdf", "application/pdf")}


def _scan(wanted: Any, form: Form, known: ArgsOf) -> Written:
    """The authority's paper comes as a file."""
    if form.pop("document", None) is None:
        return wanted, form
    wanted = dataclasses.replace(wanted, document=known["digest"])
    return wanted, {**form, "document": (io.BytesIO(A_PDF), "七.pdf", "application/pdf")}


def _differences(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    form.pop("differences")
    return wanted, {**form, **{f"difference-{waybill}": words for waybill, words in wanted.differences.items()}}


def _missing(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    form.pop("missing")
    return wanted, {**form, **{f"missing-{waybill}": words for waybill, words in wanted.missing.items()}}


def _door_proofs(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    """Photos and the signature come as files; none is sent here."""
    for name in ("photos", "signature", "reasons"):
        form.pop(name, None)
    each = {f"reason-{waybill}": reason.value for waybill, reason in wanted.reasons.items()}
    return dataclasses.replace(wanted, photos=(), signature=None), {**form, **each}


def _all_taken(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    return wanted, {**form, "step": "done"}


def _by_the_house(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    """Travel times are the program's own."""
    form.pop("travel")
    return wanted, form


def _slot(wanted: Any, form: Form, known: ArgsOf) -> Written:
    """A time of those that may be booked, somebody whom the letter names, the address, and its place on the map."""
    on, opens_s, closes_s = SLOT
    lon, lat = 119.961, 31.721
    wanted = dataclasses.replace(
        wanted, on=on, opens_s=opens_s, closes_s=closes_s, address=AT_THE_GATE, recipient_id=known["recipient_id"],
        lon=lon, lat=lat,
    )  # fmt: skip
    said = {"slot": f"{on.isoformat()}/{opens_s}", "person": str(known["recipient_id"]), "address": AT_THE_GATE}
    said |= {"lon": str(lon), "lat": str(lat)}
    return wanted, {**_rest(form), **said}


def _other_slot(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    on, opens_s, closes_s = SLOT
    wanted = dataclasses.replace(wanted, on=on, opens_s=opens_s, closes_s=closes_s)
    return wanted, {**_rest(form), "slot": f"{on.isoformat()}/{opens_s}"}


def _rest(form: Form) -> Form:
    """What every form carries, whatever else is typed."""
    return {name: form[name] for name in ("version", "client_id") if name in form}


def _reason(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    reason = f"{wanted.reason}日内不再办理"
    return dataclasses.replace(wanted, reason=reason), {**_rest(form), "reason": reason, "sure": "y"}


def _grades(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    """A grade for each matter, with words for a bad one."""
    said = {f"grade{one.review_id}": str(one.grade) for one in wanted.grades}
    return wanted, {**_rest(form), **said, **{f"words{one.review_id}": one.words for one in wanted.grades}}


def _letter(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    """Powers are ticked, and persons filled in line by line."""
    people = tuple(dataclasses.replace(one, name=PERSON[0], phone=PERSON[1], may_receive=True) for one in wanted.people)
    wanted = dataclasses.replace(wanted, legal_representative="张法人", people=people)
    said = {power.value: "y" for power in wanted.powers} | {"consent": "y", "legal_representative": "张法人"}
    for n, one in enumerate(people, start=1):
        said |= {f"name{n}": one.name, f"phone{n}": one.phone}
        said |= {name: "on" for name, is_so in ((f"out{n}", one.may_hand_over), (f"in{n}", one.may_receive)) if is_so}
    return wanted, {**_rest(form), **said, "valid_to": form["valid_to"], **_ticked("may_pass_on", wanted.may_pass_on)}


def _ticked(name: str, is_so: bool) -> Form:
    return {name: "y"} if is_so else {}


def _question(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    words = f"{wanted.words}日内何时办结"
    return dataclasses.replace(wanted, words=words), {**form, "words": words}


def _row(wanted: Any, _form: Form, _known: ArgsOf) -> Written:
    """One row of a sheet, whose cells say what a person would type there."""
    party = wanted.party and dataclasses.replace(
        wanted.party, name="七星精机有限公司", credit_code="91320412MA1ABCDE81", contact_phone="+8613800000044"
    )
    wanted = dataclasses.replace(
        wanted, family=Family.INDUSTRIAL_PERMIT, matters=("IND-104",), is_state_secret=False, party=party,
        site=SiteGiven("320412100000", None, None, "人民东路7号"), project_code="2611-320412-04-01-123456",
    )  # fmt: skip
    cells = {
        "name": wanted.name, "family": FAMILY_LABEL[wanted.family], "site.division_code": "320412000000",
        "site.address": wanted.site.address, "investment_wan": str(wanted.investment_wan),
        "project_code": wanted.project_code, "matters": "、".join(wanted.matters), "is_state_secret": "否",
        "party.name": party.name, "party.credit_code": party.credit_code, "party.contact_name": party.contact_name,
        "party.contact_phone": party.contact_phone,
    }  # fmt: skip
    heads = [*COLUMNS.values(), "镇街或园区"]
    table = "\n".join(",".join(line) for line in (heads, [*(cells[name] for name in COLUMNS), "湖塘镇"]))
    return wanted, {**_rest(_form), "sheet": (io.BytesIO(table.encode()), "projects.csv", "text/csv")}


def _roster_sheet(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    """One line of a sheet, which names the courier by his number."""
    (line,) = wanted.lines
    line = dataclasses.replace(
        line, weekdays=(1, 7), first_on=MONDAY, last_on=MONDAY + timedelta(days=60), starts_s=9 * 3600,
        ends_s=17 * 3600, break_opens_s=11 * 3600, break_closes_s=12 * 3600, break_min=45,
        most_stops=40, most_km=60,
    )  # fmt: skip
    hours = ("9:00", "17:00", "11:00", "12:00", "45")
    said = (f"C{line.courier}", "一、日", *hours, MONDAY.isoformat(), str(line.last_on), "40", "60")
    table = "\n".join(",".join(cells) for cells in (COLUMNS_OF_A_ROSTER.values(), said))
    wanted = dataclasses.replace(wanted, lines=(line,))
    return wanted, {**_rest(form), "sheet": (io.BytesIO(table.encode()), "roster.csv", "text/csv")}


def _agent(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    wanted = dataclasses.replace(wanted, phone="+8613800000041")
    return wanted, {**form, "phone": wanted.phone, "role": "agent", "vehicle": "ebike"}


def _courier(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    wanted = dataclasses.replace(wanted, phone="+8613800000042")
    return wanted, {**form, "phone": wanted.phone, "role": "courier", "capacity": "6"}


def _sent(wanted: Any, form: Form, known: ArgsOf) -> Written:
    """What was kept page by page is sent as it stands."""
    if isinstance(wanted, GiveMaterial):
        wanted = dataclasses.replace(wanted, sha256=known["digest"], media_type="application/pdf", filename="七.pdf")
    elif isinstance(wanted, SignDelegation):
        wanted = dataclasses.replace(_letter(wanted, form, known)[0], matters=("IND-104",))
    elif isinstance(wanted, RequestProject):
        site = SiteGiven("320412100000", 119.96, 31.72, "人民东路7号")
        wanted = dataclasses.replace(wanted, site=site, facts={"land": "none"}, contact_id=None)
    return wanted, _rest(form)


def _facts(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    """One question is on the page, and answered."""
    wanted = dataclasses.replace(wanted, facts={"land": "none"})
    return wanted, {**_rest(form), **dict.fromkeys(fact_table(), ""), "shown": "land", "land": "none"}


SLOT = (MONDAY + timedelta(days=1), 10 * 3600, 12 * 3600)
WANTED_PAPER = "用地规划许可申请表"
AT_THE_GATE = "湖塘镇人民东路1号"
PERSON = ("王经理", "+8613812345678")
EVERYWHERE = ""

WRITTEN: Mapping[tuple[type, str], Callable[[Any, Form, ArgsOf], Written]] = {
    (BookPickup, "/team/cases/<case_no>/pickup"): _hours,
    (BookDelivery, "/team/cases/<case_no>/delivery"): _hours,
    (BookPickup, "/my/cases/<case_no>/pickup"): _slot,
    (BookDelivery, "/my/cases/<case_no>/delivery"): _slot,
    (RescheduleLeg, "/my/parcels/<waybill>/window"): _other_slot,
    (WithdrawCase, "/my/cases/<case_no>/withdrawal"): _reason,
    (RevokeDelegation, "/my/projects/<project_no>/revocation"): _reason,
    (EvaluateCase, "/my/cases/<case_no>/evaluation"): _grades,
    (SignDelegation, "/my/projects/<project_no>/letter"): _letter,
    (SignBatch, "/bulk/batches/<int:batch_id>/letter"): _letter,
    (OpenTicket, "/my/tickets"): _question,
    (AnswerFacts, "/my/projects/<project_no>/facts"): _facts,
    (RequestProject, "/bulk"): _row,
    **{(act, "/my/intake/review"): _sent for act in (RequestProject, OpenCase, SignDelegation, GiveMaterial)},
    (ImportRoster, "/team/roster/sheet"): _roster_sheet,
    (AddAgent, "/team/people/new"): _agent,
    (AddCourier, "/team/people/new"): _courier,
    **{(act, EVERYWHERE): _scan for act in REVIEW_STEPS.values()},
    (SubmitCase, EVERYWHERE): _receipts,
    (PrescreenCase, EVERYWHERE): _verdicts,
    (GiveMaterial, EVERYWHERE): _upload,
    (CorrectFact, "/team/cases/<case_no>/facts/<int:fact_id>"): _right_file,
    (SignHandoverList, EVERYWHERE): _differences,
    (ReportStop, EVERYWHERE): _door_proofs,
    (LoadRun, EVERYWHERE): _all_taken,
    (HandInToCentre, EVERYWHERE): _missing,
    (DriveStopFirst, EVERYWHERE): _by_the_house,
    (MoveStop, EVERYWHERE): _by_the_house,
    (UndoMove, EVERYWHERE): _by_the_house,
}
"""How a form is filled in at an address, or wherever the act has a form."""
BY_THE_HOUSE = frozenset({"travel"})
"""Fields that the program fills in itself: nobody sends them."""
UPLOADS = frozenset({GiveMaterial})
"""Acts whose file comes with a form at every door, also the API's."""
