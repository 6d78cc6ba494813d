"""Scenes: cases of our county, each one step further along the path, brought there by the acts themselves."""

import itertools
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from agents.network import ServiceCentre
from agents.roster import Agent
from db import keyed_hash
from dispatch.acts.absences import RecordLeave
from dispatch.acts.acceptance import AcceptReview, AskSupplement
from dispatch.acts.act import perform
from dispatch.acts.answering import AnswerTicket, OpenTicket
from dispatch.acts.asking import RequestProject, SignDelegation, SiteGiven
from dispatch.acts.assigning import AssignProject
from dispatch.acts.batching import GatherBatch
from dispatch.acts.booking import BookDelivery, BookPickup
from dispatch.acts.case_messages import WriteCaseMessage
from dispatch.acts.closing import EvaluateCase, GradeGiven
from dispatch.acts.collection import HandIn
from dispatch.acts.contact_notes import NoteContact
from dispatch.acts.courier_run import HandInToCentre
from dispatch.acts.deciding import GrantOnCommitment, GrantReview
from dispatch.acts.delegation import AuthorisedPerson
from dispatch.acts.delivery import RecordDelivered
from dispatch.acts.entering_evidence import EnterEvidence
from dispatch.acts.filing import SubmitCase
from dispatch.acts.handover_lists import draw_up, outgoing
from dispatch.acts.live_moves import MoveStop
from dispatch.acts.notices import StopNotices
from dispatch.acts.papers import GiveMaterial
from dispatch.acts.path_editing import EditPath
from dispatch.acts.pausing import PauseReview
from dispatch.acts.plan_steps import AskForPlan, CommitPlan, ReportShift, ShiftChange
from dispatch.acts.prescreening import PrescreenCase
from dispatch.acts.referring import ReferProject
from dispatch.acts.stop_report import ReportStop
from dispatch.acts.waiving import WaiveMaterial
from dispatch.acts.witnessing import TrustWitness
from dispatch.assignment.absence import propose_relief
from dispatch.assignment.departure import propose_departure
from dispatch.assignment.propose import propose
from dispatch.cases import lookups
from dispatch.cases.case import Case, MaterialState, Way
from dispatch.cases.evaluation import Evaluation, Rectification, TicketKind
from dispatch.cases.project import Contact, Delegation, Power, Project
from dispatch.cases.project_merge import preview_merge
from dispatch.catalogue.matter import Family
from dispatch.core.actor import SYSTEM, Actor, Role
from dispatch.core.special_procedure import PauseKind
from dispatch.custody.handover_list import Direction
from dispatch.custody.parcel import Parcel
from dispatch.custody.signed_note import log_key
from dispatch.custody.transparency_log import latest_checkpoint, publish
from dispatch.custody.witness import Witness
from notifications.message import Message, State
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopAct
from routing.day.couriers import Courier
from routing.day.hours import Cutoff
from routing.day.planning import work_on
from routing.travel import Geodesic
from tests.dispatch.builders import MONDAY, TEN
from tests.web.world import ArgsOf, World

TWO_MATTERS = ("IND-104", "IND-105")
ONE_MATTER = ("IND-104",)
DRAWINGS = ("IND-301", "IND-302", "IND-303")
ON_COMMITMENT = ("IND-108",)
AFTERNOON = {"opens_s": 14 * 3600, "closes_s": 16 * 3600}
TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
FEW = 20
"""Iterations of the search: the plans here have a handful of stops."""
STOPPED_PHONE = "+8613800000077"
TALKATIVE_PHONE = "+8613800000043"


_numbers = itertools.count(1)


@dataclass
class Scenes:
    """What stands in addresses and commands in each scene, by the scene's name."""

    known: dict[str, ArgsOf] = field(default_factory=dict)

    def __getitem__(self, name: str) -> ArgsOf:
        return self.known[name]


