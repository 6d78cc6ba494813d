"""Review checks: which events of one matter cannot have happened so, whatever the order of writing down. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from dispatch.cases.review_event import DECISIONS, EventFacts, EventKind
from dispatch.cases.review_fold import Kind, ReviewStory
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.legal_clock import LegalClock


def check_story(story: ReviewStory) -> None:
    """Raises WrongStage or Refused where the events cannot have happened so."""
    _check_filings(story)
    _check_acceptance(story)
    _check_limits(story)
    _check_decision(story)


def _check_filings(story: ReviewStory) -> None:
    filings, asked = story.filings, story.of_kind(Kind.SUPPLEMENT_ASKED)
    _once(story, Kind.SIMULATED)
    _once(story, Kind.WITHDRAWN)
    if not len(asked) <= len(filings) <= len(asked) + 1:
        raise WrongStage(f"{len(filings)} filings and {len(asked)} requests for corrections do not alternate")
    for filing, correction in zip(filings, asked, strict=False):
        _not_before(correction, filing, user_message="告知补正不能早于报送")
        if not correction.words.strip():
            raise Refused("corrections need to be listed", user_message="请一次性列明全部补正内容")
        if story.moment(correction) > story.correction_due_at(filing):
            raise Refused("the five days have passed", user_message="已超过五个工作日，依法视为受理")
    for correction, refiled in zip(asked, filings[1:], strict=False):
        _not_before(refiled, correction, user_message="再次报送不能早于告知补正")
    if (drafted := story.last(Kind.SIMULATED)) is not None and filings:
        _not_before(filings[0], drafted, user_message="报送不能早于模拟审批")


def _check_acceptance(story: ReviewStory) -> None:
    written = story.of_kind(Kind.ACCEPTED)
    if len(written) > 1:
        raise WrongStage("the authority accepts once")
    if not written:
        return
    if not story.filings or not story.is_waiting:
        raise WrongStage("nothing was filed that could be accepted")
    (acceptance,) = written
    _not_before(acceptance, story.filings[-1], user_message="受理日期不能早于报送日期")
    if not acceptance.document_no.strip():
        raise Refused("an acceptance needs the number of its notice", user_message="请填写受理通知书编号")
    silent = story.last(Kind.DEEMED_ACCEPTED)
    if silent is not None and story.moment(acceptance) > story.correction_due_at(story.filings[-1]):
        raise WrongStage("silence had accepted before the notice", user_message="已超过五个工作日，依法视为受理")


def _check_limits(story: ReviewStory) -> None:
    begun, resumed, extended = story.of_kind(Kind.PAUSED), story.of_kind(Kind.RESUMED), story.of_kind(Kind.EXTENDED)
    if not begun and not resumed and not extended:
        return
    acceptance = story.acceptance
    if acceptance is None:
        raise WrongStage("a limit that does not run yet neither stands still nor is extended")
    pauses = story.pauses()
    for event in (*begun, *extended):
        _not_before(event, acceptance, user_message="不能早于受理日期")
    for earlier, later in pairwise(pauses):
        if earlier.ended_on is None or later.starts_on < earlier.ended_on:
            raise WrongStage("a special procedure begins while another stands", user_message="上一个特别程序尚未结束")
    if not extended:
        return
    if len(extended) > 1:
        raise Refused("the limit was extended already", user_message="只能延期一次")
    story.extension()
    if story.rules.statutory is None:
        return
    clock = LegalClock(
        accepted_at=story.accepted_at(acceptance), limit=story.rules.statutory, centre=story.rules.centre,
        pauses=tuple(pauses),
    )  # fmt: skip
    told_on = extended[0].notified_on or extended[0].happened_on
    on_approval = told_on == extended[0].happened_on
    told_at = story.moment(extended[0]) if on_approval else story.calendar.opens_at(told_on, story.rules.centre)
    if clock.is_too_late_to_extend(story.calendar, told_at):
        raise Refused("the limit has run out", user_message="法定时限已过，不能再延期")


def _check_decision(story: ReviewStory) -> None:
    decisions = story.of_kind(*DECISIONS)
    if len(decisions) > 1:
        raise WrongStage("a matter is decided once")
    verdicts = story.of_kind(Kind.COMMITMENT_VERIFIED, Kind.DECISION_REVOKED)
    if not decisions:
        if verdicts:
            raise WrongStage("nothing was granted on a commitment", user_message="该事项不是告知承诺办结")
        return
    (decision,) = decisions
    if story.last(Kind.WITHDRAWN) is not None:
        raise WrongStage("the matter was withdrawn")
    _check_basis(story, decision)
    if decision.kind in {Kind.DENIED, Kind.NOT_ACCEPTED} and not decision.words.strip():
        raise Refused("a denial needs its reasons", user_message=_REASONS_WANTED[decision.kind])
    if verdicts:
        _check_verdicts(verdicts, decision)


_REASONS_WANTED = {Kind.DENIED: "不予许可须说明理由并告知救济途径", Kind.NOT_ACCEPTED: "不予受理须说明理由"}


def _check_basis(story: ReviewStory, decision: EventFacts) -> None:
    """A decision rests on an acceptance; at once on a filing where the matter, or a commitment, lets it."""
    at_once = decision.kind in {Kind.GRANTED_ON_COMMITMENT, Kind.NOT_ACCEPTED} or (
        story.rules.same_day and decision.kind is Kind.GRANTED
    )
    acceptance = story.acceptance
    if not story.filings or not story.is_waiting:
        raise WrongStage("nothing is filed that could be decided")
    if acceptance is None:
        if not at_once:
            raise WrongStage("the matter is not accepted yet and is no same-day matter")
        _not_before(decision, story.filings[-1], user_message="决定日期不能早于报送日期")
    elif decision.kind is Kind.NOT_ACCEPTED:
        raise WrongStage("not accepted after the acceptance")
    else:
        _not_before(decision, acceptance, user_message="决定日期不能早于受理日期")
    if len(story.of_kind(Kind.PAUSED)) > len(story.of_kind(Kind.RESUMED)):
        raise WrongStage("a special procedure still stands", user_message="特别程序尚未结束，不能登记决定")
    for event in story.of_kind(Kind.RESUMED, Kind.EXTENDED):
        _not_before(decision, event, user_message="决定日期不能早于特别程序结束或延期")
    if decision.kind is Kind.GRANTED_ON_COMMITMENT and (
        decision.until is None or decision.until <= decision.happened_on
    ):
        raise Refused(f"verified by {decision.until}?", user_message="事后核查期限须晚于今天")


def _check_verdicts(verdicts: Sequence[EventFacts], decision: EventFacts) -> None:
    if decision.kind is not Kind.GRANTED_ON_COMMITMENT:
        raise WrongStage("nothing was granted on a commitment", user_message="该事项不是告知承诺办结")
    if len(verdicts) > 1:
        raise WrongStage("the commitment was verified already", user_message="已核查过，不能重复登记")
    _not_before(verdicts[0], decision, user_message="核查不能早于决定")


def _once(story: ReviewStory, kind: EventKind) -> None:
    if len(story.of_kind(kind)) > 1:
        raise WrongStage(f"{kind} twice")


def _not_before(event: EventFacts, earlier: EventFacts, *, user_message: str) -> None:
    """Days are compared, and moments where both are known."""
    both = event.happened_at is not None and earlier.happened_at is not None
    if event.happened_on < earlier.happened_on or (both and event.happened_at < earlier.happened_at):  # type: ignore[operator]
        raise Refused(
            f"{event.kind} on {event.happened_on} comes before {earlier.kind} on {earlier.happened_on}",
            user_message=user_message,
        )
