"""Merging projects: a project that was written down twice becomes one; both numbers find it."""

from dataclasses import dataclass

from sqlalchemy import select, update

from agents.roster import Agent
from agents.slots import release_slot
from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import Why
from dispatch.acts.correcting_matters import take_out
from dispatch.acts.delegation import end_letter
from dispatch.acts.early_ends import end_silently
from dispatch.acts.evidence_keeping import follow_merge
from dispatch.assignment import rules, staffing
from dispatch.assignment.telling import tell_assigned, tell_member
from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.due_moments import prescreen_due
from dispatch.cases.lookups import lead_agent, open_cases
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice
from dispatch.cases.obligations.keeping import keep_dues_of
from dispatch.cases.project import Project, ProjectMember, ProjectState, Referral, TeamRole
from dispatch.cases.project_merge import WORK_FACTS, MovedCase, MovedWork, preview_merge, same_work
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.errors import Refused, Stale
from dispatch.core.ids import ProjectNo
from dispatch.core.localized_text import LocalizedText


@dataclass(frozen=True, slots=True)
class MergedProjects:
    """What a merge did: the number that is kept, how many cases moved to it and how many ended as asked for twice."""

    project_no: str
    moved: int
    ended: int


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class MergeProjects:
    """A project that was written down twice goes into the one that is kept, as it was read: ``seen``.

    Its cases go on there with all that is theirs; what both ask for is asked for once; its history stays, and its
    number finds the kept one. Refused where both have filed the same matter."""

    project: ProjectNo
    version: int | None = None
    into: ProjectNo
    seen: str = ""
    reason: Why

    def perform(self, context: ActContext) -> MergedProjects:
        session, duplicate, kept = context.session, context.row(Project, self.project), context.row(Project, self.into)
        preview = preview_merge(session, duplicate, kept)
        if preview.refusals:
            raise Refused(
                f"{duplicate.project_no} does not go into {kept.project_no}", user_message=preview.refusals[0]
            )
        if self.seen != preview.fingerprint:
            raise Stale("the merge is not the one that was read", user_message="情况有变化，请核对后再合并")
        cases = _drop_what_is_twice(context, (*preview.cases, *preview.kept_cases), self.reason)
        moved = [cases[one.case_no] for one in preview.cases]
        _keep_team(context, duplicate, kept)
        for case in moved:
            _move(context, case, duplicate, kept)
        _move_papers(context, duplicate, kept, preview.works)
        follow_merge(session, duplicate, kept)
        earlier = update(Project).where(Project.merged_into_id == duplicate.id).values(merged_into_id=kept.id)
        session.execute(earlier.execution_options(synchronize_session="fetch"))
        duplicate.merged_into_id, duplicate.changed_by = kept.id, context.actor.label
        if duplicate.state is not ProjectState.CLOSED:
            duplicate.move_to(ProjectState.CLOSED, at=context.at)
        kept.version += 1
        kept.changed_by = context.actor.label
        keep_dues_of(session, [case.id for case in moved])
        _tell(context, duplicate, kept)
        return MergedProjects(kept.project_no, len(moved), sum(one.ends for one in preview.cases))


def _drop_what_is_twice(context: ActContext, plan: tuple[MovedCase, ...], reason: str) -> dict[str, Case]:
    """What is asked for twice leaves the case where nothing has happened to it yet; the cases by their numbers."""
    session = context.session
    query = select(Case).where(Case.case_no.in_([one.case_no for one in plan])).order_by(Case.id).with_for_update()
    cases = {case.case_no: case for case in session.scalars(query)}
    for one in plan:
        case = cases[one.case_no]
        if one.ends:
            end_silently(session, case, reason=f"重复申请：{reason}", by=context.actor, at=context.at)
        elif one.drops:
            take_out(context, case, one.drops, reason=reason)
    session.flush()
    return cases