class Walk:
    """One case on its way. Each step is an act; ``known`` is what then stands in addresses and commands."""

    def __init__(self, session: Session, world: World, actors: dict[Role, Actor]) -> None:
        self.session, self.actors, self.known = session, actors, dict(world.ours)

    def take(self, role: Role, command: Any) -> Any:
        return perform(self.session, command, self.actors[role])

    @property
    def case(self) -> Case:
        return self.session.scalars(select(Case).where(Case.case_no == str(self.known["case_no"]))).one()

    @property
    def parcel(self) -> Parcel:
        return self.session.scalars(select(Parcel).where(Parcel.waybill == str(self.known["waybill"]))).one()

    def requested(self, *, matters: tuple[str, ...] = ONE_MATTER, way: Way = Way.COURIER) -> None:
        asked = self.take(
            Role.ENTERPRISE,
            RequestProject(
                name=f"精密机床扩产项目{next(_numbers)}期", family=Family.INDUSTRIAL_PERMIT, matters=matters,
                pickup_way=way, site=SiteGiven("320412100000", 119.96, 31.72, "湖塘镇人民东路1号"),
            ),
        )  # fmt: skip
        self.known |= {"case_no": asked.case_no, "project_no": asked.project_no}
        self.known["message_id"] = self.session.scalars(
            select(Message.id).where(Message.case_id == self.case.id).limit(1)
        ).one()
        self.known["review_id"] = lookups.reviews_of(self.session, self.case)[0].id
        self.known["material_id"] = next(m.id for m in self.case.materials if not m.on_paper)

    def assigned(self, **more: Any) -> None:
        self.requested(**more)
        agent_id = self.actors[Role.AGENT].agent_id
        self.take(Role.LEAD, AssignProject(project=self.known["project_no"], agent_id=agent_id, reason="同站"))  # type: ignore[arg-type]

    def signed(self, **more: Any) -> None:
        self.assigned(**more)
        self.take(
            Role.ENTERPRISE,
            SignDelegation(
                project=self.known["project_no"], legal_representative="张法人", powers=tuple(Power),  # type: ignore[arg-type]
                people=(AuthorisedPerson("王经理", "+8613812345678"),), valid_to=date(2027, 6, 30),
            ),
        )  # fmt: skip
        project = self.session.get_one(Project, self.case.project_id)
        letter = self.session.scalars(select(Delegation).where(Delegation.project_id == project.id)).one()
        self.known["recipient_id"] = letter.recipients[0].id
        for material in self.case.materials:
            if not material.on_paper and material.state is MaterialState.WANTED:
                self.give(material.id)

    def duplicated(self) -> None:
        """The same project asked for twice: the one of the agent is kept."""
        self.signed()
        kept = self.case.project
        self.requested(matters=TWO_MATTERS)
        self.known |= {"into": kept.project_no}
        self.known["seen"] = preview_merge(self.session, self.case.project, kept).fingerprint

    def give(self, material_id: int) -> None:
        given = {"sha256": self.known["digest"], "media_type": "application/pdf", "filename": "a.pdf"}
        self.take(
            Role.ENTERPRISE, GiveMaterial(case=self.known["case_no"], material_id=material_id, **given)  # type: ignore[arg-type]
        )  # fmt: skip

    def corrected(self) -> None:
        """A defect was told, and what was asked for is given anew."""
        self.signed()
        defects = {self.known["material_id"]: "公章不清"}
        self.take(Role.AGENT, PrescreenCase(case=self.known["case_no"], defects=defects))  # type: ignore[arg-type]
        self.give(int(self.known["material_id"]))

    def spoken_to(self) -> None:
        """A call after which somebody has to come back to the enterprise."""
        self.signed()
        note = NoteContact(case=self.known["case_no"], words="约周三补交", follow_up_on=WEDNESDAY)  # type: ignore[arg-type]
        self.known["contact_note"] = self.take(Role.AGENT, note).note_id

    def written_to(self) -> None:
        """The enterprise wrote in its case, and nobody has read it."""
        self.signed()
        asked = WriteCaseMessage(case=self.known["case_no"], words="何时踏勘？")  # type: ignore[arg-type]
        self.known["case_message"] = self.take(Role.ENTERPRISE, asked).message_id

    def written_back(self) -> None:
        """The office wrote in the case, and the enterprise has not read it."""
        self.signed()
        answer = WriteCaseMessage(case=self.known["case_no"], words="周三踏勘")  # type: ignore[arg-type]
        self.known["case_message"] = self.take(Role.AGENT, answer).message_id

    def asked_for_correction(self) -> None:
        self.signed()
        defects = {self.known["material_id"]: "公章不清"}
        self.take(Role.AGENT, PrescreenCase(case=self.known["case_no"], defects=defects))  # type: ignore[arg-type]

    def evidenced(self) -> None:
        self.signed()
        entered = EnterEvidence(project=self.known["project_no"], name="营业执照", paper_no="91320412")  # type: ignore[arg-type]
        self.known["number"] = self.take(Role.LEAD, entered).number

    def batched(self) -> None:
        """A project that waits for its letter, alone in a batch."""
        self.assigned()
        gathered = GatherBatch(projects=(self.known["project_no"],), name="东区")  # type: ignore[arg-type]
        self.known["batch_id"] = self.take(Role.ENTERPRISE, gathered).batch_id

    def waivable(self) -> None:
        """A material that not every project owes."""
        self.signed(matters=ON_COMMITMENT)
        self.known["material_id"] = next(m.id for m in self.case.materials if m.state is MaterialState.GIVEN)

    def waived(self) -> None:
        self.waivable()
        waiver = WaiveMaterial(
            case=self.known["case_no"], material_id=self.known["material_id"], reason="非新建项目"  # type: ignore[arg-type]
        )  # fmt: skip
        self.take(Role.LEAD, waiver)

    def prescreened(self, **more: Any) -> None:
        self.signed(**more)
        self.take(Role.AGENT, PrescreenCase(case=self.known["case_no"]))  # type: ignore[arg-type]

    def booked(self, on: date = MONDAY) -> None:
        self.prescreened(matters=TWO_MATTERS)
        leg = self.take(Role.ENTERPRISE, BookPickup(case=self.known["case_no"], on=on, **AFTERNOON))  # type: ignore[arg-type]
        self.known |= {"waybill": leg.waybill, "stop_id": leg.stop_id}

    def at_centre(self) -> None:
        self.prescreened()
        leg = self.take(Role.AGENT, HandIn(case=self.known["case_no"]))  # type: ignore[arg-type]
        self.known["waybill"] = leg.waybill

    def filed(self, **more: Any) -> None:
        self.prescreened(way=Way.ELECTRONIC, **more)
        self.take(Role.AGENT, SubmitCase(case=self.known["case_no"]))  # type: ignore[arg-type]

    def joint(self) -> None:
        """Drawings that may be filed on one form."""
        self.prescreened(way=Way.ELECTRONIC, matters=DRAWINGS)

    def supplement(self) -> None:
        self.filed()
        self.take(Role.AGENT, AskSupplement(review=self.known["review_id"], words="请补正公章"))  # type: ignore[arg-type]

    def accepted(self, **more: Any) -> None:
        self.filed(**more)
        self._accept()

    def _accept(self) -> None:
        for review in lookups.reviews_of(self.session, self.case):
            self.take(Role.AGENT, AcceptReview(review=review.id, notice_no="受理1号"))  # type: ignore[arg-type]
        self.known["review_event_id"] = lookups.reviews_of(self.session, self.case)[0].events[-1].id

    def paused(self) -> None:
        self.accepted()
        self.take(
            Role.AGENT,
            PauseReview(
                review=self.known["review_id"], kind=PauseKind.HEARING, until=MONDAY + timedelta(days=9),  # type: ignore[arg-type]
                notice_no="特别1号", on=MONDAY, rule="许可法第四十五条",
            ),
        )  # fmt: skip

    def commitment(self) -> None:
        self.accepted(matters=ON_COMMITMENT)

    def on_commitment(self) -> None:
        self.commitment()
        until = MONDAY + timedelta(days=60)
        self.take(Role.AGENT, GrantOnCommitment(review=self.known["review_id"], notice_no="准1号", until=until))  # type: ignore[arg-type]

    def decided(self) -> None:
        """Everything is granted, and the papers that came in lie at the centre."""
        self.at_centre()
        self.take(Role.AGENT, SubmitCase(case=self.known["case_no"]))  # type: ignore[arg-type]
        self._accept()
        for review in lookups.reviews_of(self.session, self.case):
            self.take(Role.AGENT, GrantReview(review=review.id, notice_no="准1号"))  # type: ignore[arg-type]

    def on_the_way_home(self, on: date = MONDAY) -> None:
        self.decided()
        leg = self.take(Role.ENTERPRISE, BookDelivery(case=self.known["case_no"], on=on, **AFTERNOON))  # type: ignore[arg-type]
        self.known |= {"waybill": leg.waybill, "stop_id": leg.stop_id}

    def delivered(self) -> None:
        self.decided()
        self.take(Role.AGENT, RecordDelivered(case=self.known["case_no"], who="王经理"))  # type: ignore[arg-type]

    def badly_graded(self) -> None:
        self.delivered()
        grades = tuple(
            GradeGiven(review.id, 1, "太慢") for review in lookups.reviews_of(self.session, self.case)  # type: ignore[arg-type]
        )  # fmt: skip
        self.take(Role.ENTERPRISE, EvaluateCase(case=self.known["case_no"], grades=grades))  # type: ignore[arg-type]
        self.known["rectification_id"] = self.session.scalars(
            select(Rectification.id)
            .join(Evaluation, Evaluation.id == Rectification.evaluation_id)
            .where(Evaluation.case_id == self.case.id)
            .limit(1)
        ).one()

    def referred(self) -> None:
        """A colleague's project was offered to our agent."""
        self.requested()
        mine = self.actors[Role.AGENT].agent_id
        colleague = self.session.scalars(
            select(Agent.id).where(Agent.id != mine, Agent.division_id == self.actors[Role.AGENT].division_id).limit(1)
        ).one()
        project_no: Any = self.known["project_no"]
        self.take(Role.LEAD, AssignProject(project=project_no, agent_id=colleague, reason="同站"))  # type: ignore[arg-type]
        offered = self.take(Role.LEAD, ReferProject(project=project_no, agent_id=mine, reason="专长"))  # type: ignore[arg-type]
        self.known |= {"referral_id": offered.id, "assignment_id": self.case.project.members[-1].id}

    def asked(self) -> None:
        """An open question about a case of our agent's."""
        self.signed()
        ticket = self.take(
            Role.ENTERPRISE,
            OpenTicket(kind=TicketKind.QUESTION, words="何时办结？", case_no=self.known["case_no"]),  # type: ignore[arg-type]
        )
        self.known["ticket_no"] = ticket.ticket_no

    def not_told(self) -> None:
        """The provider could not deliver a notice of the case."""
        self.signed()
        self.session.get_one(Message, self.known["message_id"]).state = State.FAILED_PERMANENT

    def answered(self) -> None:
        self.asked()
        self.take(Role.AGENT, AnswerTicket(ticket=self.known["ticket_no"], words="下周三前"))  # type: ignore[arg-type]

    def written_down(self) -> None:
        """A material that the agent refused and another that may follow, beside an answered question."""
        self.answered()
        refused = next(m for m in self.case.materials if m.state is MaterialState.GIVEN)
        owed = next(m for m in self.case.materials if m.state is MaterialState.AWAITED)
        owed.deferrable = True
        self.take(
            Role.AGENT,
            PrescreenCase(
                case=self.known["case_no"], defects={refused.id: "公章不清"},  # type: ignore[arg-type, dict-item]
                deferred={owed.id: WEDNESDAY},  # type: ignore[dict-item]
            ),
        )  # fmt: skip
        self.known |= {"material_id": refused.id, "fact_id": refused.facts[-1].id}

    def to_send_on(self) -> None:
        """Papers at the county's centre that the city's is to have."""
        self.at_centre()
        city = select(ServiceCentre.id).where(ServiceCentre.level == "city").limit(1)
        self.known["centre_id"] = self.session.scalars(city).one()

    def edited(self) -> None:
        self.signed()
        edit = EditPath(
            project=self.known["project_no"], kind="add_wait", code="IND-104", on="IND-105", reason="先办预审"  # type: ignore[arg-type]
        )  # fmt: skip
        self.known["number"] = self.take(Role.LEAD, edit).number


