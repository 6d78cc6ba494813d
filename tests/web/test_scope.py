"""Every route is listed here with who may use it, and probed as every role; a route that nobody listed fails.

To add a page, add its line to ROUTES. What stands in its URL is looked up in tests/web/world.py: ``ours`` must open for
the roles listed, ``theirs`` must answer them, and everybody else whatever they ask for, the same 404.
"""

import os
import re
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dispatch.acts.webhooks import SUBSCRIBERS
from dispatch.core.actor import Role
from routing.day.couriers import Courier
from tests.web.conftest import signed_in_client
from tests.web.world import ArgsOf, World, a_leave, a_shift_rule, app_over

ENTERPRISE, AGENT, LEAD, COURIER, SUPERVISOR, OPERATOR = (
    Role.ENTERPRISE, Role.AGENT, Role.LEAD, Role.COURIER, Role.SUPERVISOR, Role.OPERATOR,
)  # fmt: skip
EVERYBODY = frozenset({ENTERPRISE, AGENT, LEAD, COURIER, SUPERVISOR, OPERATOR})
STAFF = frozenset({AGENT, LEAD, SUPERVISOR, OPERATOR})


@dataclass(frozen=True)
class Row:
    """Who may use a route. ``public`` needs no login; ``scoped`` has a URL that may name somebody else's row."""

    roles: frozenset[Role] = field(default_factory=frozenset)
    public: bool = False
    scoped: bool = True
    json: dict[str, object] | None = None
    form: dict[str, str] | None = None
    sees_all: frozenset[Role] = frozenset({OPERATOR})


ENDS_A_SESSION = frozenset({"POST /logout", "POST /account/proof"})
"""Signing out; and proving to be there with neither a password nor an authenticator, which is signing in anew."""
ASKED_AGAIN: dict[str, str] = {"step": "wanted", "reason": "看错了"}
"""Of a material that was not set aside: set aside, it would take its envelope from the courier."""
LOOKED_UP: dict[str, str] = {"name": "营业执照", "paper_no": "91320412"}
PUBLIC = Row(public=True)
SIGNED_IN = Row(EVERYBODY)


def only(*roles: Role, **more: object) -> Row:
    """A row for these roles."""
    return Row(frozenset(roles), **more)  # type: ignore[arg-type]


ACTING = frozenset({AGENT, LEAD, OPERATOR})
CASE_SIDES = ACTING | {ENTERPRISE}
A_PROJECT = {
    "name": "探测项目", "family": "industrial_permit", "matters": ["IND-104"],
    "site": {"division_code": "320412000000"},
}  # fmt: skip
A_LETTER = {
    "legal_representative": "张法人", "powers": ["submit"], "people": [{"name": "王经理", "phone": "13812345678"}],
    "valid_to": "2027-06-30",
}  # fmt: skip
AN_AGENT = {
    "version": 99, "name": "张", "phone": "13800000041", "division": "320412000000", "capacity": 5, "weekly_hours": 40,
    "stars": 3,
}  # fmt: skip
A_MERGER = {"into": "P320412-2026-00001", "reason": "重复"}
A_LEAVE = {"starts_on": "2027-05-10", "ends_on": "2027-05-11"}
AN_EVENT = {"event_id": "6f1e5b8e-6a53-4d2e-9f2b-6d2d4fb0a001", "act": "problem"}

