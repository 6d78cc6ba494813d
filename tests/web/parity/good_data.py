"""Good data: the scene in which each act goes through, and what its fields say there where any value will not do."""

import dataclasses
import uuid
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agents.network_import import DIVISIONS_FILE
from dispatch.acts.act import RULES, ids_in
from dispatch.acts.asking import PartyGiven, SiteGiven
from dispatch.acts.closing import GradeGiven
from dispatch.acts.delegation import AuthorisedPerson
from dispatch.acts.roadside import Side
from dispatch.acts.rostering import RosterLine
from dispatch.cases.evaluation import RectificationState
from dispatch.catalogue.matter import Family
from dispatch.custody.handover import Holder
from dispatch.custody.witness import Witness
from dispatch.path.edits import Relief
from routing.day.courier_stop import StopAct
from routing.travel import Geodesic
from tests.dispatch.builders import MONDAY
from tests.web.parity.scenes import DRAWINGS, ON_COMMITMENT, TALKATIVE_PHONE, TUESDAY, WEDNESDAY
from tests.web.parity.values import command_of
from tests.web.world import ArgsOf

Given = Mapping[str, Any]

SCENE: dict[str, str] = {
    "TrustWitness": "witnessed", "EndWitness": "witnessed", "TakeCosignature": "witnessed",
    "PassEnvelopes": "collected",
    "AnswerFacts": "signed",
    "CorrectContact": "signed", "CorrectEnterprise": "signed", "CorrectSite": "signed", "CorrectMatters": "signed",
    "CorrectFamily": "signed", "CorrectAssignment": "referred", "MergeProjects": "duplicated",
    "CorrectEvent": "accepted", "CorrectFact": "written_down", "CallBackTicket": "answered", "SendOn": "to_send_on",
    "AcceptReferral": "referred", "AcceptReview": "filed", "AnswerTicket": "asked", "ApplyBatch": "proposed",
    "AskForPlan": "queued", "AskSupplement": "filed", "AskWhatIf": "previewed", "AssignProject": "requested",
    "AttachProofs": "collected", "BookDelivery": "decided", "BookExchange": "decided", "BookPickup": "prescreened",
    "CancelPlan": "queued", "CommitPlan": "previewed", "ConfirmCommitment": "on_commitment", "DenyReview": "accepted",
    "DriveStopFirst": "planned", "EditPath": "signed", "EvaluateCase": "delivered", "ExtendReview": "accepted",
    "FileJointly": "joint",
    "GiveMaterial": "asked_for_correction", "GrantOnCommitment": "commitment", "GrantReview": "accepted",
    "HandIn": "prescreened", "HandInToCentre": "collected", "LoadRun": "to_load", "OpenCase": "signed",
    "MoveStop": "planned", "UndoMove": "planned", "LockStop": "planned", "ExpectPapers": "to_load",
    "PauseReview": "accepted", "PlaceWaiting": "to_place", "PrescreenCase": "signed", "PlaceStop": "planned",
    "ProposeEntrance": "planned",
    "RecordDelivered": "decided", "RectifyGrade": "badly_graded", "ReferProject": "signed",
    "RefileReview": "supplement", "RefuseAcceptance": "filed", "RefuseCase": "signed", "RelieveAgents": "on_leave",
    "RelieveOrder": "filed", "GatherBatch": "assigned", "SignBatch": "batched", "UndoBatch": "batched",
    "EnterEvidence": "signed", "WithdrawEvidence": "evidenced",
    "ReplanDay": "planned", "ReportStop": "planned", "RescheduleLeg": "booked", "ResendMessage": "failed",
    "ResumeNotices": "stopped", "ResumeReview": "paused", "ReturnCorrected": "corrected", "ReturnReview": "accepted",
    "RevokeDecision": "on_commitment", "RevokeDelegation": "signed", "ScanParcel": "at_centre",
    "SettleFollowUp": "spoken_to", "CorrectContactNote": "spoken_to", "SignDelegation": "assigned",
    "SignHandoverList": "listed",
    "ReadCaseMessages": "written_to", "SettleCaseMessage": "written_to", "WithdrawEnterpriseMessage": "written_to",
    "WithdrawOfficeMessage": "written_back",
    "WriteCaseMessage": "written_to",
    "SimulateReview": "unfiled", "SubmitCase": "at_centre", "TellComing": "planned", "UndoLoad": "loaded",
    "UndoPathEdit": "edited", "WaiveMaterial": "waivable", "WithdrawCase": "signed", "WithdrawWaiver": "waived",
}  # fmt: skip
"""An act that stands here is at home in this scene; any other is tried in each, until it goes through."""

DATA = Path("dispatch/data")
WORDS = "{case_no}由代办员{agent}（{station}）负责，电话{office_phone}。代办不收费，审批结果由审批部门依法作出。"
IN_THE_WAY = frozenset({"version"})
"""Fields that good data leaves out: what the person saw is what is there."""
AFTERNOON = {"on": TUESDAY, "opens_s": 14 * 3600, "closes_s": 16 * 3600}