BY_STEPS: dict[str, Callable[[Walk], None]] = {
    "requested": Walk.requested,
    "assigned": Walk.assigned,
    "signed": Walk.signed,
    "duplicated": Walk.duplicated,
    "asked_for_correction": Walk.asked_for_correction,
    "corrected": Walk.corrected,
    "spoken_to": Walk.spoken_to,
    "evidenced": Walk.evidenced,
    "batched": Walk.batched,
    "written_to": Walk.written_to,
    "written_back": Walk.written_back,
    "waivable": Walk.waivable,
    "waived": Walk.waived,
    "prescreened": lambda walk: walk.prescreened(matters=TWO_MATTERS),
    "unfiled": lambda walk: walk.prescreened(way=Way.ELECTRONIC),
    "booked": lambda walk: walk.booked(WEDNESDAY),
    "at_centre": Walk.at_centre,
    "filed": Walk.filed,
    "joint": Walk.joint,
    "supplement": Walk.supplement,
    "accepted": Walk.accepted,
    "paused": Walk.paused,
    "commitment": Walk.commitment,
    "on_commitment": Walk.on_commitment,
    "decided": Walk.decided,
    "delivered": Walk.delivered,
    "badly_graded": Walk.badly_graded,
    "referred": Walk.referred,
    "asked": Walk.asked,
    "answered": Walk.answered,
    "written_down": Walk.written_down,
    "to_send_on": Walk.to_send_on,
    "edited": Walk.edited,
    "failed": Walk.not_told,
}
"""Scenes that need nothing but a case of their own."""


