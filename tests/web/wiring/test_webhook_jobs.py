"""Webhooks from the act to the other program: every public line, once or more, in order, to who may read it."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.acts.act import perform
from dispatch.acts.webhooks import (
    EndWebhook,
    PauseWebhook,
    ResumeWebhook,
    SkipDelivery,
    SubscribeWebhook,
    TellAgain,
)
from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.project import Project
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import NotFound, Refused, WrongStage
from dispatch.core.ids import DeliveryId, SubscriptionId
from dispatch.views.webhooks import subscription_key
from notifications.webhooks.delivery import DeliveryState, Told, WebhookDelivery, give_back, settle, take_due
from notifications.webhooks.subscription import PauseCause, SubscriptionState, WebhookSubscription
from tests.dispatch.builders import a_prescreened_case, a_request, the_county
from tests.web.world import another_county
from web.wiring import webhook_jobs
from web.wiring.accounts import Account, AccountState
from web.wiring.auth import person_of
from web.wiring.settings import Settings

Sessions = sessionmaker[Session]


class Killed(BaseException):
    """The process that tells dies here."""


@dataclass
class OtherSide:
    """A program that is told; ``moods`` says how it takes the next ones, after that it takes everything."""

    moods: list[str] = field(default_factory=list)
    taken: list[tuple[str, str]] = field(default_factory=list)
    """The address and the id of what it took, in order."""

    def post(self, url: str, keys: list[str], *, message_id: str, **_: object) -> Told:
        mood = self.moods.pop(0) if self.moods else "takes"
        if mood in {"takes", "takes, then the sender dies", "takes, then drops the line"}:
            self.taken.append((url, message_id))
        match mood:
            case "sender dies" | "takes, then the sender dies":
                raise Killed
            case "drops the line" | "takes, then drops the line":
                return Told(0, "ConnectionError")
            case "broken":
                return Told(500, "Internal Server Error")
            case "refuses":
                return Told(400, "Bad Request")
            case "gone":
                return Told(410, "Gone")
        return Told(204)


@pytest.fixture
def other_side(monkeypatch: pytest.MonkeyPatch) -> OtherSide:
    made = OtherSide()
    monkeypatch.setattr(webhook_jobs, "post", made.post)
    return made


@pytest.fixture
def settings(county_url: str, tmp_path: Path) -> Iterator[Settings]:
    networks = (ip_network("127.0.0.0/8"),)
    return Settings(  # type: ignore[return-value]
        database_url=county_url, broker_url="", home=tmp_path, secret_key="k" * 64, webhook_networks=networks
    )


def an_owner(session: Session, role: Role = Role.OPERATOR, **more: object) -> Actor:
    account = Account(role=role, name="程序员", login=f"one-{role}", confirmed_at=db.real_now(session), **more)
    session.add(account)
    session.flush()
    return person_of(session, account).viewer


def subscribe(session: Session, owner: Actor, url: str = "https://park.example/hook") -> int:
    return perform(session, SubscribeWebhook(url=url, purpose="园区平台"), owner).subscription_id


def tell(sessions: Sessions, settings: Settings) -> int:
    return webhook_jobs.tell_due(sessions, settings)


def make_due(sessions: Sessions) -> None:
    """As if all waits and leases were over."""
    with sessions.begin() as session:
        over = text("clock_timestamp() - interval '1 second'")
        due = update(WebhookDelivery).where(WebhookDelivery.state == DeliveryState.DUE)
        session.execute(due.values(due_at=over, lease_until=None))
        session.execute(update(WebhookSubscription).values(retry_at=None))


def public_lines(session: Session) -> dict[int, list[str]]:
    """The ids of every public line by case, in order, straight from the timeline."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = select(CaseEvent.case_id, CaseEvent.id).where(CaseEvent.internal.is_(False)).order_by(CaseEvent.id)
    for case_id, event_id in session.execute(rows):
        found[case_id].append(f"evt_{event_id}")
    return found


