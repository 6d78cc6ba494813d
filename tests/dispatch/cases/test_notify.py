"""Notices of a case: what its contact reads."""

import pytest

from dispatch.cases.notify import queue_notice
from dispatch.cases.project import Contact
from dispatch.core.localized_text import DayText
from notifications import outbox
from tests.dispatch.builders import MONDAY, TEN, County, a_request


@pytest.mark.parametrize(("locale", "day"), [("zh", "11月23日前"), ("en", "by 23 Nov.")])
def test_a_day_is_said_in_the_contacts_language(county: County, locale: str, day: str) -> None:
    case, _ = a_request(county)
    county.session.get_one(Contact, case.contact_id).locale = locale
    values = {"matter": "施工许可", "day": DayText(MONDAY)}
    message = queue_notice(county.session, case, "supplement_due", at=TEN, values=values)
    assert day in outbox.body_of(county.session, message)