def make_scenes(sessions: sessionmaker[Session], world: World, actors: dict[Role, Actor]) -> Scenes:
    """Every scene, in the database of ``world``; couriers' days are solved by the real search."""
    made = Scenes()
    with sessions.begin() as session:
        session.get_one(Agent, actors[Role.AGENT].agent_id).capacity = 100
        for name, steps in BY_STEPS.items():
            walk = Walk(session, world, actors)
            steps(walk)
            made.known[name] = walk.known
    _witnessed(sessions, world, made)
    _couriers_day(sessions, world, actors, made)
    _previewed(sessions, world, actors, made)
    _of_no_case(sessions, world, actors, made)
    return made


def _witnessed(sessions: sessionmaker[Session], world: World, made: Scenes) -> None:
    """The log of handovers under a checkpoint, and what a trusted witness has to hand in."""
    witness = Witness("ems.example/custody", Ed25519PrivateKey.generate())
    with sessions.begin() as session:
        publish(session, at=TEN)
        perform(session, TrustWitness(key=witness.key.line()), SYSTEM)
        newest = latest_checkpoint(session)
        assert newest is not None
        _, line = witness.cosign(newest.note, log_key(), seen=None, proof=(), at=TEN)
        made.known["witnessed"] = {**world.ours, "size": newest.size, "line": line, "witness": witness.name}


