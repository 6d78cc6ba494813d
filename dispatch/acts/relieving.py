"""Relieving: the authority lets a matter be filed, or granted, before those that it waits for; the reason is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Number, Why
from dispatch.acts.recording import PaperStep, record
from dispatch.acts.review_result import ReviewResult, review_result
from dispatch.cases.case import Case
from dispatch.cases.notify import add_timeline_event, day_of
from dispatch.cases.review import Review
from dispatch.cases.review_event import EVENT_LABEL, EventFacts, EventKind
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.localized_text import DayText, LocalizedText
from dispatch.path.edits import Relief

RELIEVED_BY: Mapping[Relief, EventKind] = MappingProxyType(
    {Relief.DEFERRED: EventKind.ORDER_DEFERRED, Relief.COMMITMENT: EventKind.ORDER_COMMITTED}
)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class RelieveOrder(PaperStep):
    """The matter need not wait for its prerequisites until the day ``until``, as the authority says, for this reason.

    容缺受理 lets it be filed, and be granted once they are; 告知承诺 lets it also be granted before them."""

    relief: Relief
    until: CalendarDate
    words: Why
    notice_no: Number = ""

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        kind = RELIEVED_BY.get(self.relief)
        if kind is None:
            raise Refused(f"{self.relief} relieves of no order", user_message="请选择容缺受理或告知承诺")
        if review.is_decided:
            raise WrongStage(f"review {review.id} is {review.state}", user_message="该事项已有决定，不能再登记")
        if self.until <= (self.on or day_of(context.at)):
            raise Refused(f"until {self.until}", user_message="补齐期限须晚于登记日期")
        relieved = EventFacts(kind=kind, document_no=self.notice_no, words=self.words, until=self.until)
        event = record(context.session, review, relieved, self.when(), by=context.actor, at=context.at)
        words = LocalizedText(
            "%(matter)s：%(relief)s至%(day)s（%(reason)s）", matter=review.matter.short_name,
            relief=LocalizedText(EVENT_LABEL[kind]), day=DayText(self.until), reason=self.words,
        )  # fmt: skip
        case = context.session.get_one(Case, review.case_id)
        add_timeline_event(
            context.session, case, kind="order_relieved", by=context.actor, at=context.at, words=words,
            review_id=review.id, event_id=event.id,
        )  # fmt: skip
        return review_result(review)
