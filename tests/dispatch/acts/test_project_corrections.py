"""A project's own facts put right: everything follows, and who was told wrongly is told right, once."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from dispatch.acts.act import perform
from dispatch.acts.correcting_parties import CorrectContact, CorrectEnterprise
from dispatch.acts.correcting_site import CorrectSite
from dispatch.cases.case import CaseEvent
from dispatch.cases.derived import differences
from dispatch.cases.project import Enterprise, Project
from dispatch.cases.project_correction import ProjectCorrection, ProjectPart
from dispatch.cases.review import Review
from dispatch.core.actor import Actor
from dispatch.core.errors import NotFound, Refused, WrongStage
from notifications.message import Message, State
from notifications.phone import mask
from routing.day.courier_stop import CourierStop, StopState
from routing.day.day_plan import DayPlan, PlanState
from tests.dispatch import steps
from tests.dispatch.builders import (
    MONDAY,
    TEN,
    a_prescreened_case,
    a_request,
    acting,
    an_appointment,
    an_assigned_case,
    on_a_run,
)

WRONG, RIGHT = "+8613812345678", "+8613900000077"
OTHER_CODE = "91320412MA1ABCDE81"


@pytest.fixture
def lead(county) -> Actor:
    return acting(county, county.lead)


def project_of(county, case) -> Project:
    return county.session.get_one(Project, case.project_id)


def told(session, text: str) -> list[Message]:
    return list(session.scalars(select(Message).where(Message.text_name == text).order_by(Message.id)))


def kept(session) -> list[tuple[ProjectPart, str, str]]:
    rows = session.scalars(select(ProjectCorrection).order_by(ProjectCorrection.id))
    return [(row.part, row.was, row.now) for row in rows]


def all_follows(session, at=TEN) -> None:
    session.flush()
    assert [str(one) for one in differences(session, at=at)] == []


def test_a_wrong_contact_hears_it_once_and_everything_else_goes_to_the_right_one(county, lead) -> None:
    session = county.session
    case, _ = an_assigned_case(county)
    project, code = project_of(county, case), case.query_code
    session.flush()
    waiting = [m for m in told(session, "assigned") if m.state is State.QUEUED]
    step = CorrectContact(project=project.project_no, name="赵经理", phone="139 0000 0077", reason="号码抄错")
    done = perform(session, step, lead)
    assert (done.part, done.version) == (ProjectPart.CONTACT, project.version)
    assert project.contact.phone == case.contact.phone == RIGHT
    assert case.query_code != code
    assert [m.to_phone for m in waiting] == [RIGHT] * len(waiting)
    assert [m.to_phone for m in told(session, "contact_corrected")] == [RIGHT]
    assert told(session, "contact_corrected")[0].values["query_code"] == case.query_code
    assert [m.to_phone for m in told(session, "told_wrongly")] == [WRONG]
    assert told(session, "requested")[0].state is State.SUPPRESSED
    steps.prescreen(session, case, by=county.agent_viewer(), at=TEN)
    assert told(session, "prescreened")[0].to_phone == RIGHT
    [(part, was, now)] = kept(session)
    assert part is ProjectPart.CONTACT
    assert mask(WRONG) in was and mask(RIGHT) in now
    assert "赵经理" not in now
    with pytest.raises(Refused, match="stays as it was"):
        perform(session, step, lead)
    all_follows(session)


def test_a_contact_whose_name_was_wrong_keeps_number_and_code(county, lead) -> None:
    session = county.session
    case, _ = an_assigned_case(county)
    project, code = project_of(county, case), case.query_code
    perform(session, CorrectContact(project=project.project_no, name="汪经理", phone=WRONG, reason="同音字"), lead)
    assert (case.contact.name, case.query_code) == ("汪经理", code)
    assert told(session, "told_wrongly") == []
    assert len(told(session, "project_corrected")) == 1


def test_the_courier_asks_for_the_right_contact(county, lead) -> None:
    session = county.session
    case, viewer = a_prescreened_case(county)
    parcel = steps.book_pickup(session, case, appointment=an_appointment(), by=viewer, at=TEN)
    stop = session.get_one(CourierStop, parcel.stop_id)
    assert stop.contact_phone == WRONG
    version = stop.version
    project = project_of(county, case)
    perform(session, CorrectContact(project=project.project_no, name="赵经理", phone=RIGHT, reason="抄错"), lead)
    assert (stop.contact_name, stop.contact_phone) == ("赵经理", RIGHT)
    assert stop.version == version + 1


def test_a_site_in_another_town_moves_limits_stops_and_says_so(county, lead) -> None:
    session = county.session
    case, viewer = a_prescreened_case(county)
    project = project_of(county, case)
    parcel = steps.book_pickup(session, case, appointment=an_appointment(), by=viewer, at=TEN)
    stop = session.get_one(CourierStop, parcel.stop_id)
    stop.lon, stop.lat = project.site_lon, project.site_lat
    on_a_run(county, stop)
    session.flush()
    step = CorrectSite(
        project=project.project_no, division_code="320412101000", lon=119.91, lat=31.705, address="延政西路9号",
        reason="企业名下有两处厂区",
    )  # fmt: skip
    perform(session, step, lead)
    assert (project.site_lon, project.site_lat) == (119.91, 31.705)
    assert project.site_address == "牛塘镇延政西路9号"
    assert (stop.lon, stop.lat, stop.address) == (119.91, 31.705, "牛塘镇延政西路9号")
    assert stop.state is StopState.PLANNED
    asked = session.scalars(select(DayPlan).where(DayPlan.state == PlanState.QUEUED, DayPlan.on == stop.on)).all()
    assert len(asked) == 1
    lines = session.scalars(select(CaseEvent).where(CaseEvent.kind == "record_corrected")).all()
    assert len(lines) == 1 and "牛塘镇延政西路9号" in lines[0].words
    assert len(told(session, "project_corrected")) == 1
    assert kept(session)[0][0] is ProjectPart.SITE
    all_follows(session)


def test_a_site_elsewhere_than_its_division_or_without_an_address_is_refused(county, lead) -> None:
    session = county.session
    case, _ = an_assigned_case(county)
    project_no = project_of(county, case).project_no
    for wrong, match in (
        (CorrectSite(project=project_no, lon=121.9, lat=31.7, reason="抄错"), "lies"),
        (CorrectSite(project=project_no, lon=119.9, reason="抄错"), "half a point"),
        (CorrectSite(project=project_no, division_code="320412101000", reason="抄错"), "needs its address"),
        (CorrectSite(project=project_no, division_code="320400000000", address="龙城大道1号", reason="错"), "reach"),
        (CorrectSite(project=project_no, reason="抄错"), "stays as it was"),
    ):
        with pytest.raises(Refused, match=match):
            perform(session, wrong, lead)
        session.expire_all()


def test_another_county_takes_a_project_that_nobody_acts_for_and_no_other(county) -> None:
    session, operator = county.session, acting(county, Actor(role="operator", account_id=None, name="管理员"))
    case, _ = a_request(county)
    project = project_of(county, case)
    step = CorrectSite(
        project=project.project_no, division_code="320400000000", lon=119.974, lat=31.81, address="龙城大道1号",
        reason="属市级项目",
    )  # fmt: skip
    perform(session, step, operator)
    assert case.division_id == project.home_division_id != county.division.id
    authorities = session.scalars(select(Review.authority).where(Review.case_id == case.id)).all()
    assert all("武进区" not in authority for authority in authorities)
    taken, _ = an_assigned_case(county, phone="+8613812345679", name="武进轴承有限公司")
    with pytest.raises(Refused, match="in another county"):
        perform(
            session,
            CorrectSite(
                project=project_of(county, taken).project_no, division_code="320400000000", lon=119.974, lat=31.81,
                address="龙城大道1号", reason="属市级项目",
            ),
            operator,
        )  # fmt: skip
    all_follows(session)


def test_a_wrong_credit_code_is_put_right_in_its_place(county, lead) -> None:
    session = county.session
    case, viewer = an_assigned_case(county)
    project, code = project_of(county, case), case.query_code
    step = {"contact_name": "王经理", "contact_phone": WRONG, "reason": "看错一位"}
    perform(
        session,
        CorrectEnterprise(project=project.project_no, name="常州精机有限公司", credit_code=OTHER_CODE, **step),
        lead,
    )
    assert project.enterprise_id == viewer.enterprise_id
    assert (project.enterprise.credit_code, case.query_code) == (OTHER_CODE, code)
    assert project.delegation_on(MONDAY) is not None


def test_a_project_of_another_enterprise_moves_with_its_cases_and_asks_for_its_letter(county, lead) -> None:
    session = county.session
    case, viewer = an_assigned_case(county)
    project, old = project_of(county, case), viewer.enterprise_id
    step = CorrectEnterprise(
        project=project.project_no, name="常州精密机床有限公司", credit_code=OTHER_CODE, contact_name="钱经理",
        contact_phone=RIGHT, reason="名称相近选错企业",
    )  # fmt: skip
    perform(session, step, lead)
    right = session.scalars(select(Enterprise).where(Enterprise.credit_code == OTHER_CODE)).one()
    assert project.enterprise_id == right.id != old
    assert case.contact.enterprise_id == right.id
    assert project.delegation_on(MONDAY) is None
    assert [m.to_phone for m in told(session, "told_wrongly")] == [WRONG]
    with pytest.raises(Refused, match="no delegation"):
        steps.prescreen(session, case, by=county.agent_viewer(), at=TEN)
    with pytest.raises(NotFound):
        perform(session, step, acting(county, county.agent_viewer()))
    all_follows(session)


def test_what_was_filed_under_a_name_stays_with_it(county, lead) -> None:
    session = county.session
    case, _ = a_prescreened_case(county, matters=("IND-104",))
    steps.hand_in(session, case, by=county.agent_viewer(), at=TEN, scan_id="hand-in")
    steps.submit(session, case, receipts={}, by=county.agent_viewer(), at=TEN + timedelta(hours=1))
    with pytest.raises(WrongStage, match="has filed"):
        perform(
            session,
            CorrectEnterprise(
                project=project_of(county, case).project_no, name="常州精密机床有限公司", credit_code=OTHER_CODE,
                contact_name="钱经理", contact_phone=RIGHT, reason="选错企业",
            ),
            lead,
        )  # fmt: skip