@contextmanager
def _walk(sessions: sessionmaker[Session], world: World, actors: dict[Role, Actor]) -> Iterator[Walk]:
    with sessions.begin() as session:
        yield Walk(session, world, actors)


def _couriers_day(
    sessions: sessionmaker[Session], world: World, actors: dict[Role, Actor], made: Scenes
) -> None:  # fmt: skip
    """Monday afternoon: our courier has a run, with a pickup to make, a delivery to load, papers to hand in."""
    with _walk(sessions, world, actors) as walk:
        mine = actors[Role.COURIER].courier_id
        for courier in walk.session.scalars(select(Courier.id).where(Courier.id != mine).order_by(Courier.id)):
            if courier != world.theirs["courier_id"] and walk.session.get_one(Courier, courier).courier_no != "EMS900":
                walk.take(Role.LEAD, ReportShift(courier=courier, what=ShiftChange.OUT))  # type: ignore[arg-type]
    for name, steps in (
        ("planned", lambda walk: walk.booked(MONDAY)),
        ("collected", lambda walk: walk.booked(MONDAY)),
        ("listed", lambda walk: walk.booked(MONDAY)),
        ("to_load", lambda walk: walk.on_the_way_home(MONDAY)),
        ("loaded", lambda walk: walk.on_the_way_home(MONDAY)),
    ):
        with _walk(sessions, world, actors) as walk:
            steps(walk)
            made.known[name] = walk.known
    plan_id = _plan(sessions, actors, on=MONDAY, cutoff=Cutoff.PM)
    with _walk(sessions, world, actors) as walk:
        walk.take(Role.LEAD, CommitPlan(plan=plan_id))  # type: ignore[arg-type]
        stop_id = made["planned"]["stop_id"]
        moved = MoveStop(plan=plan_id, stop=stop_id, courier=mine, travel=Geodesic())  # type: ignore[arg-type]
        walk.take(Role.LEAD, moved)  # which may be taken back
    for name in ("planned", "collected", "listed", "to_load", "loaded"):
        with _walk(sessions, world, actors) as walk:
            walk.known = made[name]
            run_id = walk.session.get_one(CourierStop, walk.known["stop_id"]).run_id
            assert run_id is not None and walk.session.get_one(CourierRun, run_id).courier_id == mine, name
            walk.known |= {"run_id": run_id, "plan_id": plan_id, "code": walk.parcel.code or "en"}
            if name == "planned":
                walk.known["courier_id"] = mine
    with _walk(sessions, world, actors) as walk:  # one envelope of the run is on a list that the centre has yet to sign
        walk.known = made["loaded"]
        centre = walk.session.get_one(ServiceCentre, walk.parcel.centre_id)
        sheet = draw_up(
            walk.session, centre=centre, courier_id=mine, parcels=[walk.parcel], direction=Direction.OUT, on=MONDAY,
            batch="11:30", at=walk.parcel.created_at,
        )  # fmt: skip
        sheet.courier_signed_at = walk.parcel.created_at
    with _walk(sessions, world, actors) as walk:  # what the courier leaves at the centre who takes one envelope along
        walk.known = made["to_load"]
        run = walk.session.get_one(CourierRun, walk.known["run_id"])
        there = {parcel.waybill for parcel in outgoing(walk.session, run)} - {walk.known["waybill"]}
        walk.known["left"] = " ".join(sorted(there))
    for name in ("listed", "collected"):  # the list is drawn up before more is collected
        with _walk(sessions, world, actors) as walk:
            walk.known = made[name]
            event_id = uuid.uuid4()
            walk.known["event_id"] = str(event_id)
            report = ReportStop(
                stop=walk.known["stop_id"], event_id=event_id, act=StopAct.COLLECTED, inspected=True,  # type: ignore[arg-type]
                code=walk.parcel.code, identity_checked=True,
            )  # fmt: skip
            walk.take(Role.COURIER, report)
            if name == "listed":
                walk.known["list_no"] = walk.take(Role.COURIER, HandInToCentre()).list_no


