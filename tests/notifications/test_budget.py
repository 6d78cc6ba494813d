"""The number budget: at most two identical and four different texts a day, whatever happens in whatever order."""

from collections import defaultdict
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

import db
from notifications import budget, sweep
from notifications.budget import PendingText, SentText, allowed_at, plan_merges
from notifications.delivery import deliver
from notifications.message import OPEN, Message, Priority, State
from notifications.phone import mask
from notifications.quiet import is_quiet
from notifications.settings import GatewayShare, NoticeSettings, TwilioAccount
from notifications.text_catalogue import catalogue
from tests.notifications.builders import TEN, VALUES, say

RULES = NoticeSettings()
DAY = timedelta(hours=24)


class Recorder:
    """A gateway that remembers what it was given and at which moment of the program's clock."""

    name = "twilio"

    def __init__(self, sessions):
        self.sessions, self.given = sessions, []

    def send(self, sms):
        with self.sessions() as session:
            self.given.append((sms.to, sms.body, db.now(session), sms.text))
        return f"SM{sms.reference}"

    def find(self, sms):
        return []


def recorded(sessions, make_post, **more):
    rules = NoticeSettings(
        mainland=(GatewayShare("twilio"),),
        foreign=(GatewayShare("twilio"),),
        twilio={"twilio": TwilioAccount("AC", "t")},
        **more,
    )
    gateway = Recorder(sessions)
    return make_post(rules, {"twilio": gateway}), gateway


def move_on(sessions, post, by):
    with sessions.begin() as session:
        db.set_clock(session, db.now(session) + by)
    work_off(sessions, post)


def work_off(sessions, post):
    """Deliver until nothing is due: what the workers do between two moments."""
    for _ in range(30):
        with sessions.begin() as session:
            due = [i for i, _ in sweep.sweep(session, post.settings, at_once=True)]
            for row in session.scalars(select(Message).where(Message.retry_at.is_not(None), Message.state.in_(OPEN))):
                row.retry_at = None
        for message_id in due:
            deliver(post, message_id)
        if not due:
            return


def within_budget(given, *, most_different=4):
    """What has legal effect goes in any case, so that only its repetitions are counted."""
    by_number = defaultdict(list)
    for to, body, at, text in given:
        by_number[to].append((at, body, catalogue().texts[text].legal))
    for to, sent in by_number.items():
        for at, _, _ in sent:
            window = [body for when, body, _ in sent if at <= when < at + DAY]
            others = {body for when, body, is_legal in sent if at <= when < at + DAY and not is_legal}
            assert len(others) <= most_different, (mask(to), others)
            assert all(window.count(body) <= 2 for body in window), (mask(to), window)


TEXTS = sorted(t.name for t in catalogue().texts.values() if not t.carrier)
_keys = iter(range(10**9))


class Days(RuleBasedStateMachine):
    """An enterprise's telephone over some days: events of three cases in any order, workers now and then."""

    sessions = None
    make_post = None

    def __init__(self):
        super().__init__()
        self.post, self.gateway = recorded(self.sessions, self.make_post)
        self.number = f"139{next(_keys):08}"
        self.ids = []

    @rule(text=st.sampled_from(TEXTS), case=st.integers(1, 3), values=st.integers(0, 2))
    def something_happens(self, text, case, values):
        with self.sessions.begin() as session:
            row = say(
                session,
                key=f"day{next(_keys)}",
                text=text,
                to=self.number,
                at=db.now(session),
                values=VALUES
                | {"case_no": f"320412202611230000{case}", "matter": f"事项{values}", "code": f"48291{values}"},
            )
            self.ids.append(row.id)

    @rule()
    def workers_run(self):
        work_off(self.sessions, self.post)

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours):
        move_on(self.sessions, self.post, timedelta(hours=hours))

    @invariant()
    def the_budget_holds(self):
        within_budget(self.gateway.given)

    @invariant()
    def nobody_is_woken(self):
        codes = {"login_code"}
        assert not [at for _, _, at, text in self.gateway.given if text not in codes and is_quiet(at, RULES)]

    def teardown(self):
        for _ in range(40):
            move_on(self.sessions, self.post, timedelta(hours=11))
            with self.sessions() as session:
                rows = {r.id: r for r in session.scalars(select(Message).where(Message.id.in_(self.ids)))}
            if not [r for r in rows.values() if r.state in OPEN]:
                break
        within_budget(self.gateway.given)
        for row in rows.values():
            if catalogue().texts[row.text_name].legal:
                assert row.carrier_id is None
                assert row.carries == 0
            said_by = row
            while said_by.carrier_id is not None:
                said_by = rows[said_by.carrier_id]
            assert said_by.state in (State.SENT, State.EXPIRED), (row.text_name, said_by.state, said_by.reason)
            assert said_by.state is State.SENT or said_by.text_name == "login_code"