ROUTES: dict[str, Row] = {
    # the entrance
    "GET /": PUBLIC,
    "GET /login": PUBLIC,
    "POST /login": PUBLIC,
    "POST /login/code": PUBLIC,
    "POST /logout": PUBLIC,
    "GET /register": PUBLIC,
    "POST /register": PUBLIC,
    "POST /register/code": PUBLIC,
    "POST /language/<code>": PUBLIC,
    "GET /account/entry/<key>": PUBLIC,
    "POST /account/entry/<key>": PUBLIC,
    "GET /account/waiting": SIGNED_IN,
    "GET /account/security": SIGNED_IN,
    "POST /account/security/password": Row(EVERYBODY, form={"new": "kurz"}),
    "POST /account/security/language": only(ENTERPRISE, form={"language": "zh"}),
    "PUT /api/v1/me/language": only(ENTERPRISE, json={"language": "zh"}),
    "POST /account/security/sessions": Row(EVERYBODY, form={"session": "others"}),
    "POST /account/security/tokens": Row(EVERYBODY, form={"name": ""}),
    "POST /account/security/tokens/<int:token_id>/end": only(LEAD, sees_all=frozenset()),
    "GET /login/second": PUBLIC,
    "POST /login/second": PUBLIC,
    "GET /account/factor": SIGNED_IN,
    "POST /account/factor": SIGNED_IN,
    "POST /account/factor/removal": SIGNED_IN,
    "GET /account/proof": SIGNED_IN,
    "POST /account/proof": SIGNED_IN,
    "GET /account/webhooks": Row(SUBSCRIBERS),
    "POST /account/webhooks": Row(SUBSCRIBERS, form={"url": ""}),
    "GET /account/webhooks/<int:subscription_id>": Row(SUBSCRIBERS),
    "POST /account/webhooks/<int:subscription_id>": Row(SUBSCRIBERS, form={"step": "pause"}),
    "POST /account/webhooks/<int:subscription_id>/deliveries/<int:delivery_id>": Row(
        SUBSCRIBERS, form={"step": "again"}
    ),
    "GET /account/people": only(ENTERPRISE),
    "POST /account/people/<int:account_id>/approval": only(ENTERPRISE),
    "POST /account/people/<int:account_id>/removal": only(ENTERPRISE),
    "GET /assets/<wanted>/<path:name>": PUBLIC,
    # health, documents, hooks: a hook knows its caller by a signature
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /metrics": PUBLIC,
    "GET /docs": PUBLIC,
    "GET /docs/problems": PUBLIC,
    "GET /docs/webhooks": PUBLIC,
    "GET /guide": PUBLIC,
    "GET /guide/needs": PUBLIC,
    "GET /guide/matters/<matter_code>": PUBLIC,
    "GET /guide/matters/<matter_code>.jsonld": PUBLIC,
    "GET /openapi.json": PUBLIC,
    "POST /hooks/twilio/status": PUBLIC,
    "POST /hooks/twilio/reply": PUBLIC,
    "POST /hooks/domestic/<secret>/status": PUBLIC,
    # the operator
    "GET /operator/accounts": only(OPERATOR),
    "POST /operator/accounts": only(OPERATOR, form={"q": "张三"}),
    "GET /operator/security": only(OPERATOR),
    "GET /operator/security.csv": only(OPERATOR),
    "GET /operator/setup": only(OPERATOR),
    "GET /operator/accounts/new": only(OPERATOR),
    "POST /operator/accounts/new": only(OPERATOR),
    "POST /operator/accounts/<int:account_id>": only(OPERATOR),
    "POST /operator/credit-codes": only(
        OPERATOR, form={"credit_code": "91320412MA7YBKT850", "enterprise_name": "样本", "reason": "已核对执照"}
    ),
    "POST /operator/clock": only(LEAD, OPERATOR, form={"step": "hour"}),
    # the four audiences
    "GET /my": only(ENTERPRISE),
    "GET /my/projects/<project_no>": only(ENTERPRISE),
    "GET /my/projects/<project_no>/card": only(ENTERPRISE),
    "GET /my/projects/<project_no>/facts": only(ENTERPRISE),
    "POST /my/projects/<project_no>/facts": only(ENTERPRISE),
    "GET /my/projects/<project_no>/letter": only(ENTERPRISE),
    "POST /my/projects/<project_no>/letter": only(ENTERPRISE),
    "GET /my/projects/<project_no>/revocation": only(ENTERPRISE),
    "POST /my/projects/<project_no>/revocation": only(ENTERPRISE),
    "POST /my/projects/<project_no>/cases": only(ENTERPRISE),
    "GET /my/intake": only(ENTERPRISE),
    "POST /my/intake": only(ENTERPRISE),
    "POST /my/intake/discard": only(ENTERPRISE),
    "GET /my/intake/counties.geojson": only(ENTERPRISE),
    "GET /my/intake/places": only(ENTERPRISE),
    "POST /my/intake/point": only(ENTERPRISE),
    **{
        f"{method} /my/intake/{step}": only(ENTERPRISE)
        for method in ("GET", "POST")
        for step in ("project", "site", "facts", "matters", "papers", "ways", "letter", "review")
    },
    "GET /my/cases/<case_no>": only(ENTERPRISE),
    **{
        f"{method} /my/cases/<case_no>/{page}": only(ENTERPRISE)
        for method in ("GET", "POST")
        for page in ("withdrawal", "evaluation", "pickup", "delivery", "papers/<int:material_id>")
    },
    "GET /my/cases/<case_no>/documents/<int:review_event_id>": only(ENTERPRISE),
    "POST /my/cases/<case_no>/messages": only(ENTERPRISE, form={"words": "何时踏勘？"}),
    "POST /my/cases/<case_no>/messages/read": only(ENTERPRISE),
    "POST /my/cases/<case_no>/messages/<int:case_message>/withdrawal": only(ENTERPRISE),
    "POST /my/cases/<case_no>/correction": only(ENTERPRISE),
    "GET /my/parcels/<waybill>/window": only(ENTERPRISE),
    "POST /my/parcels/<waybill>/window": only(ENTERPRISE),
    "GET /my/evidence": only(ENTERPRISE),
    "GET /my/tickets": only(ENTERPRISE),
    "POST /my/tickets": only(ENTERPRISE),
    "GET /bulk": Row(CASE_SIDES),
    "GET /bulk/template.xlsx": Row(CASE_SIDES),
    "POST /bulk": Row(CASE_SIDES),
    "POST /bulk/check": Row(CASE_SIDES),
    "GET /bulk/batches": Row(CASE_SIDES),
    "POST /bulk/batches": Row(CASE_SIDES),
    "GET /bulk/batches/<int:batch_id>": Row(CASE_SIDES),
    "GET /bulk/batches/<int:batch_id>/codes.xlsx": Row(CASE_SIDES),
    "GET /bulk/batches/<int:batch_id>/letter": only(ENTERPRISE),
    "POST /bulk/batches/<int:batch_id>/letter": only(ENTERPRISE),
    "POST /bulk/batches/<int:batch_id>/undo": Row(CASE_SIDES),
    "GET /team": Row(STAFF),
    # the team's runs, map, messages, grades, report, catalogue
    "GET /team/runs": only(LEAD, SUPERVISOR, OPERATOR),
    "GET /team/roster": only(LEAD, SUPERVISOR, OPERATOR),
    "GET /team/roster/template": only(LEAD, OPERATOR),
    "POST /team/roster/sheet": only(LEAD, OPERATOR),
    "GET /team/roster/<int:courier_id>": only(LEAD, SUPERVISOR, OPERATOR),
    "POST /team/roster/<int:courier_id>/rules": only(LEAD, OPERATOR, form={"first_on": "2026-12-01"}),
    "POST /team/roster/<int:courier_id>/rules/<int:rule_id>/removal": only(LEAD, OPERATOR),
    "POST /team/roster/<int:courier_id>/vehicle": only(LEAD, OPERATOR, form={"vehicle": "van"}),
    "GET /team/couriers": only(LEAD, SUPERVISOR, OPERATOR),
    "POST /team/couriers/reports/<int:report_id>": only(LEAD, OPERATOR, form={"decision": "answer", "words": "已知"}),
    "GET /team/couriers/reports/<int:report_id>/proofs/<digest>": only(LEAD, SUPERVISOR, OPERATOR),
    "GET /team/unplaced": only(LEAD, SUPERVISOR, OPERATOR),
    "GET /team/stops/<int:stop_id>/point": only(LEAD, SUPERVISOR, OPERATOR),
    "POST /team/stops/<int:stop_id>/point": only(LEAD, OPERATOR, form={"lon": "119.96", "lat": "31.72"}),
    "POST /team/passes/<int:pass_id>/calling-off": only(LEAD, OPERATOR, form={"why": "已带回"}),
    "POST /team/couriers/<int:courier_id>/words": only(LEAD, OPERATOR, form={"words": "先去开发区"}),
    "GET /team/calls": only(LEAD, SUPERVISOR, OPERATOR),
    "POST /team/calls/<int:word_id>": only(LEAD, OPERATOR, form={"note": "已说好"}),
    "POST /team/runs/plans": only(LEAD, OPERATOR, form={"area": "320412000000"}),
    "POST /team/runs/couriers/<int:courier_id>": only(LEAD, OPERATOR, form={"what": "late", "minutes": "30"}),
    "GET /team/plans/<int:plan_id>": only(LEAD, SUPERVISOR, OPERATOR),
    "POST /team/plans/<int:plan_id>/commit": only(LEAD, OPERATOR),
    "POST /team/plans/<int:plan_id>/cancel": only(LEAD, OPERATOR),
    "POST /team/plans/<int:plan_id>/replan": only(LEAD, OPERATOR),
    "GET /team/plans/<int:plan_id>/board": only(LEAD, SUPERVISOR, OPERATOR),
    "POST /team/plans/<int:plan_id>/moves": only(LEAD, OPERATOR),
    "POST /team/plans/<int:plan_id>/moves/undo": only(LEAD, OPERATOR),
    "POST /team/plans/<int:plan_id>/stops/<int:stop_id>/lock": only(LEAD, OPERATOR),
    "GET /team/plans/<int:plan_id>/what-if": only(LEAD, SUPERVISOR, OPERATOR),
    "POST /team/plans/<int:plan_id>/what-if": only(LEAD, OPERATOR),
    "GET /team/map": only(LEAD, SUPERVISOR, OPERATOR),
    "GET /team/map/counties.geojson": Row(STAFF),
    "GET /team/outbox": Row(STAFF),
    "POST /team/outbox/<int:message_id>/again": only(LEAD, OPERATOR),
    "POST /team/outbox/<int:message_id>/number": only(LEAD, OPERATOR),
    "GET /team/numbers": only(LEAD, OPERATOR),
    "POST /team/numbers": only(LEAD, OPERATOR),
    "GET /team/privacy": only(OPERATOR),
    "POST /team/privacy": only(OPERATOR),
    "GET /team/texts": only(OPERATOR),
    "GET /team/texts/<text_name>/<locale>": only(OPERATOR, scoped=False),
    "POST /team/texts/<text_name>/<locale>": only(OPERATOR, scoped=False),
    "GET /team/claims": only(LEAD, OPERATOR),
    "POST /team/claims/<int:claim_id>": only(LEAD, OPERATOR, form={"act": "approve"}),
    "GET /team/evaluations": Row(STAFF),
    "POST /team/evaluations/<int:rectification_id>": only(
        AGENT, SUPERVISOR, OPERATOR, form={"step": "verified", "words": "属实"}
    ),
    "GET /team/report": only(LEAD, SUPERVISOR, OPERATOR),
    "GET /team/report.xlsx": only(LEAD, SUPERVISOR, OPERATOR),
    "GET /team/report/events.json": only(LEAD, SUPERVISOR, OPERATOR),
    "GET /team/report.csv": only(LEAD, SUPERVISOR, OPERATOR),
    "GET /team/catalog": only(LEAD, OPERATOR),
    # the courier's phone, and the lists that both sides sign
    "GET /run": only(COURIER),
    "GET /run/stops/<int:stop_id>": only(COURIER),
    "POST /run/stops/<int:stop_id>/acts": only(COURIER, form={"act": "problem", "note": "门卫不让进"}),
    "POST /run/stops/<int:stop_id>/pin": only(COURIER, form={"lon": "119.96", "lat": "31.72"}),
    "POST /run/stops/<int:stop_id>/first": only(COURIER),
    "GET /run/load": only(COURIER),
    "GET /run/tomorrow": only(COURIER),
    "POST /run/load": only(COURIER, form={"run_id": "1", "waybill": "EA1"}),
    "POST /run/words/<int:told_id>/read": only(COURIER),
    "POST /run/end": only(COURIER, form={"why": "vehicle", "event_id": str(uuid.uuid4())}),
    "POST /run/coming": only(
        COURIER, form={"stop": "1", "why": "on_way", "in_minutes": "20", "event_id": str(uuid.uuid4())}
    ),
    "POST /run/passes": only(COURIER, form={"side": "give", "event_id": str(uuid.uuid4())}),
    "POST /run/reports": only(COURIER, form={"topic": "run", "note": "车坏了", "event_id": str(uuid.uuid4())}),
    "POST /run/reports/<int:report_id>/seen": only(COURIER),
    "POST /run/load/<int:run_id>/undo": only(COURIER),
    "GET /run/session": only(COURIER),
    "GET /run/sw.js": PUBLIC,
    "GET /run/manifest.webmanifest": PUBLIC,
    "GET /run/ended": PUBLIC,
    "GET /handovers": Row(STAFF | {COURIER}),
    "POST /handovers": only(COURIER),
    "GET /handovers/<list_no>": Row(STAFF | {COURIER}),
    "POST /handovers/<list_no>/signature": only(COURIER, AGENT, LEAD, OPERATOR),
    "GET /track": PUBLIC,
    "POST /track": PUBLIC,
    "GET /calendar": PUBLIC,
    "GET /custody": PUBLIC,
    "GET /custody/checkpoint": PUBLIC,
    "GET /custody/consistency": PUBLIC,
    "POST /custody/cosignatures": PUBLIC,
    "GET /my/parcels/<waybill>/receipt": only(ENTERPRISE),
    "GET /api/v1/parcels/<waybill>/receipt": SIGNED_IN,
    # the API
    "GET /api/v1/webhooks": Row(SUBSCRIBERS),
    "POST /api/v1/webhooks": Row(SUBSCRIBERS, json={"url": "https://park.example/", "purpose": "probe"}),
    "GET /api/v1/webhooks/<int:subscription_id>/key": only(ENTERPRISE, sees_all=frozenset()),
    "POST /api/v1/webhooks/<int:subscription_id>": Row(SUBSCRIBERS, json={"step": "pause"}),
    "GET /api/v1/webhooks/<int:subscription_id>/deliveries": Row(SUBSCRIBERS),
    "POST /api/v1/webhooks/deliveries/<int:delivery_id>": Row(SUBSCRIBERS, json={"step": "again"}),
    "GET /api/v1/me": SIGNED_IN,
    "GET /api/v1/me/tokens": SIGNED_IN,
    "POST /api/v1/me/tokens": Row(EVERYBODY, json={"name": "probe"}),
    "DELETE /api/v1/me/tokens/<int:token_id>": only(LEAD, sees_all=frozenset()),
    "POST /api/v1/projects": Row(CASE_SIDES, json=A_PROJECT),
    "GET /api/v1/projects/<project_no>": Row(STAFF | {ENTERPRISE}),
    "POST /api/v1/projects/<project_no>/cases": Row(CASE_SIDES, json={"matters": ["IND-104"]}),
    "POST /api/v1/projects/<project_no>/delegation": only(ENTERPRISE, json=A_LETTER),
    "POST /api/v1/projects/<project_no>/revocation": only(ENTERPRISE, json={"reason": "换人", "version": 99}),
    "GET /api/v1/projects/<project_no>/assignment": Row(STAFF),
    "POST /api/v1/projects/<project_no>/assignment": only(LEAD, OPERATOR, json={"mode": "auto"}),
    "GET /api/v1/projects/<project_no>/merger": only(LEAD, OPERATOR),
    "POST /api/v1/projects/<project_no>/merger": only(LEAD, OPERATOR, json={**A_MERGER}),
    "POST /api/v1/projects/<project_no>/facts": Row(CASE_SIDES, json={"facts": {"land": "none"}}),
    "POST /api/v1/projects/<project_no>/corrections": Row(ACTING, json={"part": "site", "reason": "抄错"}),
    "POST /api/v1/projects/<project_no>/joint-filings": Row(
        ACTING, json={"group": "DRAW", "matters": ["IND-301", "IND-302"], "form_number": "联1号"}
    ),
    "POST /api/v1/projects/<project_no>/referral": Row(ACTING, json={"reason": "出差"}),
    "POST /api/v1/projects/<project_no>/referral/<int:referral_id>": Row(ACTING, json={"step": "declined"}),
    "GET /api/v1/projects": SIGNED_IN,
    "GET /api/v1/parcels": SIGNED_IN,
    "GET /api/v1/views": Row(STAFF),
    "POST /api/v1/views": Row(STAFF, json={"list_name": "cases", "name": "红牌"}),
    "POST /api/v1/views/removal": Row(STAFF, json={"list_name": "cases", "name": "红牌"}),
    "GET /api/v1/tickets": SIGNED_IN,
    "GET /api/v1/plans": only(LEAD, SUPERVISOR, OPERATOR),
    "GET /api/v1/cases": SIGNED_IN,
    "GET /api/v1/cases/<case_no>": Row(STAFF | {ENTERPRISE}),
    "POST /api/v1/cases/<case_no>/prescreen": Row(ACTING, json={}),
    "POST /api/v1/cases/<case_no>/corrections": Row(CASE_SIDES),
    "GET /api/v1/batches": Row(CASE_SIDES),
    "POST /api/v1/batches": Row(CASE_SIDES),
    "GET /api/v1/batches/<int:batch_id>": Row(CASE_SIDES),
    "POST /api/v1/batches/<int:batch_id>/delegation": only(ENTERPRISE, json=A_LETTER),
    "POST /api/v1/batches/<int:batch_id>/undo": Row(CASE_SIDES, json={"reason": "填错了"}),
    "GET /api/v1/projects/<project_no>/evidence": Row(STAFF | {ENTERPRISE}),
    "POST /api/v1/projects/<project_no>/evidence": Row(ACTING, json=dict(LOOKED_UP)),
    "POST /api/v1/projects/<project_no>/evidence/<int:number>/withdrawal": Row(ACTING, json={"reason": "已注销"}),
    "POST /api/v1/cases/<case_no>/matters": Row(ACTING, json={"reason": "多报", "drop": ["IND-105"]}),
    "POST /api/v1/cases/<case_no>/materials": Row(CASE_SIDES),
    "PATCH /api/v1/cases/<case_no>/materials/<int:material_id>": Row(ACTING, json=dict(ASKED_AGAIN)),
    "GET /api/v1/cases/<case_no>/messages": Row(STAFF | {ENTERPRISE}),
    "POST /api/v1/cases/<case_no>/messages": Row(ACTING | {ENTERPRISE}, json={"words": "何时踏勘？"}),
    "POST /api/v1/cases/<case_no>/messages/read": Row(ACTING | {ENTERPRISE}, json={}),
    "POST /api/v1/cases/<case_no>/messages/<int:case_message>": Row(
        ACTING, json={"step": "settled", "reason": "已答复"}
    ),
    "POST /api/v1/cases/<case_no>/messages/<int:case_message>/withdrawal": only(ENTERPRISE),
    "GET /api/v1/cases/<case_no>/contacts": Row(STAFF),
    "POST /api/v1/cases/<case_no>/contacts": Row(ACTING, json={"words": "约周三补交平面图"}),
    "POST /api/v1/cases/<case_no>/contacts/<int:contact_note>/corrections": Row(
        ACTING, json={"reason": "记错了", "words": "约周二补交"}
    ),
    "POST /api/v1/cases/<case_no>/contacts/<int:contact_note>/follow-up": Row(ACTING, json={}),
    "POST /api/v1/cases/<case_no>/documents": Row(ACTING),
    "POST /api/v1/cases/<case_no>/submission": Row(ACTING, json={}),
    "POST /api/v1/cases/<case_no>/withdrawal": Row(CASE_SIDES, json={"reason": "计划变更", "version": 0}),
    "POST /api/v1/cases/<case_no>/evaluation": only(ENTERPRISE, json={"grades": [{"review_id": 1, "grade": 5}]}),
    "POST /api/v1/cases/<case_no>/parcels": Row(CASE_SIDES, json={"leg": "pickup"}),
    "POST /api/v1/parcels/<waybill>/handovers": Row(ACTING, json={"to": "authority", "scan_id": "probe"}),
    "POST /api/v1/parcels/<waybill>/transfer": Row(ACTING, json={"to_centre_id": 1}),
    "GET /api/v1/parcels/<waybill>/custody": SIGNED_IN,
    "POST /api/v1/facts/<int:fact_id>/correction": Row(ACTING, json={"reason": "看错", "words": "缺页"}),
    "PATCH /api/v1/reviews/<int:review_id>": Row(ACTING, json={"step": "simulated"}),
    "POST /api/v1/plans": only(LEAD, OPERATOR, json={"area": "320412000000", "date": "2026-11-25"}),
    "GET /api/v1/plans/<int:plan_id>": only(LEAD, SUPERVISOR, OPERATOR),
    "POST /api/v1/plans/<int:plan_id>/commit": only(LEAD, OPERATOR),
    "POST /api/v1/plans/<int:plan_id>/replan": only(LEAD, OPERATOR),
    "GET /api/v1/plans/<int:plan_id>/moves": only(LEAD, SUPERVISOR, OPERATOR),
    "POST /api/v1/plans/<int:plan_id>/moves": only(LEAD, OPERATOR, json={"stop": 1, "courier": 1}),
    "POST /api/v1/plans/<int:plan_id>/moves/undo": only(LEAD, OPERATOR, json={}),
    "PUT /api/v1/stops/<int:stop_id>/lock": only(LEAD, OPERATOR, json={"lets_go": True}),
    "DELETE /api/v1/plans/<int:plan_id>": only(LEAD, OPERATOR),
    "GET /api/v1/couriers/passes": only(LEAD, SUPERVISOR, OPERATOR),
    "POST /api/v1/couriers/passes/<int:pass_id>/calling-off": only(LEAD, OPERATOR, json={"why": "已带回"}),
    "POST /api/v1/couriers/<int:courier_id>/words": only(LEAD, OPERATOR, json={"words": "先去开发区"}),
    "GET /api/v1/couriers/calls": only(LEAD, SUPERVISOR, OPERATOR),
    "POST /api/v1/couriers/calls/<int:word_id>": only(LEAD, OPERATOR, json={"note": "已说好"}),
    "GET /api/v1/couriers/<int:courier_id>": only(LEAD, SUPERVISOR, OPERATOR),
    "PATCH /api/v1/couriers/<int:courier_id>": only(
        LEAD, OPERATOR, json={"vehicle": "van", "pieces": 100, "kilograms": 200}
    ),
    "POST /api/v1/couriers/<int:courier_id>/rules": only(LEAD, OPERATOR, json={"first_on": "2026-12-01"}),
    "DELETE /api/v1/couriers/<int:courier_id>/rules/<int:rule_id>": only(LEAD, OPERATOR),
    "POST /api/v1/couriers/roster": only(LEAD, OPERATOR, json={"lines": []}),
    "GET /api/v1/runs/mine": only(COURIER),
    "POST /api/v1/runs/facts": only(COURIER, json={**AN_EVENT, "stop": 1}),
    "POST /api/v1/runs/facts/<uuid:event_id>/photos": only(COURIER, json={"photos": []}),
    "POST /api/v1/runs/reports": only(COURIER, json={"event_id": str(uuid.uuid4()), "topic": "run", "note": "车坏了"}),
    "POST /api/v1/runs/reports/<int:report_id>/seen": only(COURIER),
    "POST /api/v1/runs/words/<int:told_id>/read": only(COURIER, json={}),
    "POST /api/v1/runs/end": only(COURIER, json={"event_id": str(uuid.uuid4()), "why": "vehicle"}),
    "POST /api/v1/runs/coming": only(
        COURIER, json={"event_id": str(uuid.uuid4()), "stop": 1, "why": "on_way", "in_minutes": 20}
    ),
    "POST /api/v1/runs/passes": only(COURIER, json={"event_id": str(uuid.uuid4()), "side": "give"}),
    "POST /api/v1/runs/phone": only(COURIER, json={"device": str(uuid.uuid4())}),
    "GET /api/v1/runs/uploads/<uuid:upload_id>": only(COURIER, scoped=False),
    "PUT /api/v1/runs/uploads/<uuid:upload_id>": only(COURIER, scoped=False),
    "POST /api/v1/stops/<int:stop_id>/events": only(COURIER, LEAD, json=AN_EVENT),
    "PUT /api/v1/stops/<int:stop_id>/papers": only(AGENT, LEAD, OPERATOR, json={}),
    "PUT /api/v1/stops/<int:stop_id>/point": only(LEAD, OPERATOR, json={"lon": 119.96, "lat": 31.72}),
    "POST /api/v1/stops/<int:stop_id>/proofs": only(COURIER, LEAD),
    "POST /api/v1/tickets": Row(STAFF | {ENTERPRISE}, json={"kind": "question", "words": "?", "area": "320412000000"}),
    "POST /api/v1/tickets/<ticket_no>": Row(STAFF, json={"step": "answered", "words": "明天"}),
    "GET /api/v1/search": Row(STAFF),
    "GET /api/v1/obligations": SIGNED_IN,
    "GET /api/v1/messages": only(LEAD, SUPERVISOR, OPERATOR),
    "POST /api/v1/messages/<int:message_id>/resend": only(LEAD, OPERATOR, json={"reason": "未收到"}),
    "GET /api/v1/divisions": SIGNED_IN,
    "GET /api/v1/centres": SIGNED_IN,
    "GET /api/v1/matters": SIGNED_IN,
    "GET /api/v1/agents": Row(STAFF),
    "GET /api/v1/agents/<int:agent_id>": only(LEAD, OPERATOR),
    "PUT /api/v1/agents/<int:agent_id>": only(LEAD, OPERATOR, json=AN_AGENT),
    "POST /api/v1/agents/<int:agent_id>/absences": only(LEAD, OPERATOR, json=A_LEAVE),
    "PUT /api/v1/agents/<int:agent_id>/absences/<int:absence_id>": only(LEAD, OPERATOR, json=A_LEAVE),
    "DELETE /api/v1/agents/<int:agent_id>/absences/<int:absence_id>": only(LEAD, OPERATOR),
    "GET /api/v1/agents/<int:agent_id>/departure": only(LEAD, OPERATOR),
    "POST /api/v1/agents/<int:agent_id>/departure": only(LEAD, OPERATOR, json={"seen": "x", "reason": "调离"}),
    # the team's desk
    "GET /team/agents": Row(STAFF),
    "GET /team/people/new": only(LEAD, OPERATOR),
    "POST /team/people/new": only(LEAD, OPERATOR, form={"name": ""}),
    "GET /team/agents/<int:agent_id>": Row(STAFF),
    "POST /team/agents/<int:agent_id>": only(LEAD, OPERATOR),
    "POST /team/agents/<int:agent_id>/leave/<int:absence_id>": only(LEAD, OPERATOR, form={"step": "cancel"}),
    "GET /team/agents/<int:agent_id>/departure": only(LEAD, OPERATOR),
    "POST /team/agents/<int:agent_id>/departure": only(LEAD, OPERATOR, form={"seen": "x", "reason": "调离"}),
    "POST /team/agents/<int:agent_id>/leave": only(
        LEAD, OPERATOR, form={"starts_on": "2027-03-01", "ends_on": "2027-03-01"}
    ),
    "GET /team/assignment": only(LEAD, OPERATOR),
    "POST /team/assignment": only(LEAD, OPERATOR),
    "GET /team/cases/<case_no>": Row(STAFF),
    "POST /team/cases/<case_no>/messages": Row(ACTING, form={"words": "明日踏勘"}),
    "POST /team/cases/<case_no>/messages/read": Row(ACTING),
    "POST /team/cases/<case_no>/messages/<int:case_message>/withdrawal": Row(ACTING),
    "POST /team/cases/<case_no>/messages/<int:case_message>/settlement": Row(ACTING, form={"reason": "已电话答复"}),
    "POST /team/cases/<case_no>/contacts": Row(ACTING, form={"words": "约周三补交平面图"}),
    "POST /team/cases/<case_no>/contacts/<int:contact_note>/corrections": Row(
        ACTING, form={"reason": "记错了", "words": "约周二补交"}
    ),
    "POST /team/cases/<case_no>/contacts/<int:contact_note>/follow-up": Row(ACTING),
    "POST /team/cases/<case_no>/corrected": Row(ACTING),
    "POST /team/cases/<case_no>/counter": Row(ACTING),
    "POST /team/cases/<case_no>/delivered": Row(ACTING),
    "POST /team/cases/<case_no>/delivery": Row(ACTING),
    "POST /team/cases/<case_no>/materials/<int:material_id>": Row(ACTING),
    "POST /team/cases/<case_no>/materials/<int:material_id>/steps": Row(ACTING, form=ASKED_AGAIN),
    "GET /team/projects/<project_no>/evidence": Row(STAFF),
    "POST /team/projects/<project_no>/evidence": Row(ACTING, form=LOOKED_UP),
    "POST /team/projects/<project_no>/evidence/<int:number>/withdrawal": Row(ACTING, form={"reason": "已注销"}),
    "GET /team/cases/<case_no>/materials/<int:material_id>": Row(STAFF),
    "GET /team/cases/<case_no>/documents/<int:review_event_id>": Row(STAFF),
    "GET /team/cases/<case_no>/proofs/<digest>": Row(STAFF),
    "POST /team/cases/<case_no>/parcels/<waybill>/scan": Row(ACTING, form={"to": "centre"}),
    "POST /team/cases/<case_no>/pickup": Row(ACTING),
    "POST /team/cases/<case_no>/prescreen": Row(ACTING),
    "POST /team/cases/<case_no>/refusal": Row(ACTING),
    "POST /team/cases/<case_no>/reviews/<int:review_id>": Row(ACTING, form={"step": "accepted"}),
    "POST /team/cases/<case_no>/submission": Row(ACTING),
    "GET /team/find": Row(STAFF),
    "GET /team/inbox": Row(STAFF),
    "GET /team/projects.csv": Row(STAFF),
    "GET /team/projects.xlsx": Row(STAFF),
    "GET /team/owed.csv": Row(STAFF),
    "GET /team/owed.xlsx": Row(STAFF),
    "GET /team/tickets.csv": Row(STAFF),
    "GET /team/tickets.xlsx": Row(STAFF),
    "GET /team/hotline": Row(STAFF),
    "POST /team/hotline": Row(STAFF, form={"kind": "question", "words": "?", "area": "320412000000"}),
    "POST /team/views": Row(STAFF, form={"list_name": "cases", "name": "红牌"}),
    "POST /team/views/removal": Row(STAFF, form={"list_name": "cases", "name": "红牌"}),
    "GET /team/inbox.csv": Row(STAFF),
    "GET /team/inbox.xlsx": Row(STAFF),
    "GET /team/owed": Row(STAFF),
    "GET /team/projects": Row(STAFF),
    "GET /team/projects/<project_no>": Row(STAFF),
    "GET /team/projects/<project_no>/lists": Row(STAFF),
    "GET /team/projects/<project_no>/why": Row(STAFF),
    "GET /team/projects/<project_no>/path": Row(STAFF),
    "POST /team/projects/<project_no>/path": only(LEAD, OPERATOR),
    "POST /team/projects/<project_no>/path/<int:number>/undo": only(LEAD, OPERATOR),
    "GET /team/relief": only(LEAD, OPERATOR),
    "POST /team/relief": only(LEAD, OPERATOR),
    "GET /team/staffing/teams": only(LEAD, OPERATOR),
    "GET /team/staffing/week": only(LEAD, OPERATOR),
    "GET /team/calibration": only(LEAD, SUPERVISOR, OPERATOR),
    "POST /team/projects/<project_no>/assignment": only(LEAD, OPERATOR),
    "POST /team/projects/<project_no>/joint-filings": Row(ACTING, form={"group": "DRAW", "form_number": "联1号"}),
    "POST /team/projects/<project_no>/referral": Row(ACTING),
    "GET /team/projects/<project_no>/corrections": Row(ACTING),
    "GET /team/projects/<project_no>/merger": only(LEAD, OPERATOR),
    "POST /team/projects/<project_no>/merger": only(LEAD, OPERATOR, form=A_MERGER),
    "POST /team/cases/<case_no>/matters": Row(ACTING, form={"reason": "多报", "drop": "IND-105"}),
    "POST /team/projects/<project_no>/corrections": Row(ACTING, form={"part": "site", "reason": "抄错"}),
    "POST /team/projects/<project_no>/referral/<int:referral_id>": Row(ACTING, form={"step": "accepted"}),
    "GET /team/tickets": Row(STAFF),
    "POST /team/cases/<case_no>/parcels/<waybill>/transfer": Row(ACTING),
    "POST /team/cases/<case_no>/stops/<int:stop_id>/papers": Row(ACTING),
    "POST /team/projects/<project_no>/facts/<int:fact_id>": Row(ACTING, form={"reason": "看错", "on": "2026-11-23"}),
    "POST /team/cases/<case_no>/facts/<int:fact_id>": Row(ACTING, form={"reason": "看错", "never_was": "1"}),
    "POST /team/tickets/<ticket_no>/facts/<int:fact_id>": Row(ACTING, form={"reason": "看错", "never_was": "1"}),
    "POST /team/tickets/<ticket_no>": Row(STAFF, form={"step": "answered"}),
}

