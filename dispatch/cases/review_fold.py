"""Review fold: what a matter's standing events say it is now, whatever the order they were written down in. Pure.

State, limits and due moments follow from the set of the events, the calendar, the counter's hours and today; nothing
here reads what was derived before."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import zip_longest
from typing import Protocol

from dispatch.cases.review_event import DECISIONS, EventFacts, EventKind
from dispatch.cases.review_state import ReviewState
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.legal_clock import Extension, LegalClock, LimitClocks
from dispatch.core.limit import Limit
from dispatch.core.special_procedure import BadPause, Pause, PauseKind
from dispatch.core.statutory_limits import correction_due_at, deemed_accepted_on, delivery_due_at
from dispatch.core.working_days import Calendar
from dispatch.path.edits import Relief

Kind = EventKind
_DECIDED = {
    Kind.GRANTED: ReviewState.GRANTED,
    Kind.GRANTED_ON_COMMITMENT: ReviewState.GRANTED,
    Kind.DENIED: ReviewState.DENIED,
    Kind.RETURNED: ReviewState.RETURNED,
    Kind.NOT_ACCEPTED: ReviewState.NOT_ACCEPTED,
}


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """What the events are read with: the limits (None: there is none), and the counter's centre.

    ``joint_cap``: what the matter's joint group promises for the whole; it binds what was filed on the group's form."""

    statutory: Limit | None
    committed: Limit | None
    same_day: bool = False
    centre: str | None = None
    joint_cap: Limit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFacts:
    """A matter as its events tell it: what the columns of its row hold, and its special procedures."""

    state: ReviewState = ReviewState.PREPARED
    filed_at: datetime | None = None
    receipt_no: str | None = None
    joint_group: str | None = None
    joint_no: str | None = None
    capped_from: datetime | None = None
    joint_due_at: datetime | None = None
    correction_due_at: datetime | None = None
    correction_asked_at: datetime | None = None
    correction_words: str | None = None
    accepted_at: datetime | None = None
    acceptance_no: str | None = None
    deemed_accepted: bool = False
    legal_due_at: datetime | None = None
    committed_due_at: datetime | None = None
    is_provisional: bool = False
    extension_wd: int | None = None
    extension_approved_on: date | None = None
    extension_notified_on: date | None = None
    extension_reason: str | None = None
    decided_at: datetime | None = None
    decision_no: str | None = None
    decision_reason: str | None = None
    deliver_by: datetime | None = None
    verify_by: date | None = None
    verified_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReviewStory:
    """The standing events of one matter, each kind in the order of its days."""

    events: tuple[EventFacts, ...]
    rules: ReviewRules
    calendar: Calendar

    @classmethod
    def of(cls, events: Iterable[EventFacts], rules: ReviewRules, calendar: Calendar) -> ReviewStory:
        """The same story for any order of ``events``."""
        return cls(tuple(sorted(events, key=_in_order)), rules, calendar)

    def of_kind(self, *kinds: EventKind) -> list[EventFacts]:
        """Events of these kinds, earliest first."""
        return [event for event in self.events if event.kind in kinds]

    def last(self, *kinds: EventKind) -> EventFacts | None:
        """The latest event of these kinds."""
        found = self.of_kind(*kinds)
        return found[-1] if found else None

    def moment(self, event: EventFacts) -> datetime:
        """When it happened: where only the day is known, as the counter opened that day."""
        if event.happened_at is not None:
            return event.happened_at
        return self.calendar.opens_at(event.happened_on, self.rules.centre)

    @property
    def filings(self) -> list[EventFacts]:
        return self.of_kind(Kind.FILED)

    @property
    def joint_filing(self) -> EventFacts | None:
        """The filing on the form of a joint group; corrections are filed again on the same form."""
        return next((filing for filing in self.filings if filing.joint_group), None)

    @property
    def is_waiting(self) -> bool:
        """Whether the authority has a filing on which it has not asked for corrections."""
        return len(self.filings) > len(self.of_kind(Kind.SUPPLEMENT_ASKED))

    @property
    def acceptance(self) -> EventFacts | None:
        """The written acceptance; else the silence that outlasted the five days after the last filing."""
        if not self.is_waiting:
            return None
        written = self.last(Kind.ACCEPTED)
        if written is not None:
            return written
        silent, due_at = self.last(Kind.DEEMED_ACCEPTED), self.correction_due_at(self.filings[-1])
        refused = self.last(Kind.NOT_ACCEPTED)
        if refused is not None and self.moment(refused) <= due_at:
            return None
        return silent if silent is not None and self.moment(silent) >= due_at else None

    @property
    def decision(self) -> EventFacts | None:
        return self.last(*DECISIONS)

    def correction_due_at(self, filing: EventFacts) -> datetime:
        """Until when the authority may ask for corrections to this filing."""
        return correction_due_at(self.calendar, self.moment(filing), self.rules.centre)

    def pauses(self) -> list[Pause]:
        """The special procedures: the first end belongs to the first beginning, and so on. Raises Refused."""
        found = []
        for begun, ended in zip_longest(self.of_kind(Kind.PAUSED), self.of_kind(Kind.RESUMED)):
            if begun is None:
                raise WrongStage("a special procedure ends that never began", user_message="没有进行中的特别程序")
            found.append(_pause(begun, None if ended is None else ended.happened_on))
        return found

    def extension(self) -> Extension | None:
        """The extension that stands. Raises Refused where its paper breaks a rule."""
        event = self.last(Kind.EXTENDED)
        if event is None:
            return None
        try:
            return Extension(
                event.happened_on, event.notified_on or event.happened_on, event.words, event.working_days or 0
            )
        except ValueError as error:
            raise Refused(str(error), user_message="延期须写明理由，批准日期不得晚于告知日期") from error

    def decided_at(self) -> datetime | None:
        """When it was decided or withdrawn: on the day of its acceptance, not before that."""
        ended = self.decision or self.last(Kind.WITHDRAWN)
        if ended is None:
            return None
        acceptance = self.acceptance
        return self.moment(ended) if acceptance is None else max(self.moment(ended), self.accepted_at(acceptance))

    def accepted_at(self, acceptance: EventFacts) -> datetime:
        """From when the limit runs: silence accepts as of the day of the filing."""
        if acceptance.kind is Kind.ACCEPTED:
            return self.moment(acceptance)
        filed_at = self.moment(self.filings[-1])
        filed_on = deemed_accepted_on(self.calendar, filed_at, self.rules.centre)
        return max(filed_at, self.calendar.closes_at(filed_on, self.rules.centre))

    def state(self) -> ReviewState:
        """Where the matter is with its authority."""
        if self.last(Kind.WITHDRAWN) is not None:
            return ReviewState.WITHDRAWN
        if (decision := self.decision) is not None:
            return _DECIDED[decision.kind]
        if self.acceptance is not None:
            if len(self.of_kind(Kind.PAUSED)) > len(self.of_kind(Kind.RESUMED)):
                return ReviewState.PAUSED
            return ReviewState.ACCEPTED if self.last(Kind.EXTENDED) is None else ReviewState.EXTENDED
        if self.filings:
            return ReviewState.SUBMITTED if self.is_waiting else ReviewState.SUPPLEMENT
        return ReviewState.PREPARED if self.last(Kind.SIMULATED) is None else ReviewState.SIMULATED


def relief_in(events: Iterable[EventFacts]) -> Relief | None:
    """The relief that the events themselves bring."""
    kinds = {event.kind for event in events}
    if Kind.GRANTED_ON_COMMITMENT in kinds:
        return Relief.COMMITMENT
    return Relief.SIMULATED if Kind.SIMULATED in kinds else None


def fold(story: ReviewStory, today: date) -> ReviewFacts:
    """What the matter is now. ``today`` matters only while a special procedure is open."""
    filing = story.filings[-1] if story.filings else None
    asked, acceptance, decision = story.last(Kind.SUPPLEMENT_ASKED), story.acceptance, story.decision
    extension, state = story.extension(), story.state()
    decided_at = story.decided_at()
    joint = story.joint_filing
    verified, revoked = story.last(Kind.COMMITMENT_VERIFIED), story.last(Kind.DECISION_REVOKED)
    on_paper = decision is not None and decision.kind is not Kind.NOT_ACCEPTED
    facts = ReviewFacts(
        state=state,
        filed_at=None if filing is None else story.moment(filing),
        receipt_no=None if filing is None else filing.document_no,
        joint_group=None if joint is None else joint.joint_group,
        joint_no=None if joint is None else joint.document_no,
        capped_from=None if joint is None or filing is None else story.moment(filing),
        correction_due_at=None if filing is None else story.correction_due_at(filing),
        correction_asked_at=story.moment(asked) if asked is not None and state is ReviewState.SUPPLEMENT else None,
        correction_words=None if asked is None else asked.words,
        accepted_at=None if acceptance is None else story.accepted_at(acceptance),
        acceptance_no=None if acceptance is None else acceptance.document_no,
        deemed_accepted=acceptance is not None and acceptance.kind is Kind.DEEMED_ACCEPTED,
        extension_wd=None if extension is None else extension.working_days,
        extension_approved_on=None if extension is None else extension.approved_on,
        extension_notified_on=None if extension is None else extension.notified_on,
        extension_reason=None if extension is None else extension.reason,
        decided_at=decided_at,
        decision_no=None if decision is None else decision.document_no,
        decision_reason=None if decision is None else decision.words or None,
        deliver_by=delivery_due_at(story.calendar, decided_at, story.rules.centre)
        if decided_at is not None and on_paper
        else None,
        verify_by=decision.until if decision is not None and decision.kind is Kind.GRANTED_ON_COMMITMENT else None,
        verified_at=None if verified is None else story.moment(verified),
        revoked_at=None if revoked is None else story.moment(revoked),
    )
    pauses = tuple(story.pauses())
    clocks, cap = limit_clocks(facts, pauses, story.rules), _cap_clock(facts, pauses, story.rules)
    binding = clocks.binding(story.calendar, today)
    return replace(
        facts,
        joint_due_at=None if cap is None else cap.due_at(story.calendar, today),
        legal_due_at=None if clocks.legal is None else clocks.legal.due_at(story.calendar, today),
        committed_due_at=None if binding is None else binding.due_at(story.calendar, today),
        is_provisional=binding is not None and binding.is_provisional(story.calendar, today),
    )


class KeptLimits(Protocol):
    """What a limit runs by, as the fold says it or as a row keeps it."""

    @property
    def capped_from(self) -> datetime | None: ...
    @property
    def accepted_at(self) -> datetime | None: ...
    @property
    def decided_at(self) -> datetime | None: ...
    @property
    def extension_wd(self) -> int | None: ...
    @property
    def extension_approved_on(self) -> date | None: ...
    @property
    def extension_notified_on(self) -> date | None: ...
    @property
    def extension_reason(self) -> str | None: ...


def limit_clocks(kept: KeptLimits, pauses: Iterable[Pause], rules: ReviewRules) -> LimitClocks:
    """The clocks of the limits; none before the acceptance, and where there is no limit."""
    if kept.accepted_at is None:
        return LimitClocks(None, None)
    standing, since = tuple(pauses), kept.accepted_at
    return LimitClocks(
        legal=_clock(kept, standing, rules.statutory, rules.centre, since=since),
        promise=_clock(kept, standing, rules.committed, rules.centre, since=since),
        cap=_cap_clock(kept, standing, rules),
    )


def _cap_clock(kept: KeptLimits, pauses: tuple[Pause, ...], rules: ReviewRules) -> LegalClock | None:
    """The cap of a joint filing runs from the day of the form, as one intake for all that stand on it."""
    return _clock(kept, pauses, rules.joint_cap, rules.centre, since=kept.capped_from)


def _clock(
    kept: KeptLimits, pauses: tuple[Pause, ...], limit: Limit | None, centre: str | None, *, since: datetime | None
) -> LegalClock | None:
    if since is None or limit is None:
        return None
    extension = None
    if kept.extension_wd and kept.extension_approved_on and kept.extension_notified_on:
        extension = Extension(
            kept.extension_approved_on, kept.extension_notified_on, kept.extension_reason or "延期", kept.extension_wd
        )
    return LegalClock(
        accepted_at=since, limit=limit, centre=centre, pauses=pauses, extension=extension, decided_at=kept.decided_at,
    )  # fmt: skip


def _in_order(event: EventFacts) -> tuple[date, float, str, str]:
    """By day, then by moment; what only the day is known of is taken for the end of it."""
    at = event.happened_at
    return event.happened_on, math.inf if at is None else at.timestamp(), event.document_no, event.words


def _pause(begun: EventFacts, ended_on: date | None) -> Pause:
    if begun.pause_kind is None or begun.until is None or begun.maximum_wd is None:
        raise Refused("a pause needs its kind and its expected end", user_message="请选择特别程序种类和预计结束日期")
    try:
        return Pause(
            kind=PauseKind(begun.pause_kind), notice=begun.document_no, starts_on=begun.happened_on,
            expected_end_on=begun.until, maximum_wd=begun.maximum_wd, ended_on=ended_on, rule=begun.rule,
        )  # fmt: skip
    except BadPause as error:
        raise Refused(str(error), user_message=error.user_message) from error
