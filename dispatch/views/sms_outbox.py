"""What the outbox page shows: messages as they were sent, masked, what became of them, and the daily report."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import false, func, or_, select
from sqlalchemy.orm import Session

from dispatch.cases.access_control import visible_messages, visible_numbers, within
from dispatch.cases.case import Case
from dispatch.core.actor import Actor
from dispatch.core.localized_text import LocalizedText
from notifications import facts, outbox, people, text_catalogue
from notifications.inbound import InboundSms
from notifications.message import Message, State
from notifications.moment import read_moment
from notifications.people import ERASED
from notifications.segments import segments
from notifications.suppression import SuppressedNumber, SuppressionReason

PAGE = 50
MOST_LEFT_ALONE = 100
MOST_REPLIES = 20
STATE_LABEL = {
    State.QUEUED: "待发送",
    State.CLAIMED: "发送中",
    State.SENT: "已提交运营商",
    State.DELIVERED: "已送达",
    State.FAILED_TEMPORARY: "未送达（可重发）",
    State.FAILED_PERMANENT: "发送失败",
    State.UNKNOWN: "结果不明，需人工核对",
    State.EXPIRED: "已过期未发",
    State.SUPPRESSED: "未单独发送",
}
STATE_KIND = {
    State.DELIVERED: "green",
    State.FAILED_TEMPORARY: "amber",
    State.FAILED_PERMANENT: "red",
    State.UNKNOWN: "red",
    State.EXPIRED: "amber",
    State.SUPPRESSED: "amber",
}
WHY_SUPPRESSED = {
    SuppressionReason.ASKED_US.value: "未发：本人要求停发",
    SuppressionReason.ASKED_PROVIDER.value: "未发：对方已向运营商退订",
    SuppressionReason.UNREACHABLE.value: "未发：该号码收不到短信",
    ERASED: "未发：个人信息已按要求删除",
    outbox.TAKEN_BACK: "未发：登记已更正",
}
PURPOSE_LABEL = {  # a test holds that every text of texts.toml is here
    "login_code": "登录验证码",
    "requested": "已受理代办申请",
    "assigned": "已指派代办员",
    "project_for_agent": "新项目通知（代办员）",
    "project_wrongly_given": "误派项目更正（代办员）",
    "projects_for_agent": "当日新项目合并通知（代办员）",
    "prescreened": "预审通过",
    "correction": "一次性补正告知",
    "pickup": "上门揽收时段和取件码",
    "collected": "已揽收",
    "submitted": "已报送",
    "due_firm": "期限确定",
    "accepted_no_limit": "已受理（无时限）",
    "accepted": "部门已受理",
    "paused": "特别程序暂停计时",
    "extended": "部门延期",
    "late": "晚于预计及原因",
    "decided": "部门已作出决定",
    "denied": "不予许可及救济途径",
    "not_accepted": "不予受理及救济途径",
    "returned": "容缺材料逾期退办",
    "record_corrected": "更正此前告知",
    "project_corrected": "更正项目登记",
    "projects_merged": "项目合并",
    "ticket_moved": "答复时间调整",
    "contact_corrected": "更正联系人",
    "told_wrongly": "告知发错号码",
    "delivery": "投递时段和收件码",
    "delivered": "已送达",
    "closed": "已归档",
    "refused": "不予代办及原因",
    "withdrawn": "已撤件",
    "agent_changed": "更换代办员",
    "window_changed": "上门时段变更",
    "window_cancelled": "上门取消",
    "visit": "上门时段（其他政务邮件）",
    "visit_moved": "上门时段变更（其他政务邮件）",
    "visit_late": "揽投员晚到（其他政务邮件）",
    "visit_coming": "揽投员在路上（其他政务邮件）",
    "visit_cancelled": "上门取消（其他政务邮件）",
    "attempt_failed": "揽投未成功",
    "courier_late": "揽投员晚到",
    "courier_coming": "揽投员在路上",
    "bad_grade": "差评通知（监督）",
    "rectified": "整改结果",
    "commitment_revoked": "撤销决定",
    "first_ask_escalated": "首问未接收（组长）",
    "delegation_revoked": "委托已解除",
    "supplement_due": "容缺材料到期",
    "evidence_expiring": "已有证照或材料即将到期",
    "message_written": "代办员留言",
    "message_for_agent": "企业留言（代办员）",
    "ticket_received": "已登记咨询投诉",
    "complaint_for_desk": "投诉通知（监督）",
    "ticket_answered": "咨询投诉已答复",
    "ticket_for_agent": "工单转办（代办员）",
    "ticket_corrected": "咨询投诉更正",
    "assigned_pickup": "指派和揽收合并通知",
    "collected_submitted": "揽收和报送合并通知",
    "decided_delivery": "决定和投递合并通知",
    "news_of_case": "一个办件多条进展合并",
    "news": "多个办件进展合并",
    "news_for_staff": "待办合并通知（工作人员）",
}
AGAIN = frozenset({State.FAILED_TEMPORARY, State.FAILED_PERMANENT, State.UNKNOWN, State.EXPIRED})


@dataclass(frozen=True, slots=True)
class MessageLine:
    """One message of the outbox, as pages may show it."""

    id: int
    text_name: str
    purpose: str
    body: str
    to: str
    case_no: str
    state: State
    words: str
    kind: str
    reason: str
    attempts: int
    segments: int
    cost_fen: int | None
    created_at: datetime
    not_before: datetime
    sent_at: datetime | None
    settled_at: datetime | None
    gateway: str
    receipt: str
    resend_of_id: int | None
    resend_reason: str
    may_resend: bool


def messages(
    session: Session,
    viewer: Actor,
    *,
    state: State | None = None,
    case_no: str = "",
    after: int | None = None,
    limit: int = PAGE,
    plain: bool = False,
) -> tuple[list[MessageLine], int | None]:
    """The newest first, and where the next page begins."""
    query = (
        select(Message, Case.case_no)
        .outerjoin(Case, Case.id == Message.case_id)
        .where(visible_messages(viewer))
        .order_by(Message.id.desc())
    )
    if state is not None:
        query = query.where(Message.state == state)
    if case_no.strip():
        query = query.where(Case.case_no.contains(case_no.strip(), autoescape=True))
    if after is not None:
        query = query.where(Message.id < after)
    rows = session.execute(query.limit(limit + 1)).all()
    moment = read_moment(session)
    ahead = moment.now - moment.real if moment.is_demo else timedelta()
    shown = [_line(session, message, number or "", ahead, plain=plain) for message, number in rows[:limit]]
    return shown, (shown[-1].id if len(rows) > limit else None)


def _line(session: Session, message: Message, case_no: str, ahead: timedelta, *, plain: bool) -> MessageLine:
    """``ahead``: how far the program's clock is from the provider's; the page shows the program's alone."""
    settings = outbox.settings()
    body = outbox.body_of(session, message, plain=plain)
    text = text_catalogue.catalogue().texts.get(message.text_name)
    count = message.segments or (segments(body) if body else 0)
    fen = message.cost_fen
    if fen is None and count:
        fen = count * settings.fen_a_segment.get(message.gateway or settings.mainland[0].gateway, 0)
    return MessageLine(
        id=message.id,
        text_name=message.text_name,
        purpose=PURPOSE_LABEL.get(message.text_name, message.text_name),
        body=body or "（内容已按规定清除）",
        to=people.shown(message),
        case_no=case_no,
        state=message.state,
        words=_state_words(message),
        kind=STATE_KIND.get(message.state, ""),
        reason="" if message.state is State.SUPPRESSED else message.reason or "",
        attempts=message.attempts,
        segments=count,
        cost_fen=fen,
        created_at=message.created_at,
        not_before=message.not_before,
        sent_at=message.sent_at,
        settled_at=None if message.settled_at is None else message.settled_at + ahead,
        gateway=message.gateway or "",
        receipt=message.error_code or "",
        resend_of_id=message.resend_of_id,
        resend_reason=message.resend_reason or "",
        may_resend=message.state in AGAIN and bool(text) and not (text and text.once) and bool(message.values_json),
    )