def test_whatever_happens_to_a_case_is_told_in_order(
    county_sessions: Sessions, settings: Settings, other_side: OtherSide
) -> None:
    with county_sessions.begin() as session:
        subscribe(session, an_owner(session))
        for _ in range(2):
            a_prescreened_case(the_county(session))
    while tell(county_sessions, settings):
        pass
    with county_sessions() as session:
        wanted = public_lines(session)
        waits = select(func.count()).where(WebhookDelivery.state != DeliveryState.DELIVERED)
        assert session.scalar(waits.select_from(WebhookDelivery)) == 0
    assert len(wanted) == 2
    got = [message for _, message in other_side.taken]
    for lines in wanted.values():
        assert [one for one in got if one in lines] == lines
    assert sorted(got) == sorted(one for lines in wanted.values() for one in lines)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_whoever_dies(
    county_sessions: Sessions, settings: Settings, other_side: OtherSide, seed: int
) -> None:
    """Sender and receiver die at random, some sixty times: each line arrives at least once, none before an earlier."""
    draw = random.Random(seed)
    moods = [
        "takes", "sender dies", "takes, then the sender dies", "drops the line", "takes, then drops the line", "broken"
    ]  # fmt: skip
    other_side.moods = [draw.choice(moods) for _ in range(80)]
    with county_sessions.begin() as session:
        subscribe(session, an_owner(session))
        for _ in range(2):
            a_prescreened_case(the_county(session))
        wanted = public_lines(session)
    deaths = 0
    for _ in range(300):
        try:
            tell(county_sessions, settings)
        except Killed:
            deaths += 1
        with county_sessions.begin() as session:
            session.execute(update(WebhookDelivery).values(attempts=0))
            if not session.scalar(select(func.count()).where(WebhookDelivery.state == DeliveryState.DUE)):
                break
        make_due(county_sessions)
    assert deaths > 5
    got = [message for _, message in other_side.taken]
    for lines in wanted.values():
        first = [got.index(one) for one in lines]
        assert first == sorted(first)
    assert set(got) == {one for lines in wanted.values() for one in lines}


def test_a_later_line_waits_and_other_cases_do_not(
    county_sessions: Sessions, settings: Settings, other_side: OtherSide
) -> None:
    with county_sessions.begin() as session:
        subscribe(session, an_owner(session))
        for _ in range(2):
            a_request(the_county(session))
        first, second = public_lines(session).values()
    other_side.moods = ["refuses"]
    tell(county_sessions, settings)
    tell(county_sessions, settings)
    got = [message for _, message in other_side.taken]
    assert not set(got) & set(first)
    assert got == second[: len(got)] and got
    make_due(county_sessions)
    with county_sessions.begin() as session:
        owner = person_of(session, session.scalars(select(Account).where(Account.login == "one-operator")).one()).viewer
        stuck = session.scalars(select(WebhookDelivery).where(WebhookDelivery.last_status == 400)).one()
        assert perform(session, SkipDelivery(delivery=DeliveryId(stuck.id)), owner).state is DeliveryState.SKIPPED
        with pytest.raises(WrongStage):
            perform(session, SkipDelivery(delivery=DeliveryId(stuck.id)), owner)
    while tell(county_sessions, settings):
        pass
    got = [message for _, message in other_side.taken]
    assert [one for one in got if one in first] == first[1:]
    with county_sessions.begin() as session:
        perform(session, TellAgain(delivery=DeliveryId(stuck.id)), owner)
    tell(county_sessions, settings)
    assert other_side.taken[-1][1] == first[0]


def test_who_is_absent_is_left_alone_for_a_while(
    county_sessions: Sessions, settings: Settings, other_side: OtherSide
) -> None:
    with county_sessions.begin() as session:
        subscribe(session, an_owner(session))
        for _ in range(5):
            a_request(the_county(session))
    other_side.moods = ["broken"]
    assert tell(county_sessions, settings) == 0
    assert other_side.taken == []
    assert tell(county_sessions, settings) == 0
    assert other_side.moods == [] and other_side.taken == []
    make_due(county_sessions)
    assert tell(county_sessions, settings) == 5


def test_gone_or_silent_for_days_pauses_and_resuming_tells_the_rest(
    county_sessions: Sessions, settings: Settings, other_side: OtherSide
) -> None:
    with county_sessions.begin() as session:
        owner = an_owner(session)
        named = SubscriptionId(subscribe(session, owner))
        a_request(the_county(session))
        lines = len(next(iter(public_lines(session).values())))
    other_side.moods = ["gone"]
    tell(county_sessions, settings)
    with county_sessions.begin() as session:
        row = session.get_one(WebhookSubscription, named)
        assert (row.state, row.pause_cause) == (SubscriptionState.PAUSED, PauseCause.GONE)
        perform(session, ResumeWebhook(subscription=named), owner)
    other_side.moods = ["refuses"] * 10
    for _ in range(10):
        make_due(county_sessions)
        tell(county_sessions, settings)
    with county_sessions.begin() as session:
        row = session.get_one(WebhookSubscription, named)
        assert (row.state, row.pause_cause) == (SubscriptionState.PAUSED, PauseCause.UNANSWERED)
        a_request(the_county(session))  # what happens meanwhile is told later
    make_due(county_sessions)
    assert tell(county_sessions, settings) == 0
    with county_sessions.begin() as session:
        perform(session, ResumeWebhook(subscription=named), owner)
    while tell(county_sessions, settings):
        pass
    assert len(other_side.taken) == 2 * lines


