"""English: what has an English form is compiled as it stands, and no form loses what is put into it."""

import re

from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient

from dispatch.cases.stages import LABEL
from web import vocabulary


def test_what_is_compiled_is_what_is_written() -> None:
    with open(vocabulary.FOLDER / "messages.po", "rb") as file:
        written = read_po(file, locale="en")
    assert (vocabulary.FOLDER / "messages.mo").read_bytes().count(b"\0") >= len(written)
    compiled = vocabulary.compiled(written)
    newest = [message.string for message in written if message.id and isinstance(message.string, str)]
    assert all(words.encode() in compiled for words in newest)
    assert (vocabulary.FOLDER / "messages.mo").stat().st_size > 0


def test_every_form_keeps_the_values_of_its_word() -> None:
    for message in vocabulary.gathered():
        forms = [message.string] if isinstance(message.string, str) else list(message.string)
        word = message.id if isinstance(message.id, str) else message.id[0]
        for form in filter(None, forms):
            assert set(re.findall(r"%\(\w+\)s", form)) == set(re.findall(r"%\(\w+\)s", word)), word


def test_stages_and_errors_speak_english(app: Flask, client: FlaskClient) -> None:
    known = vocabulary.gathered()
    assert [words for words in LABEL.values() if not known[words].string] == []
    client.post("/language/en", data={"next": "/"})
    assert "Free proxy agents for your project" in client.get("/").text
    page = client.get("/nowhere", headers={"Accept": "text/html"}).text
    assert "Not found" in page