def _state_words(message: Message) -> str:
    """What became of it, in words that tell one cause of silence from another."""
    if message.state is not State.SUPPRESSED:
        return STATE_LABEL[message.state]
    if message.carrier_id is not None:
        return LocalizedText("已并入短信%(number)s", number=message.carrier_id)
    return WHY_SUPPRESSED.get(message.reason or "", STATE_LABEL[State.SUPPRESSED])


def states(session: Session, viewer: Actor, *, at: datetime) -> list[tuple[str, str, int]]:
    """How many messages of the last thirty days are in each state."""
    rows = session.execute(
        select(Message.state, func.count())
        .where(visible_messages(viewer), Message.created_at > at - timedelta(days=30))
        .group_by(Message.state)
    )
    counted: dict[State, int] = dict(rows.all())
    return [(state.value, words, counted[state]) for state, words in STATE_LABEL.items() if state in counted]


@dataclass(frozen=True, slots=True)
class TextDay:
    """One text over some days, from the daily facts."""

    text_name: str
    purpose: str
    posted: int
    sent: int
    delivered: int
    failed: int
    quick: float | None


def delivery_report(session: Session, viewer: Actor, *, first: date, last: date) -> list[TextDay]:
    """What the days' messages of the viewer's subtree came to, text by text."""
    sums: dict[str, Counter[str]] = {}
    for row in facts.report(session, first, last, where=within(viewer, facts.NoticeDay.division_id)):  # type: ignore[arg-type]
        sums.setdefault(row.text, Counter()).update(row.counts)
    return [
        TextDay(
            name, PURPOSE_LABEL.get(name, name), n.get("posted", 0), n.get("sent", 0),
            n.get("delivered", 0), n.get("failed_permanent", 0) + n.get("failed_temporary", 0),
            n.get("within_10s", 0) / n["sent"] if n.get("sent") else None,
        )
        for name, n in sorted(sums.items(), key=lambda item: -item[1]["posted"])
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoppedNumber:
    """A number that gets nothing, masked; the note where the viewer may read its writer's notes."""

    masked: str
    reason: SuppressionReason
    note: str
    since: datetime


def left_alone(session: Session, viewer: Actor) -> list[StoppedNumber]:
    """Numbers of the viewer's subtree that get nothing now, the latest first."""
    may_read = or_(SuppressedNumber.by_account.is_(None), within(viewer, SuppressedNumber.division_id))  # type: ignore[arg-type]
    rows = session.execute(
        select(SuppressedNumber, func.coalesce(may_read, false()))
        .where(SuppressedNumber.lifted_at.is_(None), visible_numbers(viewer, SuppressedNumber.to_hash))  # type: ignore[arg-type]
        .order_by(SuppressedNumber.since.desc())
        .limit(MOST_LEFT_ALONE)
    )
    return [
        StoppedNumber(row.masked, row.reason, (row.note or row.code or "") if readable else "", row.since)
        for row, readable in rows
    ]


@dataclass(frozen=True, slots=True)
class ReplyLine:
    """What somebody answered, the number masked, and the case that this number was last told of."""

    at: datetime
    masked: str
    words: str
    stops: bool
    case_no: str


def replies(session: Session, viewer: Actor) -> list[ReplyLine]:
    """The newest answers from numbers of the viewer's subtree."""
    last_told = (
        select(Case.case_no)
        .join(Message, Message.case_id == Case.id)
        .where(Message.to_hash == InboundSms.from_hash, visible_messages(viewer))
        .order_by(Message.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(InboundSms, last_told)
        .where(InboundSms.words.is_not(None), visible_numbers(viewer, InboundSms.from_hash))  # type: ignore[arg-type]
        .order_by(InboundSms.id.desc())
        .limit(MOST_REPLIES)
    )
    return [ReplyLine(r.received_at, r.masked, r.words or "", r.stops, case_no or "") for r, case_no in rows]
