"""Batching: projects asked for together become a batch, which one letter covers and one act takes back."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import MaxLen, MinLen
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts import delegation
from dispatch.acts.act import APPLICANTS, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Why
from dispatch.acts.asking import FullName
from dispatch.acts.early_ends import withdraw
from dispatch.cases.access_control import visible_projects
from dispatch.cases.case import Case
from dispatch.cases.lookups import open_cases, parcels_of
from dispatch.cases.notify import day_of
from dispatch.cases.project import Power, Project, ProjectState
from dispatch.cases.project_batch import MOST_PROJECTS, ProjectBatch
from dispatch.cases.stages import Stage
from dispatch.core.actor import Role
from dispatch.core.canonical import visible_text
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.ids import BatchId, ProjectNo
from dispatch.core.localized_text import LocalizedText
from dispatch.custody.parcel import ParcelState

UNTOUCHED = frozenset({Stage.REQUESTED, Stage.ASSIGNED, Stage.CORRECTION})
"""Stages in which the office has not passed anything on yet."""


@dataclass(frozen=True, slots=True)
class GatheredBatch:
    """A batch and its projects."""

    batch_id: int
    projects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BatchLetters:
    """The projects that the letter covers from now on."""

    batch_id: int
    signed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UndoneBatch:
    """The projects that were taken back, and those that stay because somebody has gone on with them."""

    batch_id: int
    taken_back: tuple[str, ...]
    kept: tuple[str, ...]


@act(by=APPLICANTS)
@dataclass(frozen=True, slots=True, kw_only=True)
class GatherBatch:
    """These projects belong together: a park's, or those of one sheet. A project is in one batch at most."""

    projects: Annotated[tuple[ProjectNo, ...], MinLen(1), MaxLen(MOST_PROJECTS)]
    name: Annotated[str, MaxLen(80)] = ""

    def perform(self, context: ActContext) -> GatheredBatch:
        rows = [context.row(Project, project_no) for project_no in dict.fromkeys(self.projects)]
        if taken := next((row for row in rows if row.batch_id is not None), None):
            words = LocalizedText("%(no)s 已在另一个批次里", no=taken.project_no)
            raise WrongStage(f"{taken.project_no} is in batch {taken.batch_id}", user_message=words)
        batch = ProjectBatch(
            name=visible_text(self.name), enterprise_id=context.actor.enterprise_id,
            account_id=context.actor.account_id, gathered_at=context.at, gathered_by=context.actor.label,
        )  # fmt: skip
        context.session.add(batch)
        context.session.flush()
        context.touch(ProjectBatch, batch.id)
        for row in rows:
            row.batch_id = batch.id
        return GatheredBatch(batch.id, tuple(row.project_no for row in rows))


@act(by={Role.ENTERPRISE})
@dataclass(frozen=True, slots=True, kw_only=True)
class SignBatch:
    """One delegation letter (委托书) for every open project of the batch that has none in force."""

    batch: BatchId
    legal_representative: FullName
    powers: Annotated[tuple[Power, ...], MinLen(1), MaxLen(10)]
    people: Annotated[tuple[delegation.AuthorisedPerson, ...], MinLen(1), MaxLen(20)]
    valid_to: CalendarDate
    may_pass_on: bool = False

    def perform(self, context: ActContext) -> BatchLetters:
        today = day_of(context.at)
        without = [
            row
            for row in _projects(context, context.row(ProjectBatch, self.batch))
            if row.state is not ProjectState.CLOSED and row.delegation_on(today) is None
        ]
        if not without:
            raise WrongStage(f"batch {self.batch} needs no letter", user_message="本批次没有需要签署委托书的项目")
        for row in without:
            delegation.delegate(
                context.session, row, legal_representative=self.legal_representative, powers=set(self.powers),
                people=self.people, valid_to=self.valid_to, may_pass_on=self.may_pass_on, by=context.actor,
                at=context.at,
            )  # fmt: skip
            context.touch(Project, row.id)
        return BatchLetters(self.batch, tuple(row.project_no for row in without))


@act(by=APPLICANTS)
@dataclass(frozen=True, slots=True, kw_only=True)
class UndoBatch:
    """The whole batch is taken back on the day it was filed. What somebody has gone on with stays, and is named."""

    batch: BatchId
    reason: Why

    def perform(self, context: ActContext) -> UndoneBatch:
        session, batch = context.session, context.row(ProjectBatch, self.batch)
        if day_of(batch.gathered_at) != day_of(context.at):
            raise WrongStage(
                f"batch {batch.id} is of another day", user_message="只能在提交当天整批撤回；之后请逐个撤回"
            )
        taken_back, kept = list[str](), list[str]()
        for row in _projects(context, batch):
            if row.state is ProjectState.CLOSED:
                continue
            cases = open_cases(session, row)
            if not all(_is_untouched(session, case) for case in cases):
                kept.append(row.project_no)
                continue
            for case in cases:
                withdraw(session, case, reason=self.reason, by=context.actor, at=context.at)
            context.touch(Project, row.id)
            taken_back.append(row.project_no)
        if not taken_back:
            raise Refused(f"nothing of batch {batch.id} is left", user_message="本批次没有可以撤回的项目")
        batch.undone_at, batch.undo_reason = context.at, self.reason
        return UndoneBatch(batch.id, tuple(taken_back), tuple(kept))


def _projects(context: ActContext, batch: ProjectBatch) -> list[Project]:
    """The batch's projects that the actor sees, locked in their order."""
    query = select(Project).where(Project.batch_id == batch.id, visible_projects(context.actor)).order_by(Project.id)
    return list(context.session.scalars(query.with_for_update(of=Project).execution_options(populate_existing=True)))


def _is_untouched(session: Session, case: Case) -> bool:
    """Whether nothing of the case has left the enterprise, so that it can be as if it had never been asked for."""
    return case.stage in UNTOUCHED and all(
        parcel.state is ParcelState.CANCELLED for parcel in parcels_of(session, case)
    )