def _plan(sessions: sessionmaker[Session], actors: dict[Role, Actor], *, on: date, cutoff: Cutoff) -> int:
    with sessions.begin() as session:
        asked = AskForPlan(area="320412000000", date=on, cutoff=cutoff, limit=1)  # type: ignore[arg-type]
        plan_id = perform(session, asked, actors[Role.LEAD]).id
    work_on(sessions, plan_id, travel=Geodesic(), max_iterations=FEW)
    return plan_id


def _previewed(sessions: sessionmaker[Session], world: World, actors: dict[Role, Actor], made: Scenes) -> None:
    """A preview of Wednesday that waits to be committed, and a job of Tuesday that waits for a worker."""
    on_wednesday = made["booked"]
    plan_id = _plan(sessions, actors, on=WEDNESDAY, cutoff=Cutoff.PM)
    made.known["previewed"] = {**on_wednesday, "plan_id": plan_id}
    with sessions.begin() as session:
        asked = AskForPlan(area="320412000000", date=TUESDAY, cutoff=Cutoff.PM)  # type: ignore[arg-type]
        queued = perform(session, asked, actors[Role.LEAD]).id
    made.known["queued"] = {**world.ours, "plan_id": queued}


def _of_no_case(sessions: sessionmaker[Session], world: World, actors: dict[Role, Actor], made: Scenes) -> None:
    """A number that is left alone, an agent on a long leave, and proposals as they were read."""
    with _walk(sessions, world, actors) as walk:
        for phone in (STOPPED_PHONE, TALKATIVE_PHONE):  # of our enterprise: a lead reaches no others
            walk.session.add(
                Contact(
                    enterprise_id=world.ours["enterprise_id"],
                    name="七经理",
                    phone=phone,
                    phone_hash=keyed_hash(phone),
                    created_at=TEN,
                )
            )
        walk.session.flush()
        walk.take(Role.LEAD, StopNotices(phone=STOPPED_PHONE, reason="本人来电要求"))
        leave = RecordLeave(
            agent=world.ours["agent_id"], starts_on=MONDAY + timedelta(days=1), ends_on=MONDAY + timedelta(days=11)  # type: ignore[arg-type]
        )  # fmt: skip
        made.known["stopped"] = {**world.ours, "phone": STOPPED_PHONE}
        walk.take(Role.LEAD, leave)
    with sessions() as session:
        path = actors[Role.LEAD].division_path
        made.known["proposed"] = {**made["requested"], "seen": propose(session, at=TEN, path=path).fingerprint}
        relief = propose_relief(session, at=TEN, path=path).proposal.fingerprint
        agent = session.get_one(Agent, world.ours["agent_id"])
        departing = propose_departure(session, agent, at=TEN).fingerprint
        made.known["on_leave"] = {**world.ours, "seen": relief, "departing": departing}
        made.known["to_place"] = {**made["requested"], "project_id": _project_id(session, made["requested"])}


def _project_id(session: Session, known: ArgsOf) -> int:
    return session.scalars(select(Project.id).where(Project.project_no == str(known["project_no"]))).one()