def test_under_any_order_of_events_the_budget_holds_and_nothing_is_lost(sessions, ten, make_post):
    from_fixture = {"sessions": sessions, "make_post": staticmethod(make_post)}
    machine = type("DaysOfThisDatabase", (Days,), from_fixture)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=8, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_assigned_and_pickup_become_one_when_the_budget_is_short(sessions, ten, make_post):
    post, gateway = recorded(sessions, make_post)
    with sessions.begin() as session:
        project_case(session)
        for text in ("requested", "prescreened"):
            say(session, key=text, text=text)
    work_off(sessions, post)
    with sessions.begin() as session:
        first = say(session, key="a", text="assigned", case_id=1)
        second = say(session, key="p", text="pickup", case_id=1)
    work_off(sessions, post)
    assert [text for *_, text in gateway.given] == ["requested", "prescreened", "assigned_pickup"]
    assert gateway.given[-1][1] == (
        "【武进代办】3204122026112300001代办员欧阳建国，电话0519-12345678。邮政诸葛明亮将于11月24日9:00-11:00上门揽收原件，"
        "请核对工牌。揽收码482913，当面确认后再告知。"
    )
    with sessions() as session:
        absorbed, carrier = session.get_one(Message, first.id), session.get_one(Message, second.id)
    assert (absorbed.state, absorbed.carrier_id) == (State.SUPPRESSED, carrier.id)
    assert (carrier.state, carrier.carries) == (State.SENT, 1)


def project_case(session):
    """One case's row for messages to refer to: other rooms' rules do not matter here, so their checks rest."""
    session.connection().exec_driver_sql("alter table message drop constraint fk_message_case_id_dispatch_case")


def test_while_enough_of_the_day_remains_every_text_goes_alone(sessions, ten, make_post):
    post, gateway = recorded(sessions, make_post)
    with sessions.begin() as session:
        project_case(session)
        for text in ("assigned", "pickup", "prescreened"):
            say(session, key=text, text=text, case_id=1)
    work_off(sessions, post)
    assert sorted(text for *_, text in gateway.given) == ["assigned", "pickup", "prescreened"]


def test_an_agent_with_ten_new_projects_gets_one_text(sessions, ten, make_post):
    post, gateway = recorded(sessions, make_post)
    with sessions.begin() as session:
        for i in range(10):
            say(session, key=f"p{i}", text="project_for_agent", values=VALUES | {"project": f"项目{i}"})
    work_off(sessions, post)
    assert [body for _, body, *_ in gateway.given] == [
        "【武进代办】您有10个新指派的项目，请登录代办页查看，并在1个工作日内联系企业。"
    ]


def test_the_third_identical_text_waits_for_its_day(sessions, ten, make_post):
    post, gateway = recorded(sessions, make_post)
    with sessions.begin() as session:
        ids = [say(session, key=f"{i}", text="withdrawn").id for i in range(3)]
    work_off(sessions, post)
    assert len(gateway.given) <= 2
    with sessions() as session:
        states = [session.get_one(Message, i).state for i in ids]
    assert State.QUEUED not in states or len(gateway.given) == 2


def test_progress_leaves_one_text_for_what_is_urgent(sessions, ten, make_post):
    post, gateway = recorded(sessions, make_post)
    with sessions.begin() as session:
        for i in range(6):
            say(session, key=f"r{i}", text="requested", values=VALUES | {"case_no": f"{i:019}"})
    work_off(sessions, post)
    assert len(gateway.given) == 3
    with sessions.begin() as session:
        say(session, key="c", text="correction")
    work_off(sessions, post)
    assert gateway.given[-1][3] == "correction"
    with sessions.begin() as session:
        say(session, key="l", text="login_code")
    work_off(sessions, post)
    assert len(gateway.given) == 4  # even a code: a fifth different text would start a review of the whole account


