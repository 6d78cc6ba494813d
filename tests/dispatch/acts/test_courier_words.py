"""What a dispatcher says to a courier stands on the phone until it was read, and the dispatcher sees when it was."""

from datetime import timedelta

import pytest

import db
from dispatch.acts.act import perform
from dispatch.acts.courier_words import ReadCourierWord, TellCourier, WordState
from dispatch.core.errors import NotFound
from dispatch.core.ids import CourierId, CourierWordId
from dispatch.views.courier_day import my_day
from dispatch.views.courier_words import courier_words, who_works
from tests.dispatch.road import NOON, on_the_road
from web.wiring import database_schema

database_schema.load_rooms()  # the line that an act leaves names an account of web's


@pytest.fixture
def out(county):
    return on_the_road(county)


def told(out, words="先去开发区"):
    return perform(out.session, TellCourier(courier=CourierId(out.one.courier_id), words=words), out.lead).word_id


def test_a_word_is_on_the_phone_of_its_courier_alone_until_it_was_read(out):
    word = told(out)
    (line,) = my_day(out.session, out.one).words
    assert (line.words, line.said_by, line.read_at) == ("先去开发区", out.lead.label, None)
    assert my_day(out.session, out.two).words == ()
    with pytest.raises(NotFound):
        perform(out.session, ReadCourierWord(word=CourierWordId(word)), out.two)
    assert perform(out.session, ReadCourierWord(word=CourierWordId(word)), out.one).state is WordState.READ
    (line,) = courier_words(out.session, out.lead)
    assert line.read_at is not None and line.courier == out.one.name


def test_when_it_was_read_is_the_phone_s_corrected_time_and_the_first(out):
    word = told(out)
    db.set_clock(out.session, NOON + timedelta(hours=1))
    phone = db.real_now(out.session)
    read = ReadCourierWord(word=CourierWordId(word), device_at=phone - timedelta(minutes=20), sent_at=phone)
    perform(out.session, read, out.one)
    (line,) = courier_words(out.session, out.lead)
    assert abs(line.read_at - (NOON + timedelta(minutes=40))) < timedelta(seconds=30)
    perform(out.session, ReadCourierWord(word=CourierWordId(word)), out.one)
    assert courier_words(out.session, out.lead)[0].read_at == line.read_at


def test_words_are_offered_to_who_works_today_within_the_own_area(out):
    assert {one.id for one in who_works(out.session, out.lead)} == {courier.id for courier in out.county.couriers}
    assert [one.id for one in who_works(out.session, out.one)] == [out.one.courier_id]


def test_what_is_held_for_the_centre_names_its_batch(out):
    assert my_day(out.session, out.two).hand_in_by is None
    out.home.stop_id = None  # nothing to be delivered any more: it goes back
    out.session.flush()
    assert my_day(out.session, out.one).hand_in_by == "16:30"
