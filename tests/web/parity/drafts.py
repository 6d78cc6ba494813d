"""Drafts: a door whose form says nothing but "send" takes what was kept page by page; here it is kept at once."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from dispatch.acts.asking import OpenCase, RequestProject, SignDelegation
from dispatch.acts.papers import GiveMaterial
from dispatch.cases.project import Power
from tests.web.parity.forms import PERSON, WANTED_PAPER
from tests.web.world import ArgsOf
from web.pages.enterprise import draft

INTAKE = "/my/intake/review"


def _request(asked: RequestProject) -> draft.Answers:
    site = asked.site
    return {
        "project": {
            "family": asked.family.value, "name": asked.name, "state_secret": "yes" if asked.is_state_secret else "no",
            "investment_wan": asked.investment_wan and str(asked.investment_wan), "project_code": asked.project_code,
        },
        "site": {
            "code": site.division_code, "lon": site.lon, "lat": site.lat, "place_name": "", "address": site.address,
        },
        "facts": dict(asked.facts), "matters": list(asked.matters), "papers": True,
        "ways": {"pickup": asked.pickup_way.value, "delivery": asked.delivery_way.value},
    }  # fmt: skip


def _letter(signed: SignDelegation) -> dict[str, Any]:
    people = [
        {"name": one.name, "phone": one.phone, "may_hand_over": one.may_hand_over, "may_receive": one.may_receive}
        for one in signed.people
    ]
    return {
        "legal_representative": signed.legal_representative, "powers": [power.value for power in signed.powers],
        "may_pass_on": signed.may_pass_on, "valid_to": signed.valid_to.isoformat(), "people": people,
    }  # fmt: skip


SIGNED = {
    "legal_representative": "张法人", "powers": [power.value for power in Power], "may_pass_on": False,
    "valid_to": "2027-06-30",
    "people": [{"name": PERSON[0], "phone": PERSON[1], "may_hand_over": True, "may_receive": True}],
}  # fmt: skip


def keep(session: Session, account_id: int, wanted: Any, known: ArgsOf, usual: RequestProject) -> None:
    """Keep a whole draft from which the command would come that is wanted; the rest of it is usual."""
    answers = {**_request(usual), "letter": SIGNED}
    if isinstance(wanted, RequestProject):
        answers |= _request(wanted)
    elif isinstance(wanted, OpenCase):
        ways = {"pickup": wanted.pickup_way.value, "delivery": wanted.delivery_way.value}
        answers |= {"project_no": wanted.project, "has_letter": True, "matters": list(wanted.matters), "ways": ways}
        answers.pop("letter")
    elif isinstance(wanted, SignDelegation):
        answers |= {"letter": _letter(wanted), "matters": list(wanted.matters or usual.matters)}
    elif isinstance(wanted, GiveMaterial):
        paper = {"sha256": known["digest"], "media_type": wanted.media_type, "filename": wanted.filename}
        answers["files"] = {WANTED_PAPER: paper}
    draft.write(session, account_id, answers)


DRAFTED: Mapping[tuple[type, str], Callable[..., None]] = {
    (act, INTAKE): keep for act in (RequestProject, OpenCase, SignDelegation, GiveMaterial)
}