@pytest.mark.parametrize("text", sorted(t.name for t in catalogue().texts.values() if t.legal))
def test_what_has_legal_effect_goes_at_once_and_alone(sessions, ten, make_post, text):
    """Forty pieces of news wait for the same number, and its day is used up."""
    post, gateway = recorded(sessions, make_post)
    with sessions.begin() as session:
        for i in range(40):
            say(session, key=f"n{i}", text="collected", values=VALUES | {"case_no": f"{i:019}"})
    work_off(sessions, post)
    used_up = len(gateway.given)
    with sessions.begin() as session:
        for i in range(3):
            say(session, key=f"l{i}", text=text, values=VALUES | {"case_no": f"{i:019}"})
    work_off(sessions, post)
    assert [given[3] for given in gateway.given[used_up:]] == [text] * 3


def test_codes_may_have_an_allowance_of_their_own(sessions, ten, make_post):
    post, gateway = recorded(sessions, make_post, codes_have_own_allowance=True)
    with sessions.begin() as session:
        for i in range(5):
            say(session, key=f"l{i}", text="login_code", values={"code": f"48291{i}"})
        say(session, key="r", text="requested")
    work_off(sessions, post)
    assert len(gateway.given) == 6


def test_codes_count_only_where_twilio_may_carry_them():
    through_twilio = NoticeSettings(mainland=(GatewayShare("twilio"),), twilio={"twilio": TwilioAccount("AC", "t")})
    assert not through_twilio.codes_apart(through_twilio.mainland)
    assert NoticeSettings().codes_apart(NoticeSettings().mainland)
    assert not NoticeSettings(codes_have_own_allowance=False).codes_apart(())


# ---------------------------------------------------------------- the rule itself


hashes = st.binary(min_size=1, max_size=1)
gone = st.lists(
    st.builds(lambda body, minute: SentText(body, TEN - timedelta(minutes=minute)), hashes, st.integers(0, 1500)),
    max_size=8,
)


@given(gone=gone, body=hashes, priority=st.sampled_from(Priority))
def test_at_the_moment_it_names_the_text_may_go(gone, body, priority):
    window = [g for g in gone if g.at > TEN - RULES.day]
    moment = allowed_at(window, body, priority, 0, RULES)
    if moment is None:
        return
    left = [g for g in window if g.at > moment - RULES.day]
    assert len(left) < len(window)
    later = allowed_at(left, body, priority, 0, RULES)
    assert later is None or later > moment


waiting = st.lists(
    st.builds(
        lambda i, text, case, locale: PendingText(i, text, case, locale),
        st.integers(1, 10**6),
        st.sampled_from([t for t in TEXTS if t != "login_code"]),
        st.one_of(st.none(), st.integers(1, 2)),
        st.sampled_from(["zh", "en"]),
    ),
    max_size=12,
    unique_by=lambda w: w.id,
)


@given(waiting=waiting, left=st.integers(-1, 5))
def test_a_merge_loses_nobody_and_invents_nothing(waiting, left):
    plan = plan_merges(waiting, left, catalogue())
    alive = {w.id: 1 for w in waiting}
    for merge in plan:
        count = alive[merge.carrier] + sum(alive.pop(i) for i in merge.absorbed)
        alive[merge.carrier] = count
        assert merge.absorbed
        assert merge.count == count
    assert sum(alive.values()) == len(waiting)
    if len(waiting) <= max(left, 1):
        assert plan == []


@given(waiting=waiting)
def test_news_of_one_language_becomes_one_text_when_it_must(waiting):
    news = [
        w
        for w in waiting
        if catalogue().texts[w.text].digest == "news_of_case" and w.locale == "zh" and w.case_id is not None
    ]
    plan = plan_merges(news, 1, catalogue())
    absorbed = {i for merge in plan for i in merge.absorbed}
    assert len(news) - len(absorbed) <= 1


@pytest.mark.parametrize("left", [0, 1, 2])
def test_what_remains_counts_different_texts_only(left):
    gone = [SentText(bytes([i]), TEN) for i in range(3 - left)] * 2
    assert budget.remaining(gone, RULES) == left