def test_each_is_told_its_own_alone(county_sessions: Sessions, settings: Settings, other_side: OtherSide) -> None:
    with county_sessions.begin() as session:
        county = the_county(session)
        ours, _ = a_request(county)
        theirs, _ = a_request(county)
        before = sum(map(len, public_lines(session).values()))
        enterprises = [session.get_one(Project, case.project_id).enterprise_id for case in (ours, theirs)]
        assert enterprises[0] != enterprises[1]
        enterprise = an_owner(session, Role.ENTERPRISE, enterprise_id=enterprises[0])
        everything = an_owner(session)
        for owner, url, area in (
            (enterprise, "https://enterprise.example/", None),
            (everything, "https://all.example/", None),
            (everything, "https://county.example/", county.division.code),
            (everything, "https://elsewhere.example/", another_county(session, county).division.code),
        ):
            perform(session, SubscribeWebhook(url=url, purpose="平台", area=area), owner)
        with pytest.raises(Refused):
            perform(session, SubscribeWebhook(url="https://x.example/", purpose="平台", area="1"), everything)  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            perform(session, EndWebhook(subscription=SubscriptionId(2)), enterprise)
        with pytest.raises(NotFound):
            subscription_key(session, everything, 1)
        assert subscription_key(session, enterprise, 1).startswith("whsec_")
        for case in (ours, theirs):
            session.execute(
                text(
                    "insert into case_event (case_id, at, kind, stage, actor, words, detail, internal) values"
                    " (:c, now(), 'notice', 'requested', '系统', '公开', '{}', false),"
                    " (:c, now(), 'notice', 'requested', '系统', '内部', '{}', true)"
                ),
                {"c": case.id},
            )
        told = session.execute(select(WebhookDelivery.subscription_id, WebhookDelivery.case_id)).all()
        assert len(told) == 1 + 2 + 2
        # what the account may not read is skipped, whatever the subscription says
        row = session.scalars(select(WebhookSubscription).where(WebhookSubscription.url.contains("enterprise"))).one()
        row.enterprise_id = None
        a_request(county)
        lines = sum(map(len, public_lines(session).values()))
    for _ in range(20):
        tell(county_sessions, settings)
    by_address = defaultdict(set)
    for url, message in other_side.taken:
        by_address[url].add(message)
    assert {url: len(messages) for url, messages in by_address.items()} == {
        "https://enterprise.example/": 1, "https://all.example/": lines - before,
        "https://county.example/": lines - before,
    }  # fmt: skip
    with county_sessions.begin() as session:
        session.execute(update(Account).where(Account.role == Role.OPERATOR).values(state=AccountState.CLOSED))
        a_request(the_county(session))
    other_side.taken.clear()
    tell(county_sessions, settings)
    assert not other_side.taken
    with county_sessions() as session:
        rows = session.scalars(select(WebhookSubscription).where(WebhookSubscription.enterprise_id.is_(None)))
        ended = {row.url: (row.state, row.key) for row in rows if row.state is SubscriptionState.ENDED}
        assert ended["https://all.example/"] == (SubscriptionState.ENDED, "")


def test_a_pause_keeps_and_an_end_drops(county_sessions: Sessions, settings: Settings, other_side: OtherSide) -> None:
    with county_sessions.begin() as session:
        owner = an_owner(session)
        named = SubscriptionId(subscribe(session, owner))
        assert perform(session, PauseWebhook(subscription=named), owner).state is SubscriptionState.PAUSED
        a_request(the_county(session))
    assert tell(county_sessions, settings) == 0
    with county_sessions.begin() as session:
        assert session.scalar(select(func.count()).select_from(WebhookDelivery))
        perform(session, EndWebhook(subscription=named), owner)
        with pytest.raises(NotFound):
            perform(session, ResumeWebhook(subscription=named), owner)
        for number in range(5):
            subscribe(session, owner, f"https://park{number}.example/")
        with pytest.raises(Refused):
            subscribe(session, owner)
        with pytest.raises(Refused):
            subscribe(session, owner, "gopher://park.example")
    assert other_side.taken == []
    with county_sessions() as session:
        states = session.scalars(select(WebhookDelivery.state).distinct()).all()
        assert states == [DeliveryState.SKIPPED]


def test_who_was_held_up_beyond_the_lease_changes_nothing(county_sessions: Sessions) -> None:
    with county_sessions.begin() as session:
        subscribe(session, an_owner(session))
        a_request(the_county(session))
    with county_sessions.begin() as session:
        slow = take_due(session)[0]
        assert take_due(session) == []
    make_due(county_sessions)
    with county_sessions.begin() as session:
        quick = take_due(session)[0]
        settle(session, slow, Told(500))
        give_back(session, [slow])
        row = session.get_one(WebhookDelivery, quick.id)
        assert (row.attempts, row.lease_until) == (0, quick.lease_until)
        settle(session, quick, Told(204))
        settle(session, slow, Told(500))
        assert row.state is DeliveryState.DELIVERED
    with county_sessions() as session:
        assert session.scalars(select(Case.id)).first() is not None
