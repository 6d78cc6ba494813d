"""Excuses: what a door does otherwise than all, with its reason. One that is not needed any more fails the build."""

from collections.abc import Mapping
from typing import Any, Protocol

KEPT_BACK: Mapping[str, str] = {
    "UnmaskNumber": "a whole number is not kept with the record of the step",
    "ExportPerson": "what was said to a person is not kept with the record of the step",
    "ErasePerson": "where a person's data stood is not kept with the record of the step",
    "ApplyBatch": "how many moves were made is kept, not each of them",
}
"""Acts whose second answer holds less than the first: it is not kept, or not all of it."""


NO_FORM: Mapping[str, str] = {
    "enterprise.read_messages": "the page shows it once the office has written",
    "team.drop_view": "a list shows it once a view of it was kept",
    "bulk.intake": "the page shows it once a sheet was checked",
    "team.move_stop": "the board shows it once a move was looked at",
    "team.merge": "the page shows it once the project that is kept is chosen",
    "team.make_plan": "the day's page offers it where stops wait and no plan stands",
    "enterprise.intake_review": "the wizard's last page is there once a draft is filled in",
    "courier.see_answer": "the phone shows it once a dispatcher has answered",
}
"""Endpoints whose form is on no page that the scenes show."""

OF_THE_PAGE: Mapping[tuple[str, str], str] = {
    ("courier.act", "photo"): "photos come as files, and the act names them by their digest",
    ("courier.load_scan", "waybill"): "one scanned envelope beside those that are ticked",
    ("handovers.sign", "difference"): "one field for each envelope",
    ("team.edit", "wait"): "both ends of a wait in one choice",
    **{
        (endpoint, power): "a tick for each power"
        for endpoint in ("enterprise.sign_letter", "bulk.sign_batch")
        for power in ("receive", "out", "correct")
    },
}
"""Fields of a form that the page itself reads, by endpoint and field."""

NOT_SEEN: Mapping[str, str] = {
    "team.cancel_plan": "a computation that runs is given up whatever it has come to meanwhile",
    "enterprise.give_paper": "papers are given side by side, each in a row of its own",
    "team.give": "papers are given side by side, each in a row of its own",
}
"""Endpoints whose form carries no version although its act takes one."""


UNVERSIONED: Mapping[str, str] = {
    "AddAgent": "one more row: nothing that was seen is overwritten",
    "AddCourier": "one more row: nothing that was seen is overwritten",
    "AddShiftRule": "one more rule: nothing that was seen is overwritten",
    "AnswerTicket": "a ticket is answered once, and its state refuses a second answer",
    "ApplyBatch": "``seen`` is the fingerprint of the proposal that was read",
    "CorrectFact": "an event that was replaced is no longer the one that stands, and a second correction is refused",
    "AskForPlan": "a job: one that waits or runs for the batch is joined",
    "CancelLeave": "names the one leave; what is over refuses it",
    "ChangeLeave": "the form sends all that there is of a leave, and the last word on it counts",
    "ChangeWebhookKey": "another key is drawn each time, and the former one counts for a day more",
    "DepartAgent": "``seen`` is the fingerprint of the handover that was read",
    "CallBackTicket": "a ticket is called back about once, and its state refuses a second time",
    "DropShiftRule": "names the one rule that is taken back, and a rule never changes",
    "DriveStopFirst": "the courier orders the own run, and every window that breaks is asked about first",
    "EndWebhook": "an ended address cannot be named again",
    "EditCourier": "the form sends all that there is of a vehicle, and the last word on it counts",
    "RouteTicket": "an answered ticket refuses it, and the latest word on its owner counts",
    "WriteCaseMessage": "one more row, and ``seen`` names the last message that was read",
    "ReadCaseMessages": "reading changes nothing that anybody could overwrite",
    "SettleCaseMessage": "what was answered or settled stays so: the first time counts",
    "WithdrawEnterpriseMessage": "what the other side has read is refused, and the first time counts",
    "WithdrawOfficeMessage": "what the other side has read is refused, and the first time counts",
    "NoteContact": "one more row: nothing that was seen is overwritten",
    "CorrectContactNote": "a note that was replaced no longer stands, and a second correction is refused",
    "SettleFollowUp": "what was followed up stays so: the first time counts",
    "LoadRun": "what stays behind and was not named as read is asked about first",
    "OpenTicket": "one more row: nothing that was seen is overwritten",
    "PauseWebhook": "the latest word of its one owner counts",
    "PlaceStop": "the latest word on where an address is counts",
    "ProposeEntrance": "a proposal, once for its id: a lead takes it by the report's version",
    "ReadCourierWord": "reading changes nothing that anybody could overwrite",
    "RecordCall": "a call is recorded once, and its state refuses a second one",
    "RecordLeave": "one more absence: nothing that was seen is overwritten",
    "RectifyGrade": "the state that a rectification is in names the steps that may follow",
    "ReportShift": "the latest word on a shift counts: a courier who is out is out",
    "ReportStop": "a proven fact outranks the plan: it is kept whatever changed meanwhile",
    "ResumeWebhook": "the latest word of its one owner counts",
    "RequestProject": "one more row, and the same one twice is refused by name and place",
    "RescheduleLeg": "the latest appointment counts until the run is committed, and then it is refused",
    "ResendMessage": "what was sent is not sent again: the state refuses it",
    "ScanParcel": "a fact of custody: the chain refuses what cannot follow its last link",
    "SeeAnswer": "reading changes nothing that anybody could overwrite",
    "SendOn": "a fact of custody: the chain refuses what cannot follow its last link",
    "SignBatch": "what has a letter is left as it is, and a batch without any refuses",
    "SignHandoverList": "a list never changes; one that both sides signed refuses a third signature",
    "SkipDelivery": "the state that a delivery is in refuses a second time",
    "TellAgain": "the same line once more, with the id that it had: the other side knows it",
    "TellCourier": "one more word: nothing that was seen is overwritten",
    "UndoBatch": "what somebody has gone on with meanwhile stays, and is named",
    "UndoLoad": "refused once the centre has signed, and what comes back is what the plan had there",
    "UnmaskNumber": "a look: nothing changes but the line that says who looked",
}
"""Acts on a row that take no version of it, each with what keeps an old view from overwriting a newer state."""


