"""Entering evidence: what was looked up of an enterprise is entered into its register, or withdrawn from it."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen
from sqlalchemy import select

from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Number, Reason, Why
from dispatch.acts.case_contents import BY_EVIDENCE
from dispatch.acts.correcting_matters import ASKS
from dispatch.acts.evidence_keeping import hold, withdraw
from dispatch.cases.case import Case, Material, MaterialState
from dispatch.cases.evidence import Evidence, EvidenceOrigin
from dispatch.cases.notify import add_timeline_event, day_of
from dispatch.cases.project import Project
from dispatch.core.errors import NotFound, Refused, WrongStage
from dispatch.core.ids import BIGGEST, ProjectNo
from dispatch.core.localized_text import LocalizedText

WAITS = frozenset({MaterialState.WANTED, MaterialState.DEFECTIVE, MaterialState.AWAITED})


@dataclass(frozen=True, slots=True)
class EnteredEvidence:
    """A row of the register, and how many materials rest on it now."""

    number: int
    held: int


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class EnterEvidence:
    """A paper of the project's enterprise was looked up (查询登记): it is held from now on, until ``valid_until``.

    ``for_all``: it serves every project of the enterprise, and not this one alone. What open cases still ask for under
    this name is held by it at once."""

    project: ProjectNo
    version: int | None = None
    name: Annotated[str, MinLen(1), MaxLen(200)]
    paper_no: Number = ""
    issued_on: CalendarDate | None = None
    valid_until: CalendarDate | None = None
    reference: Reason = ""
    for_all: bool = False

    def perform(self, context: ActContext) -> EnteredEvidence:
        session, project = context.session, context.row(Project, self.project)
        today = day_of(context.at)
        self._check(today)
        row = Evidence(
            enterprise_id=project.enterprise_id, project_id=None if self.for_all else project.id,
            name=self.name.strip(), origin=EvidenceOrigin.ENTERED, number=self.paper_no.strip(),
            issued_on=self.issued_on, valid_until=self.valid_until, reference=self.reference.strip(),
            recorded_at=context.at, recorded_by=context.actor.label, account_id=context.actor.account_id,
        )  # fmt: skip
        session.add(row)
        session.flush()
        waiting = (
            select(Material)
            .join(Case, Case.id == Material.case_id)
            .where(
                Case.project_id == project.id, Case.stage.in_(ASKS), Material.name == row.name,
                Material.state.in_(WAITS), Material.mode.in_(BY_EVIDENCE),
            )
            .order_by(Material.id)
        )  # fmt: skip
        found = list(session.scalars(waiting))
        hold(session, found, {row.name: row}, by=context.actor, at=context.at)
        for material in found:
            words = LocalizedText("“%(name)s”已查到，不再索要", name=row.name)
            add_timeline_event(
                session, material.case, kind="evidence_entered", by=context.actor, at=context.at, words=words
            )
            material.case.version += 1
            material.case.changed_by = context.actor.label
        project.version += 1
        project.changed_by = context.actor.label
        return EnteredEvidence(row.id, len(found))

    def _check(self, today: date) -> None:
        if not self.paper_no.strip() and not self.reference.strip():
            raise Refused("nothing proves it", user_message="请填写证照编号或查询依据")
        if self.issued_on is not None and self.issued_on > today:
            raise Refused(f"issued on {self.issued_on}", user_message="发证日期不能晚于今天")
        if self.valid_until is not None and self.valid_until < today:
            raise Refused(f"valid until {self.valid_until}", user_message="已过有效期，不能登记为已有")


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawEvidence:
    """A row of the register proves nothing any more: what rests on it in open cases is asked for again."""

    project: ProjectNo
    version: int | None = None
    number: Annotated[int, Ge(1), Le(BIGGEST)]
    reason: Why

    def perform(self, context: ActContext) -> EnteredEvidence:
        session, project = context.session, context.row(Project, self.project)
        row = session.get(Evidence, self.number, with_for_update=True)
        if row is None or row.enterprise_id != project.enterprise_id or row.project_id not in (None, project.id):
            raise NotFound(f"project {project.project_no} has no evidence {self.number}")
        if row.withdrawn_at is not None:
            raise WrongStage(f"evidence {row.id} is withdrawn", user_message="这条已经撤回")
        if row.origin is EvidenceOrigin.RESULT:
            raise WrongStage(f"evidence {row.id} is a result", user_message="办理结果请在该事项上更正，登记随之撤回")
        withdraw(session, row, reason=self.reason, by=context.actor, at=context.at)
        project.version += 1
        project.changed_by = context.actor.label
        return EnteredEvidence(row.id, 0)