def _keep_team(context: ActContext, duplicate: Project, kept: Project) -> None:
    """The kept project keeps its agent, or takes over the duplicate's, and liaisons of counters that it has none at.

    Every other slot is free again."""
    session, theirs = context.session, duplicate.lead
    there = {member.counter for member in kept.liaisons}
    going = [member for member in duplicate.liaisons if member.counter not in there]
    for member in sorted((m for m in duplicate.members if m.until is None), key=lambda m: m.agent_id):
        member.until = context.at
        if member not in going:
            release_slot(session, member.agent_id)
    open_offers = select(Referral).where(
        Referral.project_id == duplicate.id, Referral.accepted_at.is_(None), Referral.declined_at.is_(None)
    )
    for offer in session.scalars(open_offers).all():
        offer.declined_at = context.at
    session.flush()
    choice = rules.AssignmentChoice(reason={"why": "项目合并"}, chosen_by=context.actor.label)
    for member in going:  # with the slot that it has
        values = rules.member_values(
            kept.id, member.agent_id, choice, by=context.actor, at=context.at, role=TeamRole.LIAISON,
            counter=member.counter,
        )  # fmt: skip
        kept.members.append(goes_on := ProjectMember(**values))
        session.flush()
        tell_member(session, goes_on, at=context.at)
    if kept.lead is None and theirs is not None:
        staffing.assign(
            session, kept, agent_id=theirs.agent_id, by=context.actor, at=context.at,
            choice=choice,
        )  # fmt: skip


def _move(context: ActContext, case: Case, duplicate: Project, kept: Project) -> None:
    """The case goes on under the kept project, with its reviews, materials, envelopes, stops and tickets."""
    session, lead, theirs = context.session, kept.lead, duplicate.members
    case.project = kept
    case.version += 1
    case.changed_by = context.actor.label
    words = LocalizedText("项目重复登记，本件由%(was)s并入%(now)s", was=duplicate.project_no, now=kept.project_no)
    add_timeline_event(session, case, kind="merged", by=context.actor, at=context.at, words=words)
    session.flush()
    if case.has_ended or lead is None:
        return
    case.look_anew()
    agent = session.get_one(Agent, lead.agent_id)
    if case.stage is Stage.REQUESTED:
        case.prescreen_by = prescreen_due(calendar_of(session), context.at)
        case.move_to(Stage.ASSIGNED, at=context.at, by=context.actor.label)
        tell_assigned(session, case, agent, at=context.at, by=context.actor)
    elif not any(member.agent_id == agent.id and member.until == context.at for member in theirs):
        changed = rules.lead_changed(agent.name, agent.id)
        values = rules.event_values(case.id, case.stage, changed, by=context.actor, at=context.at)
        session.add(CaseEvent(**values))


def _move_papers(
    context: ActContext, duplicate: Project, kept: Project, works: tuple[MovedWork, ...]
) -> None:  # fmt: skip
    """The letter and the code of the duplicate, where the kept one has none; all of the intermediaries' work."""
    session, today = context.session, day_of(context.at)
    for letter in [one for one in duplicate.delegations if one.is_in_force(today)]:
        if kept.delegation_on(today) is None:
            letter.project = kept
            session.flush()
            session.refresh(kept, ["delegations"])
        else:
            end_letter(
                session, letter, reason="项目合并，以保留项目的委托书为准", by=context.actor, at=context.at
            )  # fmt: skip
    if kept.project_code is None and duplicate.project_code is not None:
        code, duplicate.project_code = duplicate.project_code, None
        session.flush()
        kept.project_code = code
    for work, moved in zip(list(duplicate.intermediaries), works, strict=True):
        ours = same_work(work, kept)
        if ours is None:
            work.name, work.project_id = moved.becomes, kept.id
            continue
        for fact in WORK_FACTS:
            if getattr(ours, fact) is None:
                setattr(ours, fact, getattr(work, fact))


def _tell(context: ActContext, duplicate: Project, kept: Project) -> None:
    """The enterprise hears of it once, at a case that goes on."""
    cases = open_cases(context.session, kept)
    if not cases:
        return
    agent = lead_agent(context.session, cases[0], context.at)
    queue_notice(
        context.session, cases[0], "projects_merged", at=context.at, key=f"merge:{duplicate.project_no}",
        values={"project": kept.name, "agent": agent.name if agent else ""},
    )  # fmt: skip