def _project(known: ArgsOf) -> Given:
    return {
        "family": Family.INDUSTRIAL_PERMIT, "matters": ("IND-104",), "is_state_secret": False, "language": "en",
        "site": SiteGiven("320412100000", 119.96, 31.72, "人民东路7号"), "project_code": "2611-320412-04-01-123456",
        "party": PartyGiven("七星公司", "91320412MA1ABCDE81", "七经理", "+8613800000044"),
    }  # fmt: skip


CORRECTED: Given = {
    "never_was": False, "turns_out_as": None, "notice_no": "受7号", "words": "", "rule": "", "kind": None,
    "until": None, "maximum_wd": None, "working_days": None, "notified_on": None,
}  # fmt: skip


A_SHIFT: Given = {
    "weekdays": (1, 7), "first_on": WEDNESDAY, "last_on": WEDNESDAY + timedelta(days=60), "starts_s": 9 * 3600,
    "ends_s": 17 * 3600, "break_opens_s": 11 * 3600, "break_closes_s": 12 * 3600, "break_min": 45,
    "most_stops": 40, "most_km": 60,
}  # fmt: skip


GOOD: dict[str, Callable[[ArgsOf], Given]] = {
    "AddAgent": lambda _: {"phone": "+8613800000041"},
    "AddShiftRule": lambda _: A_SHIFT,
    "SubscribeWebhook": lambda _: {"url": "https://park.example/hook"},
    "EditAgent": lambda known: {"phone": "+8613800000045", "stand_in": known["stand_in_id"]},
    "RecordLeave": lambda _: {"starts_on": date(2027, 9, 6), "ends_on": date(2027, 9, 7)},
    "ChangeLeave": lambda _: {"starts_on": date(2027, 9, 13), "ends_on": date(2027, 9, 14)},
    "DepartAgent": lambda known: {"seen": str(known.get("departing", "-"))},
    "DropShiftRule": lambda known: {"rule_id": known["rule_id"]},
    "ImportRoster": lambda known: {"lines": (RosterLine(courier=known["courier_id"], **A_SHIFT),)},  # type: ignore[arg-type]
    "AddCourier": lambda _: {"phone": "+8613800000042"},
    "ApplyBatch": lambda known: {"area": None, "seen": known["seen"]},
    "AskForPlan": lambda _: {"date": WEDNESDAY, "limit": 7},
    "AttachProofs": lambda known: {"event_id": uuid.UUID(str(known["event_id"]))},
    "BookDelivery": lambda _: AFTERNOON,
    "BookExchange": lambda _: AFTERNOON,
    "BookPickup": lambda _: AFTERNOON,
    "RescheduleLeg": lambda _: AFTERNOON,
    "ConfirmCreditCode": lambda _: {"credit_code": "91320412MA1ABCDE7X"},
    "ExpectPapers": lambda _: {"on": TUESDAY, "second": 14 * 3600},
    "EditText": lambda _: {"words": WORDS, "note": "改得更清楚"},
    "FileJointly": lambda _: {"group": "DRAW", "matters": DRAWINGS, "on": MONDAY, "second": None},
    "ExtendReview": lambda _: {"notified_on": MONDAY},
    "CorrectContact": lambda _: {"phone": "+8613800000046"},
    "CorrectEnterprise": lambda _: {
        "name": "七星公司", "credit_code": "91320412MA1ABCDE81", "contact_phone": "+8613800000046",
    },
    "CorrectAssignment": lambda _: {"on": MONDAY, "second": None},
    "CorrectEvent": lambda _: CORRECTED,
    "CorrectFamily": lambda _: {"family": Family.PROPERTY_REGISTRATION, "matters": ("REG-02",)},
    "MergeProjects": lambda known: {"into": known["into"], "seen": known["seen"]},
    "AnswerFacts": lambda _: {"facts": {"land": "none"}},
    "CorrectMatters": lambda _: {"add": ("IND-201",), "drop": ()},
    "CorrectSite": lambda _: {"division_code": "320412101000", "lon": 119.91, "lat": 31.705},
    "CorrectContactNote": lambda _: {
        "never_was": False, "follow_up_on": TUESDAY, "nothing_left": False, "on": MONDAY, "second": None,
    },
    "CorrectFact": lambda _: {"never_was": False, "until": MONDAY + timedelta(days=9)},
    "ImportCalendar": lambda _: {"file": DATA / "calendar_2025_2027.csv"},
    "EstimateYear": lambda _: {"year": 2028, "reason": "通知读错了"},
    "ImportCatalogue": lambda _: {"files": tuple(sorted(DATA.glob("catalog_*.csv")))},
    "ImportNetwork": lambda _: {"file": Path(DIVISIONS_FILE), "centres": None},
    "PassEnvelopes": lambda known: {
        "passes": (), "colleague": known["courier_id"], "waybills": (known["waybill"],), "side": Side.GIVE,
    },
    "TellComing": lambda known: {"stop": known["stop_id"], "in_minutes": 7},
    "PlaceStop": lambda _: {"lon": 119.961, "lat": 31.721},
    "ProposeEntrance": lambda _: {"lon": 119.961, "lat": 31.721},
    "RevertText": lambda _: {"note": "改回原文"},
    "EditPath": lambda _: {"kind": "add_wait", "code": "IND-104", "on": "IND-105"},
    "EvaluateCase": lambda known: {"grades": (GradeGiven(known["review_id"], 1, "太慢"),)},  # type: ignore[arg-type]
    "TrustWitness": lambda _: {"key": Witness("centre.example/custody", Ed25519PrivateKey.generate()).key.line()},
    "EndWitness": lambda known: {"name": known["witness"]},
    "TakeCosignature": lambda known: {"size": known["size"], "line": known["line"]},
    "ErasePerson": lambda _: {"phone": "+8613812345678", "reason": "本人来电"},
    "ExportPerson": lambda _: {"phone": "+8613812345678", "reason": "本人来电"},
    "GrantOnCommitment": lambda _: {"until": MONDAY + timedelta(days=30)},
    "HandInToCentre": lambda known: {"missing": {known["waybill"]: "路上遗失"}},
    "MoveStop": lambda known: {
        "stop": known["stop_id"], "courier": known["courier_id"], "place": 1, "travel": Geodesic(),
    },
    "UndoMove": lambda _: {"travel": Geodesic()},
    "LoadRun": lambda known: {"taken": (known["waybill"],), "left": tuple(str(known["left"]).split())},
    "OpenCase": lambda _: {"matters": ON_COMMITMENT},
    "PlaceWaiting": lambda known: {"project_id": known["project_id"]},
    "SignBatch": lambda _: {
        "valid_to": MONDAY + timedelta(days=300), "legal_representative": "张法人",
        "people": (AuthorisedPerson("王经理", "+8613812345678"),),
    },
    "EnterEvidence": lambda _: {"issued_on": MONDAY, "valid_until": MONDAY + timedelta(days=300), "for_all": True},
    "WithdrawEvidence": lambda known: {"number": known["number"]},
    "RelieveOrder": lambda _: {"relief": Relief.DEFERRED, "until": MONDAY + timedelta(days=9), "words": "部门同意"},
    "ReportShift": lambda _: {"on": MONDAY, "minutes": 7},
    "PrescreenCase": lambda known: {"deferred": {}, "defects": {known["material_id"]: "公章不清"}},
    "RectifyGrade": lambda _: {"step": RectificationState.APPEALED},
    "RelieveAgents": lambda known: {"seen": known["seen"]},
    "ReportStop": lambda known: {
        "act": StopAct.COLLECTED, "waybills": (known["waybill"],), "exceptions": (), "reasons": {}, "found": (),
        "code": known["code"], "photos": (), "signature": None, "device_at": None, "sent_at": None,
    },
    "RequestProject": _project,
    "ResendMessage": lambda _: {"reason": "未收到"},
    "ResumeNotices": lambda known: {"phone": known["phone"], "reason": "本人来电"},
    "StopNotices": lambda _: {"phone": TALKATIVE_PHONE, "reason": "本人来电"},
    "ScanParcel": lambda _: {"to": Holder.AUTHORITY, "device_at": None},
    "SignDelegation": lambda _: {
        "matters": (), "valid_to": MONDAY + timedelta(days=300), "legal_representative": "张法人",
        "people": (AuthorisedPerson("王经理", "+8613812345678"),),
    },
    "SignHandoverList": lambda known: {"differences": {known["waybill"]: "封签破损"}},
    "UndoPathEdit": lambda known: {"number": known["number"]},
    "UnmaskNumber": lambda _: {"reason": "核对号码"},
}  # fmt: skip


def _today(act: type) -> Given:
    """What a paper or a counter dates is of today, at no hour that matters."""
    is_dated = {"on", "second", "late_reason"} <= RULES[act].hints.keys()
    return {"on": MONDAY, "second": None} if is_dated else {}


def good(act: type, known: ArgsOf, /, **more: Any) -> Any:
    """The act as somebody who knows the matter would take it in this scene."""
    given = {**_today(act), **GOOD.get(act.__name__, lambda _: {})(known), **more}
    empty = {name: None for name in IN_THE_WAY if name in RULES[act].hints}
    return command_of(act, known, **{**empty, **given})


def with_every_id(act: type, known: ArgsOf) -> Any:
    """The same, and with an id in each field that takes one."""
    command = good(act, known)
    full = command_of(act, known)
    unsaid = {
        name: getattr(full, name)
        for name, hint in RULES[act].hints.items()
        if not any(ids_in(hint, getattr(command, name))) and any(ids_in(hint, getattr(full, name)))
    }
    return dataclasses.replace(command, **unsaid)
