"""Redirect targets: whatever is asked for, a browser stays with us, and nothing that cannot be a header is sent."""

import re
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask, redirect
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st

from web.wiring.auth import safe_target

US = "https://daiban.example"
PIECES = ("/", "\\", "\t", "\r", "\n", "\x00", " ", ".", "@", ":", "?", "#", "%", "[", "evil.example", "https")
HOSTILE = st.lists(st.sampled_from((*PIECES, "javascript", "办件", "\u2028", "\x7f", "\x85")), max_size=8).map("".join)


def as_a_browser_reads(target: str) -> str:
    """The address after what the URL standard drops and turns round."""
    read = re.sub(r"[\t\r\n]", "", target.strip("".join(map(chr, range(0x21))))).replace("\\", "/")
    return urljoin(f"{US}/login", read)


@given(HOSTILE | st.text(max_size=20))
@example("/\t/evil.example")
@example("/\r/x")
@example("/\\evil.example")
@example("//evil.example")
@example("/\t\\evil.example")
def test_a_target_that_is_taken_leads_to_us_and_makes_a_header(target: str) -> None:
    taken = safe_target(target)
    if taken is None:
        return
    location = redirect(taken).headers["Location"]
    for address in (taken, location):
        read = urlsplit(as_a_browser_reads(address))
        assert (read.scheme, read.netloc) == ("https", "daiban.example"), address


@pytest.mark.parametrize(
    "target", ["/", "/team", "/team?lamp=red&x=%2F%2F", "/my/cases/320412-20261121-00042#路径", "/track?code=A B"]
)
def test_a_path_of_ours_is_taken_as_it_is(target: str) -> None:
    assert safe_target(target) == target


@pytest.mark.parametrize(
    "target", ["/\t/evil.example", "/\r/x", "//evil.example", "https://evil.example", "/\\evil.example"]
)
def test_the_language_form_goes_nowhere_else(client: FlaskClient, app: Flask, target: str) -> None:
    answer = client.post("/language/en", data={"next": target})
    assert (answer.status_code, answer.location) == (302, "/")
