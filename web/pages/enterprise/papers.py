"""The papers of a case: given, given anew, corrected; only their enterprise gets them back."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

import db
from dispatch.acts.papers import GiveMaterial, ReturnCorrected
from dispatch.cases.access_control import case_for
from dispatch.cases.case import Case, Material
from dispatch.core.errors import NotFound, Refused
from dispatch.views.enterprise_case import case_page
from web.pages.enterprise.blueprint import RULES, bp
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


@bp.post("/cases/<case_no>/papers/<int:material_id>")
@enterprise_only
@offers(GiveMaterial)
def give_paper(case_no: str, material_id: int) -> Response:
    """One material is given, or given anew."""
    back = redirect(url_for("enterprise.case", case_no=case_no, _anchor="papers"))
    with transaction() as session:
        name = _material(case_for(session, current_actor(), case_no), material_id).name
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        flash(gettext("“%(name)s”：请先选择文件", name=name), "error")
        return back
    try:
        digest = files.keep(upload)
        with transaction() as session:
            page = case_page(session, current_actor(), case_no, at=db.now(session))
            if material_id not in {paper.id for paper in page.papers if paper.can_upload}:
                raise Refused("not asked for", user_message="这份材料现在不需要上传")
        kind = files.MEDIA[files.path_of(digest).suffix[1:]]
        given = {"sha256": digest, "media_type": kind, "filename": upload.filename[-120:]}
        take(command_from_form(GiveMaterial, request.form, case=case_no, material_id=material_id, **given))
    except BadUpload as error:
        flash(in_words(error.user_message), "error")
    except RULES as error:
        flash(in_words(error.user_message), "error")
    else:
        flash(gettext("已上传“%(name)s”", name=name))
    return back


@bp.post("/cases/<case_no>/correction")
@enterprise_only
@offers(ReturnCorrected)
def correct(case_no: str) -> Any:
    """Everything that was told is mended."""
    form = FlaskForm()
    back = redirect(url_for("enterprise.case", case_no=case_no, _anchor="papers"))
    if not form.validate():
        return back
    try:
        take(command_from_form(ReturnCorrected, request.form, case=case_no))
    except NotFound:
        raise
    except RULES as error:
        flash(in_words(error.user_message), "error")
    else:
        flash(gettext("补正已提交，代办员将重新预审"))
    return back