MAY_ANSWER_ANYTHING_BUT = {401, 403, 404, 405, 500, 501}


# ---------------------------------------------------------------- the world


@pytest.fixture(scope="module")
def app(postgres: str, county_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over the world that world.py makes, once for all probes."""
    folder = tmp_path_factory.mktemp("scope")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAIBAN_HOME", str(folder))
        made = app_over(postgres, county_database, f"scope_{os.getpid()}", folder)
        yield made
    made.extensions["daiban.sessions"].kw["bind"].dispose()


@pytest.fixture(scope="module")
def world(app: Flask) -> World:
    found: World = app.extensions["world"]
    return found


def routes(app: Flask) -> dict[str, tuple[str, str, list[str]]]:
    """Every route but static files: its line in the table → method, rule, names in the URL."""
    return {
        f"{method} {rule.rule}": (method, rule.rule, sorted(rule.arguments))
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def url(app: Flask, line: str, args: ArgsOf) -> str:
    """The line's URL with these parts; a part that the world does not know is a word nobody has."""
    method, rule, names = routes(app)[line]
    found = next(r for r in app.url_map.iter_rules() if r.rule == rule and method in (r.methods or set()))
    adapter = app.url_map.bind("localhost")
    return adapter.build(found.endpoint, {name: args.get(name, "nobody") for name in names}, method=method)


def ask(app: Flask, client: FlaskClient, line: str, args: ArgsOf) -> TestResponse:
    row = ROUTES[line]
    method = line.split(" ", 1)[0]
    body: dict[str, object] = {"json": row.json} if row.json is not None else {"data": row.form or {}}
    if method in {"GET", "DELETE"}:
        body = {}
    elif "/api/" in line and row.json is None:
        body = {"json": {}}
    return client.open(url(app, line, args), method=method, buffered=True, **body)  # type: ignore[arg-type]


def client_of(app: Flask, world: World, role: Role) -> FlaskClient:
    with app.extensions["daiban.sessions"]() as session:
        account = session.get_one(type(world.accounts[role]), world.accounts[role].id)
    return signed_in_client(app, account)


# ---------------------------------------------------------------- the probes


def test_every_route_is_listed_and_every_line_is_a_route(app: Flask) -> None:
    there, listed = set(routes(app)), set(ROUTES)
    assert sorted(there - listed) == [], "say in ROUTES who may use these"
    assert sorted(listed - there) == [], "these lines of ROUTES are no routes"


def test_the_world_knows_every_part_of_a_scoped_url(app: Flask, world: World) -> None:
    unknown = {
        name
        for line, (_, _, names) in routes(app).items()
        if line in ROUTES and not ROUTES[line].public
        for name in names
        if name not in world.ours or name not in world.theirs
    }
    assert unknown == set(), "add these to a_case_of in tests/web/world.py"


def test_a_stranger_sees_only_what_is_public(app: Flask, world: World) -> None:
    for line in sorted(set(ROUTES) & set(routes(app))):
        answer = ask(app, app.test_client(), line, world.ours)
        if ROUTES[line].public:
            assert answer.status_code != 401, line
            is_half_way = line.endswith("/login/second")  # which begins with the password
            assert is_half_way or not (answer.location or "").startswith("/login"), line
        elif "/api/" in line:
            assert answer.status_code == 401, line
        else:
            assert answer.status_code == 302, line
            assert answer.location.startswith("/login"), line


def test_a_body_is_read_only_for_somebody_who_may_send_it(app: Flask, world: World) -> None:
    nobody = app.test_client()
    people = {role: client_of(app, world, role) for role in EVERYBODY}
    for line in sorted(line for line in set(ROUTES) & set(routes(app)) if "/api/" in line):
        method, row = line.split(" ", 1)[0], ROUTES[line]
        if method == "GET" or row.public:
            continue
        address = url(app, line, world.ours)
        assert nobody.open(address, method=method, json={"no such": "field"}).status_code == 401, line
        for role in sorted(EVERYBODY - row.roles)[:1]:
            answer = people[role].open(address, method=method, json={"no such": "field"})
            assert answer.status_code == 404, f"{role} on {line}"


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_a_role_is_answered_where_it_may_be_and_finds_nothing_elsewhere(app: Flask, world: World, role: Role) -> None:
    browser = client_of(app, world, role)
    absent = {
        "page": without_address(browser.get("/nowhere/at/all")),
        "api": without_address(browser.get("/api/v1/nowhere/at/all")),
    }
    for line in sorted(set(ROUTES) & set(routes(app)), key=lambda line: (not line.startswith("GET"), line)):
        row, names = ROUTES[line], routes(app)[line][2]
        if row.public or line in ENDS_A_SESSION:
            continue
        kind = "api" if "/api/" in line else "page"
        if role not in row.roles:
            answer = ask(app, browser, line, world.ours)
            assert answer.status_code == 404, f"{role} on {line}"
            assert without_address(answer) == absent[kind], f"{role} on {line} learns something"
            continue
        if names and row.scoped and role not in row.sees_all:
            answer = ask(app, browser, line, world.theirs)
            assert answer.status_code == 404, f"{role} on another's {line}"
            assert without_address(answer) == absent[kind], f"{role} on another's {line} learns something"
        answer = ask(app, browser, line, still_there(app, world, names))
        assert answer.status_code not in MAY_ANSWER_ANYTHING_BUT, f"{role} on {line}: {answer.status_code}"


def still_there(app: Flask, world: World, names: Collection[str]) -> ArgsOf:
    """Our parts of a URL, a rule or a leave written anew: the door before may have taken it away."""
    if "absence_id" in names:
        with app.extensions["daiban.sessions"].begin() as session:
            return {**world.ours, "absence_id": a_leave(session, int(world.ours["agent_id"])).id}
    if "rule_id" not in names:
        return world.ours
    with app.extensions["daiban.sessions"].begin() as session:
        courier = session.get_one(Courier, world.ours["courier_id"])
        return {**world.ours, "rule_id": a_shift_rule(session, courier).id}


def without_address(answer: TestResponse) -> str:
    """The page without what must differ: its own address, form tokens, the way back, news of what was done before."""
    page = re.sub(r'(?:content|value|href)="[^"]*"', "", answer.get_data(as_text=True))
    page = re.sub(r'<p class="notice (?:good|bad)" role="status">[^<]*</p>', "", page)
    page = re.sub(r"<time[^>]*>[^<]*</time>", "", page)  # the demo's clock goes on meanwhile
    return re.sub(r"\s+", " ", page)
