"""Parity of the courier's phone: what its scripts send is what the act behind the address takes, and all it needs."""

from collections.abc import Iterable, Iterator

import pytest

from dispatch.acts.coming import TellComing
from dispatch.acts.courier_desk import AttachProofs, SeeAnswer, TellDispatcher
from dispatch.acts.courier_phones import ReportPhone
from dispatch.acts.courier_words import ReadCourierWord
from dispatch.acts.door_facts import RecordFact
from dispatch.acts.roadside import PassEnvelopes
from dispatch.acts.run_ends import EndMyRun
from tests.web.parity.phone_scripts import Body, Sending, bodies, body_at, scripts, sendings, written_later
from web.wiring.act_door import schema_of

PHONE = scripts()

BEHIND: dict[str, tuple[type, tuple[str, ...]]] = {
    "/api/v1/runs/facts": (RecordFact, ()),
    "/api/v1/runs/facts/*/photos": (AttachProofs, ("event_id",)),
    "/api/v1/runs/reports": (TellDispatcher, ()),
    "/api/v1/runs/reports/*/seen": (SeeAnswer, ("report",)),
    "/api/v1/runs/phone": (ReportPhone, ()),
    "/api/v1/runs/end": (EndMyRun, ()),
    "/api/v1/runs/words/*/read": (ReadCourierWord, ("word",)),
    "/api/v1/runs/passes": (PassEnvelopes, ()),
    "/api/v1/runs/coming": (TellComing, ()),
}
"""The act behind each address, and its fields that stand in the address."""

NEVER_SENT: dict[tuple[str, str], str] = {
    ("RecordFact", "waybills"): "without them all that is due at the stop is meant",
    ("TellDispatcher", "waybills"): "what is told names the stop",
    ("TellDispatcher", "photos"): "photos belong to an act at a stop",
}
"""Fields that an act takes and the phone never sends."""


def kept() -> dict[str, list[Body]]:
    """What the phone keeps to send later (``act.body``), by the address that it is sent to."""
    facts = list(bodies(PHONE["main.js"], r"const body ="))
    spread = [made for made in bodies(PHONE["main.js"], r"\bbody:") if "body" in made.spreads]
    told = [Body(one.names | wrapper.names, ()) for one in bodies(PHONE["main.js"], r"\btell\(") for wrapper in spread]
    told += bodies(PHONE["store.js"], r"const body = pin \?")
    return {
        "/api/v1/runs/facts": facts,
        "/api/v1/runs/reports": told,
        "/api/v1/runs/words/*/read": list(bodies(PHONE["main.js"], r"const word =")),
        "/api/v1/runs/end": list(bodies(PHONE["main.js"], r"const ended =")),
        "/api/v1/runs/coming": list(bodies(PHONE["main.js"], r"const expected =")),
        "/api/v1/runs/passes": list(bodies(PHONE["main.js"], r"const passed =")),
    }


def sent() -> Iterator[Sending]:
    """Each body as it leaves, with what is spread into it."""
    for script in PHONE.values():
        for sending in sendings(script):
            if not sending.body.spreads:
                yield sending
            for one in kept()[sending.address] if sending.body.spreads else ():
                yield Sending(sending.address, Body(sending.body.names | one.names))


SENT = list(dict.fromkeys(sent()))
LATER = set[str]().union(*map(written_later, PHONE.values()))


def faults(sendings: Iterable[Sending]) -> Iterator[str]:
    """What a body names that its act does not take, and what the act needs and the body leaves out."""
    for sending in sendings:
        act, in_address = BEHIND[sending.address]
        fields = schema_of(act, path=in_address).model_fields
        yield from (f"{act.__name__} takes no {name}" for name in sorted(sending.body.names - set(fields)))
        needed = {name for name, field in fields.items() if field.is_required()}
        yield from (f"{act.__name__} needs {name}" for name in sorted(needed - sending.body.names))


def test_every_address_to_which_the_phone_writes_is_known() -> None:
    assert {sending.address for sending in SENT} == set(BEHIND)
    assert {address: len(made) for address, made in kept().items()} == {
        "/api/v1/runs/facts": 2,  # an act at a stop, and its undoing
        "/api/v1/runs/words/*/read": 1,
        "/api/v1/runs/end": 1,
        "/api/v1/runs/passes": 1,
        "/api/v1/runs/coming": 1,
        "/api/v1/runs/reports": 3,  # the run, an entrance, and an entrance of the program before this one
    }


def test_the_phone_sends_what_each_act_needs_and_nothing_that_it_does_not_take() -> None:
    assert list(faults(SENT)) == []


def test_what_is_put_into_an_act_later_is_a_field_of_it() -> None:
    assert LATER - set(schema_of(RecordFact).model_fields) == set()
    assert {"reason", "code", "exceptions", "found", "photos", "signature"} <= LATER


def test_each_field_is_sent_or_it_is_said_why_not() -> None:
    never = set[tuple[str, str]]()
    for act, in_address in BEHIND.values():
        names = LATER if act is RecordFact else set()
        names = names.union(*(one.body.names for one in SENT if BEHIND[one.address][0] is act))
        never |= {(act.__name__, name) for name in schema_of(act, path=in_address).model_fields if name not in names}
    assert never == set(NEVER_SENT)


# ---------------------------------------------------------------- the check itself


@pytest.mark.parametrize(
    ("body", "complaints"),
    [
        ("{ photos: [photo.sha256] }", []),
        ("{ photos: [photo.sha256], photo: 1 }", ["AttachProofs takes no photo"]),
        ("{ pictures: [] }", ["AttachProofs takes no pictures", "AttachProofs needs photos"]),
        ("{}", ["AttachProofs needs photos"]),
    ],
)
def test_a_body_that_names_too_much_or_too_little_is_noticed(body: str, complaints: list[str]) -> None:
    script = f'await this.request(`/api/v1/runs/facts/${{event}}/photos`, {{ method: "POST", json: {body} }});'
    assert list(faults(sendings(script))) == complaints


def test_an_object_is_read_with_what_is_nested_quoted_and_spread() -> None:
    made = body_at('{ a, b: { c: [1, 2] }, d: say("e, f: {", `g`), ...act.body, h: () => ({ i: 1 }) }', 0)
    assert made == Body(frozenset("abdh"), ("act.body",))
    loop = 'for (const name of ["j", "k"]) if (data.get(name)) body[name] = data.get(name);\nact.body.l = 1;'
    assert written_later(loop) == {"j", "k", "l"}
