"""Parity: every act through every door that offers it, in the scene where it goes through, and where it must not."""

import dataclasses
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, get_args

import pytest
from sqlalchemy import Connection, func, select

import db
from dispatch.acts.act import RULES, ids_in, perform
from dispatch.acts.act_record import ActRecord
from dispatch.acts.named_rows import ROWS
from dispatch.acts.pausing import PauseReview
from dispatch.core.actor import Role
from dispatch.core.errors import DispatchError, NotFound, Stale
from dispatch.core.ids import ReviewId
from tests.dispatch.every_act import every_act
from tests.web.parity import tampering
from tests.web.parity.doors import PEOPLE, Answer, Door, send
from tests.web.parity.excuses import (
    KEPT_BACK,
    NO_FORM,
    NOT_ASKED,
    NOT_KEPT_APART,
    NOT_SEEN,
    OF_THE_PAGE,
    REFUSED_TWICE,
    UNVERSIONED,
    Excuses,
)
from tests.web.parity.forms import BY_THE_HOUSE
from tests.web.parity.good_data import SCENE, good, with_every_id
from tests.web.parity.page_forms import Form, fields_taken, forms_of, plainly
from tests.web.parity.program import Program, make_program, mark
from tests.web.parity.values import ARGUMENT, as_json, command_of, kinds_of
from tests.web.world import ArgsOf

ACTS = every_act()
OF_PEOPLE = [act for act in ACTS if RULES[act].by - {Role.SYSTEM}]
VERSIONED = [act for act in ACTS if "version" in RULES[act].hints and RULES[act].target is not None]
ABSENT: ArgsOf = {
    "project_no": "P320412-2026-99999", "case_no": "320412-20261123-99999", "waybill": "EA999999995CN",
    "list_no": "JJSC040-20261123-999", "ticket_no": "T20261123-9999", "division_code": "320499000000",
}  # fmt: skip
NO_ROW = 987_654_321
OLD = 2**30
"""A version that no row has."""


