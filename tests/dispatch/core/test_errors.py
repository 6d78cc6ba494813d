"""Errors: each has words for the screen, its own or those that were given, and brings its facts."""

import pytest

from dispatch.core.errors import CountedFailure, DispatchError, NoCapacity, NotFound, Refused, of_field


def test_an_error_speaks_for_itself_unless_it_is_told_what_to_say() -> None:
    assert Refused("a rule").user_message == "不符合办理规则"
    assert Refused("a rule", user_message="请签名").user_message == "请签名"
    assert Refused("another").user_message == "不符合办理规则"


def test_an_error_brings_the_broken_rule_and_its_facts() -> None:
    error = NoCapacity("agent 7 holds 5 of 5", agent_id=7)
    assert str(error) == "agent 7 holds 5 of 5"
    assert error.facts == {"agent_id": 7}
    assert DispatchError("nothing").facts == {}


def test_a_failure_to_be_counted_must_say_how() -> None:
    with pytest.raises(NotImplementedError):
        CountedFailure("a wrong code").count(None)
    assert not issubclass(NotFound, CountedFailure)


def test_a_refusal_inside_a_field_names_it_and_goes_on_unless_it_named_one_itself() -> None:
    with pytest.raises(Refused) as named, of_field("phone"):
        raise Refused("no number")
    assert named.value.facts == {"field": "phone"}
    with pytest.raises(Refused) as inner, of_field("contact"), of_field("phone"):
        raise Refused("no number")
    assert inner.value.facts == {"field": "phone"}
