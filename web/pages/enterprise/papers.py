"""The papers of a case: given, given anew, corrected; only their enterprise gets them back."""

from flask import flash, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from dispatch.acts.papers import GiveMaterial, ReturnCorrected
from dispatch.cases.access_control import case_for
from dispatch.cases.case import Case, Material
from dispatch.core.errors import NotFound
from dispatch.views.event_scans import scan_of
from web.pages.enterprise.blueprint import RULES, bp, say
from web.wiring import files
from web.wiring.act_door import command_from_form, offers, take
from web.wiring.auth import current_actor, enterprise_only
from web.wiring.files import BadUpload
from web.wiring.formatting import in_words
from web.wiring.transactions import transaction


def _material(case: Case, material_id: int) -> Material:
    for material in case.materials:
        if material.id == material_id:
            return material
    raise NotFound(f"case {case.case_no} has no material {material_id}")


@bp.get("/cases/<case_no>/papers/<int:material_id>")
@enterprise_only
def paper(case_no: str, material_id: int) -> Response:
    """The file that was given."""
    with transaction() as session:
        material = _material(case_for(session, current_actor(), case_no), material_id)
        digest, name = material.sha256, material.filename or material.name
    if digest is None:
        flash(gettext("这份材料还没有上传文件"), "error")
        return redirect(url_for("enterprise.case", case_no=case_no, _anchor="papers"))
    return files.send(digest, name)


@bp.get("/cases/<case_no>/documents/<int:review_event_id>")
@enterprise_only
def document(case_no: str, review_event_id: int) -> Response:
    """The authority's paper: a decision, as it was scanned."""
    with transaction() as session:
        scan = scan_of(session, current_actor(), case_no, review_event_id)
    return files.send(scan.digest, scan.name)


@bp.post("/cases/<case_no>/papers/<int:material_id>")
@enterprise_only
@offers(GiveMaterial)
def give_paper(case_no: str, material_id: int) -> Response:
    """One material is given, or given anew."""
    back = redirect(url_for("enterprise.case", case_no=case_no, _anchor="papers"))
    with transaction() as session:  # nothing is stored for somebody who may not
        name = _material(case_for(session, current_actor(), case_no), material_id).name
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        flash(gettext("“%(name)s”：请先选择文件", name=name), "error")
        return back
    try:
        paper = files.kept_paper(upload)
        take(command_from_form(GiveMaterial, request.form, case=case_no, material_id=material_id, **paper))
    except BadUpload as error:
        flash(in_words(error.user_message), "error")
    except RULES as error:
        say(error)
    else:
        flash(gettext("已上传“%(name)s”", name=name))
    return back


@bp.post("/cases/<case_no>/correction")
@enterprise_only
@offers(ReturnCorrected)
def correct(case_no: str) -> Response:
    """Everything that was told is mended."""
    back = redirect(url_for("enterprise.case", case_no=case_no, _anchor="papers"))
    try:
        take(command_from_form(ReturnCorrected, request.form, case=case_no))
    except RULES as error:
        say(error)
    else:
        flash(gettext("补正已提交，代办员将重新预审"))
    return back