@pytest.fixture(scope="module")
def program(postgres: str, county_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The application over every scene."""
    folder = tmp_path_factory.mktemp("parity")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAIBAN_HOME", str(folder))
        made = make_program(postgres, county_database, folder)
        yield made
    made.app.extensions["daiban.sessions"].kw["bind"].dispose()


def acting(act: type) -> list[Role]:
    """Who may take it: people where any may, else the schedule."""
    return sorted(RULES[act].by & PEOPLE) or [Role.SYSTEM]


def absent(name: str) -> str | int:
    return ABSENT.get(name, NO_ROW)


def records(connection: Connection, act: type) -> int:
    """How often the act was taken."""
    query = select(func.count()).select_from(ActRecord).where(ActRecord.act == act.__name__)
    return int(connection.execute(query).scalar_one())


def outcome(program: Program, command: Any, role: Role, **more: Any) -> Exception | None:
    """What became of the step, whatever it answered."""
    try:
        program.take(command, role, **more)
    except Exception as error:  # noqa: BLE001  what the step answers is looked at by the test
        return error
    return None


def home(program: Program, act: type) -> ArgsOf:
    """What stands in the scene in which the act goes through: the known one, else the first in which it does."""
    if act not in program.homes:
        names = [SCENE[act.__name__]] if act.__name__ in SCENE else list(program.scenes.known)
        why = {}
        for name in names:
            with program.undone():
                error = outcome(program, good(act, program.scenes[name]), acting(act)[0])
            if error is None:
                program.homes[act] = name
                break
            why[name] = f"{error!r}"[:200]
        else:
            pytest.fail(f"{act.__name__} goes through in no scene; give it good data or a scene: {why}")
    return program.scenes[program.homes[act]]


# ---------------------------------------------------------------- the acts themselves


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_an_act_goes_through_for_each_of_its_roles_and_leaves_one_line(program: Program, act: type) -> None:
    """Who took it, on what, and when, by both clocks. A routine look that finds nothing leaves none."""
    command = good(act, home(program, act))
    for role in acting(act):
        with program.undone() as connection:
            before = records(connection, act)
            assert outcome(program, command, role) is None, f"{act.__name__} as {role}"
            query = select(ActRecord).where(ActRecord.act == act.__name__).order_by(ActRecord.id.desc()).limit(1)
            if RULES[act].is_routine and records(connection, act) == before:
                continue
            assert records(connection, act) == before + 1
            with program.app.extensions["daiban.sessions"]() as session:
                line = session.scalars(query).one()
                assert (line.account_id, line.actor) == (program.actors[role].account_id, program.actors[role].label)
                assert line.at is not None and abs(line.at - db.now(session)) < timedelta(minutes=5)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_no_act_takes_an_id_that_is_not_the_actors(program: Program, act: type) -> None:
    """Neither another county's nor one that is nowhere, whatever the rest says; and nothing is written."""
    known = home(program, act)
    for role in acting(act):
        for name in sorted(ARGUMENT[kind] for kind in kinds_of(act)):
            is_all_ours = role in {Role.OPERATOR, Role.SYSTEM}
            for other in [absent(name)] if is_all_ours else [program.world.theirs[name], absent(name)]:
                with program.undone() as connection:
                    before = mark(connection)
                    error = outcome(program, with_every_id(act, {**known, name: other}), role)
                    assert isinstance(error, NotFound), f"{act.__name__} as {role} takes {name} {other}: {error!r}"
                    assert mark(connection) == before, f"{act.__name__} as {role} with {name} {other} writes"


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_an_act_is_there_for_its_roles_alone(program: Program, act: type) -> None:
    command = good(act, home(program, act))
    with program.undone() as connection:
        before = mark(connection)
        for role in sorted(PEOPLE - RULES[act].by):
            assert isinstance(outcome(program, command, role), NotFound), f"{role} may {act.__name__}"
        assert mark(connection) == before


def test_an_act_on_a_row_takes_its_version_or_says_what_keeps_an_old_view_from_harm() -> None:
    named = {act.__name__: any(_names_a_row(hint) for hint in RULES[act].hints.values()) for act in OF_PEOPLE}
    without = {act.__name__ for act in OF_PEOPLE if named[act.__name__] and "version" not in RULES[act].hints}
    assert without == set(UNVERSIONED)


def _names_a_row(hint: object) -> bool:
    return hint in ROWS or any(one in ROWS for one in get_args(hint))


@pytest.mark.parametrize("act", VERSIONED, ids=lambda act: act.__name__)
def test_an_old_version_is_refused(program: Program, act: type) -> None:
    old = good(act, home(program, act), version=OLD)
    for role in acting(act):
        with program.undone() as connection:
            before = mark(connection)
            assert isinstance(outcome(program, old, role), Stale), f"{act.__name__} as {role}"
            assert mark(connection) == before


@pytest.mark.parametrize("act", OF_PEOPLE, ids=lambda act: act.__name__)
def test_the_same_client_id_takes_the_step_once(program: Program, act: type) -> None:
    """The second answer is the first one; nothing is written for it."""
    command, role, client_id = good(act, home(program, act)), acting(act)[0], uuid.uuid4()
    with program.undone() as connection:
        first = program.take(command, role, client_id=client_id)
        after = mark(connection)
        is_same = program.take(command, role, client_id=client_id) == first
        assert is_same != (act.__name__ in KEPT_BACK)
        assert mark(connection) == after


def test_ids_are_found_wherever_they_stand(program: Program) -> None:
    """Ids are found in tuples, mappings and nested values: nothing is let through unseen."""
    for act in ACTS:
        command = command_of(act, program.world.ours)
        named = {kind for name, hint in RULES[act].hints.items() for kind, _ in ids_in(hint, getattr(command, name))}
        assert named == kinds_of(act), act.__name__


# ---------------------------------------------------------------- the doors


def test_every_act_of_people_has_a_door(program: Program) -> None:
    assert {act.__name__ for act in OF_PEOPLE} - {door.act.__name__ for door in program.doors} == set()


def knock(
    program: Program, door: Door, role: Role, command: Any, known: ArgsOf, client_id: uuid.UUID | None = None
) -> Answer:
    """Send it as this person; what the door answers."""
    return send(program.app, program.client(role), door, command, known, client_id=client_id)[1]


@pytest.mark.parametrize("act", OF_PEOPLE, ids=lambda act: act.__name__)
def test_each_door_takes_good_data_once(program: Program, act: type) -> None:
    """As each role that finds it; the second sending under the same id is answered as the first."""
    excuses = Excuses(REFUSED_TWICE)
    for door in program.doors_of(act):
        known = home(program, act)
        for number, role in enumerate(door.roles):
            with program.undone() as connection:
                before, client_id, client = records(connection, act), uuid.uuid4(), program.client(role)
                _, first = send(program.app, client, door, good(act, known), known, client_id=client_id)
                assert (records(connection, act), first.is_refused) == (before + 1, False), f"{door} {role}: {first}"
                if number > 0:
                    continue
                after = mark(connection)
                _, again = send(program.app, client, door, good(act, known), known, client_id=client_id)
                assert mark(connection) == after, f"{door} {role} writes twice"
                excuses.see(door, again == first, f"{door} answers {again}, at first {first}")
    assert "\n".join(excuses.faults) == ""


@pytest.mark.parametrize("act", OF_PEOPLE, ids=lambda act: act.__name__)
def test_a_foreign_id_is_answered_as_an_absent_one(program: Program, act: type) -> None:
    """In the address and in what is sent; nothing is written."""
    excuses = Excuses(NOT_KEPT_APART)
    for door in program.doors_of(act):
        known = home(program, act)
        role = next((role for role in door.roles if role is not Role.OPERATOR), Role.OPERATOR)
        for name in door.ids:
            said = []
            for other in (program.world.theirs[name], absent(name)):
                if other == program.world.theirs[name] and role is Role.OPERATOR:
                    continue
                with program.undone() as connection:
                    before, there = mark(connection), {**known, name: other}
                    said.append(knock(program, door, role, with_every_id(act, there), there))
                    assert mark(connection) == before, f"{door} as {role} with {name} {other} writes"
            assert said[0] == said[-1], f"{door} tells a foreign {name} from an absent one: {said}"
            excuses.see((door, name), said[0].status == 404, f"{door} as {role}, {name}: {said[0]}")
    assert "\n".join(excuses.faults) == ""


@pytest.mark.parametrize("act", OF_PEOPLE, ids=lambda act: act.__name__)
def test_a_door_is_there_for_the_roles_of_its_act_alone(program: Program, act: type) -> None:
    for door in program.doors_of(act):
        known = home(program, act)
        with program.undone() as connection:
            before = mark(connection)
            for role in sorted(PEOPLE - set(door.roles)):
                said = knock(program, door, role, good(act, known), known)
                assert said.status == 404, f"{door} as {role}: {said}"
            assert mark(connection) == before, door


@pytest.mark.parametrize("act", VERSIONED, ids=lambda act: act.__name__)
def test_each_door_refuses_an_old_version_and_names_who_changed_it(program: Program, act: type) -> None:
    for door in program.doors_of(act):
        if (act.__name__, door.rule, "version") in NOT_ASKED:
            continue
        known = home(program, act)
        with program.undone() as connection:
            before = mark(connection)
            said = knock(program, door, door.roles[0], good(act, known, version=OLD), known)
            assert said.is_refused and "刚刚由" in said.text, f"{door}: {said}"
            assert mark(connection) == before


class Seen(DispatchError):
    """What arrived at the acts through a door."""


@pytest.mark.parametrize("act", OF_PEOPLE, ids=lambda act: act.__name__)
def test_no_door_drops_a_field(program: Program, act: type) -> None:
    """Each field arrives as it was sent, or it is said why this door does not ask for it."""
    excuses = Excuses(NOT_ASKED)
    seen: list[Any] = []

    def look(session: Any, command: Any, actor: Any, **more: Any) -> Any:
        if type(command) is not act:  # a form of several acts: what comes before is taken
            return perform(session, command, actor, **more)
        seen.append(command)
        raise Seen("seen")

    program.app.extensions["daiban.perform"] = look
    try:
        for door in program.doors_of(act):
            known = home(program, act)
            seen.clear()
            with program.undone():
                command = command_of(act, known)
                wanted, said = send(program.app, program.client(door.roles[0]), door, command, known)
            assert seen, f"{door}: nothing arrives: {said}"
            for field in dataclasses.fields(act):
                if field.name in BY_THE_HOUSE:
                    continue
                arrived, sent = (as_json(getattr(one, field.name)) for one in (seen[0], wanted))
                excuses.see((door, field.name), arrived == sent, f"{door}.{field.name} is {arrived}, not {sent}")
    finally:
        program.app.extensions["daiban.perform"] = perform
    assert "\n".join(excuses.faults) == ""


def faults_of_forms(program: Program) -> tuple[list[str], dict[str, list[Form]]]:
    """What is wrong with the forms of the program's pages, and the forms by the endpoint that takes them."""
    of_pages = [door for door in program.doors if not door.is_api]
    forms = forms_of(program, {door: home(program, door.act) for door in of_pages})
    faults = list[str]()
    for endpoint in sorted({door.endpoint for door in of_pages}):
        doors = [door for door in of_pages if door.endpoint == endpoint]
        taken = set[str]().union(*(fields_taken(door, home(program, door.act)) for door in doors))
        if endpoint not in forms and endpoint not in NO_FORM:
            faults.append(f"{endpoint}: no page of any scene has its form")
        if endpoint in forms and endpoint in NO_FORM:
            faults.append(f"{endpoint} has a form and needs its excuse no more")
        for form in forms.get(endpoint, []):
            for name in sorted({plainly(name) for name in form.names} - taken):
                excused = (endpoint, name) in OF_THE_PAGE
                faults += [] if excused else [f"{form.page}: no command of {endpoint} takes {name}"]
        versioned = [door for door in doors if "version" in taken and door.act in VERSIONED]
        unsaid = {form.page for form in forms.get(endpoint, []) if "version" not in form.names}
        if versioned and not NOT_ASKED.get((versioned[0].act.__name__, versioned[0].rule, "version")):
            if unsaid and endpoint not in NOT_SEEN:
                faults.append(f"{endpoint} is sent without a version from {sorted(unsaid)[:3]}")
            if not unsaid and endpoint in NOT_SEEN:
                faults.append(f"{endpoint} carries its version and needs its excuse no more")
    return faults, forms


def test_every_form_of_a_page_is_taken_whole_and_carries_what_was_seen(program: Program) -> None:
    """A field that no command takes is typed for nothing; a form without the version overwrites what others did."""
    faults, forms = faults_of_forms(program)
    named = {(endpoint, plainly(name)) for endpoint, found in forms.items() for one in found for name in one.names}
    faults += [f"{key} is in no form and needs no excuse" for key in OF_THE_PAGE if key not in named]
    assert not faults, "\n".join(dict.fromkeys(faults))


def test_every_excuse_is_of_a_door_that_there_is(program: Program) -> None:
    doors = {(door.act.__name__, door.rule) for door in program.doors}
    for excuses in (NOT_ASKED, NOT_KEPT_APART, REFUSED_TWICE):
        for act, rule, *_ in excuses:
            assert (act, rule) in doors, f"{act} at {rule} is no door"


# ---------------------------------------------------------------- parity itself: a fault that is put in is found

Check = Callable[[Program, type], None]
OF_A_DOOR: tuple[Check, ...] = (
    test_no_door_drops_a_field,
    test_each_door_takes_good_data_once,
    test_a_foreign_id_is_answered_as_an_absent_one,
    test_a_door_is_there_for_the_roles_of_its_act_alone,
    test_each_door_refuses_an_old_version_and_names_who_changed_it,
)
FAULTY_DOORS: dict[tampering.Taken, Check] = {
    tampering.dropping_a_field: test_no_door_drops_a_field,
    tampering.taking_it_twice: test_each_door_takes_good_data_once,
    tampering.in_the_programs_name: test_a_foreign_id_is_answered_as_an_absent_one,
    tampering.overwriting: test_each_door_refuses_an_old_version_and_names_who_changed_it,
}


def test_a_door_of_our_own_making_stands_every_check(program: Program) -> None:
    for check in OF_A_DOOR:
        check(tampering.with_door(program, tampering.honest), PauseReview)


@pytest.mark.parametrize("fault", FAULTY_DOORS, ids=lambda fault: fault.__name__)
def test_a_door_with_one_fault_is_found_out(program: Program, fault: tampering.Taken) -> None:
    with pytest.raises(AssertionError):
        FAULTY_DOORS[fault](tampering.with_door(program, fault), PauseReview)


def test_a_door_that_anybody_may_use_is_found_out(program: Program) -> None:
    open_door = tampering.with_door(program, tampering.in_the_programs_name, is_guarded=False)
    with pytest.raises(AssertionError):
        test_a_door_is_there_for_the_roles_of_its_act_alone(open_door, PauseReview)


def test_an_act_whose_scope_is_not_checked_is_found_out(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROWS, ReviewId, tampering.UNSCOPED)
    with pytest.raises(AssertionError, match="takes review_id"):
        test_no_act_takes_an_id_that_is_not_the_actors(program, PauseReview)
    with pytest.raises(AssertionError):
        test_a_foreign_id_is_answered_as_an_absent_one(tampering.with_door(program, tampering.honest), PauseReview)


def test_an_act_that_takes_any_version_is_found_out(program: Program) -> None:
    with (
        tampering.acts_that_look_away("_check_version", tampering.no_version),
        pytest.raises(AssertionError, match="PauseReview as"),
    ):
        test_an_old_version_is_refused(program, PauseReview)


def test_a_form_that_says_too_little_or_too_much_is_found_out(program: Program) -> None:
    doors = [door for door in program.doors if door.rule == "/my/cases/<case_no>/withdrawal"]
    only = dataclasses.replace(program, doors=doors)
    assert faults_of_forms(only)[0] == []
    with tampering.pages_with(program.app, 'name="version"', 'name="vision"'):
        said = "\n".join(faults_of_forms(only)[0])
    assert f"{doors[0].endpoint} is sent without a version" in said
    assert f"no command of {doors[0].endpoint} takes vision" in said
