"""Forms that a page puts together itself: how what a person fills in becomes the fields of a command."""

import dataclasses
import io
from collections.abc import Callable, Mapping
from typing import Any

from dispatch.acts.booking import BookDelivery, BookPickup
from dispatch.acts.courier_run import DriveStopFirst, LoadRun, SignHandoverList
from dispatch.acts.filing import SubmitCase
from dispatch.acts.papers import GiveMaterial
from dispatch.acts.prescreening import PrescreenCase
from dispatch.acts.stop_report import ReportStop
from tests.web.world import A_PDF, ArgsOf

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
    wanted = dataclasses.replace(
        wanted, defects={paper: wanted.defects[paper]}, deferred={paper + 1: wanted.deferred[paper]}
    )
    for name in ("defects", "deferred"):
        form.pop(name)
    written = {f"verdict{paper}": "defect", f"words{paper}": wanted.defects[paper]}
    later = {f"verdict{paper + 1}": "defer", f"due{paper + 1}": wanted.deferred[paper + 1].isoformat()}
    return wanted, {**form, **written, **later}


def _upload(wanted: Any, form: Form, known: ArgsOf) -> Written:
    for name in ("sha256", "media_type", "filename"):
        form.pop(name)
    wanted = dataclasses.replace(wanted, sha256=known["digest"], media_type="application/pdf", filename="七.pdf")
    return wanted, {**form, "file": (io.BytesIO(A_PDF), "七.pdf", "application/pdf")}


def _differences(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    form.pop("differences")
    return wanted, {**form, **{f"difference-{waybill}": words for waybill, words in wanted.differences.items()}}


def _door_proofs(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    """Photos and the signature come as files; none is sent here."""
    for name in ("photos", "signature"):
        form.pop(name)
    return dataclasses.replace(wanted, photos=(), signature=None), form


def _all_taken(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    return wanted, {**form, "step": "done"}


def _by_the_house(wanted: Any, form: Form, _known: ArgsOf) -> Written:
    """Travel times are the program's own."""
    form.pop("travel")
    return wanted, form


WRITTEN: Mapping[type, Callable[[Any, Form, ArgsOf], Written]] = {
    BookPickup: _hours,
    BookDelivery: _hours,
    SubmitCase: _receipts,
    PrescreenCase: _verdicts,
    GiveMaterial: _upload,
    SignHandoverList: _differences,
    ReportStop: _door_proofs,
    LoadRun: _all_taken,
    DriveStopFirst: _by_the_house,
}
BY_THE_HOUSE = frozenset({"travel"})
"""Fields that the program fills in itself: nobody sends them."""
UPLOADS = frozenset({GiveMaterial})
"""Acts whose file comes with a form at every door, also the API's."""