class DoorLike(Protocol):
    """A door: its act and its address."""

    @property
    def act(self) -> type: ...

    @property
    def rule(self) -> str: ...


Reasons = Mapping[tuple[str, ...], str]

REFUSED_TWICE: Reasons = {
    ("UnmaskNumber", "/team/outbox/<int:message_id>/number"): "a whole number is not kept with the record of the step",
    ("ErasePerson", "/team/privacy"): "where a person's data stood is not kept with the record of the step",
    ("ExportPerson", "/team/privacy"): "what was said to a person is not kept with the record of the step",
}
"""Doors whose second sending is not answered as the first."""

NOT_KEPT_APART: Reasons = {
    (
        "EditAgent",
        "/team/agents/<int:agent_id>",
        "division_code",
    ): "a place that is not in the list is said on the page",
    ("AddAgent", "/team/people/new", "division_code"): "a place that is not in the list is said beside the field",
    ("AddCourier", "/team/people/new", "division_code"): "a place that is not in the list is said beside the field",
    ("ImportRoster", "/team/roster/sheet", "courier_id"): "a number that is no courier's is said in its row",
    ("OpenTicket", "/my/tickets", "case_no"): "a case that is not there is said beside the field",
    ("EvaluateCase", "/my/cases/<case_no>/evaluation", "review_id"): "only the case's own matters are read",
}
"""Doors that answer what is absent, or not the actor's, by something else than a page that is not there."""

INTAKE, SHEET = "/my/intake/review", "/bulk"
LATE = {"on second late_reason": "an enterprise says what it does now; the staff write down what was earlier"}


PICKUP, DELIVERY = "/my/cases/<case_no>/pickup", "/my/cases/<case_no>/delivery"
LEGS = (("BookPickup", PICKUP), ("BookDelivery", DELIVERY))


def _not_asked(act: str, rule: str, why: Mapping[str, str]) -> Reasons:
    return {(act, rule, name): reason for names, reason in why.items() for name in names.split()}


NOT_ASKED: Reasons = {
    **_not_asked(*LEGS[0], {"payer": "the page says that the government pays"}),
    **_not_asked(*LEGS[1], {"payer": "the page says that the government pays"}),
    **_not_asked(*LEGS[0], {"contact_name contact_phone": "whom the letter names is there"}),
    **_not_asked(*LEGS[1], {"contact_name contact_phone": "whom the letter names is there"}),
    **_not_asked("OpenTicket", "/my/tickets", {"area phone": "the place and the number are the enterprise's own"}),
    **_not_asked("OpenTicket", "/my/tickets", LATE),
    **_not_asked("GiveMaterial", INTAKE, LATE),
    **_not_asked("OpenTicket", "/my/tickets", {"from_12345": "an enterprise asks for itself"}),
    **_not_asked("RequestProject", INTAKE, {"enterprise_id party contact_id": "the enterprise asks for itself"}),
    **_not_asked("RequestProject", INTAKE, {"language": "no page asks which language the agent should speak"}),
    **_not_asked("OpenCase", INTAKE, {"version": "a draft may be days old, and one more case clashes with nothing"}),
    **_not_asked("SignDelegation", INTAKE, {"project version": "the project that the same form has just made"}),
    **_not_asked("GiveMaterial", INTAKE, {"case material_id version": "the case that the same form has just made"}),
    **_not_asked("SignDelegation", "/my/projects/<project_no>/letter", {"matters": "the letter is for all matters"}),
    **_not_asked("RequestProject", SHEET, {"pickup_way delivery_way facts language": "a sheet has what is usual"}),
    **_not_asked("RequestProject", SHEET, {"enterprise_id contact_id": "each row says whose project it is"}),
}
"""Fields that a door does not ask for, by act, address and field."""


class Excuses:
    """Looks at each door: what is not right needs its excuse, and an excuse needs what is not right."""

    def __init__(self, reasons: Reasons) -> None:
        self.reasons, self.faults = reasons, []  # type: tuple[Reasons, list[str]]

    def see(self, where: DoorLike | tuple[DoorLike, str], is_right: bool, fault: str) -> None:
        """``where``: a door, or a field of what it takes."""
        door, *more = where if isinstance(where, tuple) else (where,)
        key: tuple[Any, ...] = (door.act.__name__, door.rule, *more)
        if is_right and key in self.reasons:
            self.faults.append(f"{key} needs its excuse no more")
        if not is_right and key not in self.reasons:
            self.faults.append(fault)
