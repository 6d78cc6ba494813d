"""Texts: the versions of each text's words, and how an operator edits, previews and reverts them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import String, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

import db
from db import Base
from notifications.lint import TextRules, faults
from notifications.segments import segments
from notifications.settings import NoticeSettings
from notifications.text_catalogue import catalogue, fields, text_named
from notifications.text_rendering import render, signature


class BadWords(ValueError):
    """An edited text breaks rules; ``faults`` names each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class TextVersion(Base):
    """The words that were in force; a message names its version, so what was sent can always be shown."""

    __tablename__ = "text_version"
    __table_args__ = (UniqueConstraint("name", "locale", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    locale: Mapped[str] = mapped_column(String(8))
    version: Mapped[int]
    words: Mapped[str]
    by_file: Mapped[bool]
    """True for the words that came with the program; an operator's own stay in force when those change."""
    author_account_id: Mapped[int | None]
    note: Mapped[str | None]
    created_at: Mapped[datetime]


def current(session: Session, name: str, locale: str) -> TextVersion:
    """The words in force: an operator's latest, else the program's own. A new release's words become a version here."""
    own = text_named(name).words[locale]
    latest = select(TextVersion).where(TextVersion.name == name, TextVersion.locale == locale)
    for attempt in range(3):
        asked = latest.order_by(TextVersion.version.desc()).limit(1).execution_options(populate_existing=attempt > 0)
        found = session.scalars(asked).first()
        if found is not None and (not found.by_file or found.words == own):
            return found
        # In its own transaction: two long ones that meet new words in different order must not wait for each other.
        with Session(session.get_bind().engine) as own_session, own_session.begin():
            _add(own_session, name, locale, (found.version if found else 0) + 1, own, by_file=True)
    raise RuntimeError(f"the version of {name} kept changing")


def _add(session: Session, name: str, locale: str, version: int, words: str, **more: Any) -> None:
    # Of several processes that meet a new release together one inserts, the others read its row.
    session.execute(
        insert(TextVersion)
        .values(name=name, locale=locale, version=version, words=words, created_at=db.now(session), **more)
        .on_conflict_do_nothing()
    )


def words_of(session: Session, name: str, locale: str, version: int) -> str:
    """The words of one version, which never change."""
    return session.scalars(
        select(TextVersion.words).where(
            TextVersion.name == name, TextVersion.locale == locale, TextVersion.version == version
        )
    ).one()


_committed: WeakKeyDictionary[object, dict[tuple[str, str, int], str]] = WeakKeyDictionary()


def committed_words(session: Session, name: str, locale: str, version: int) -> str:
    """The words of a version that is committed for certain: each process asks once for them."""
    known = _committed.setdefault(session.get_bind().engine, {})
    key = (name, locale, version)
    if key not in known:
        known[key] = words_of(session, *key)
    return known[key]


def history(session: Session, name: str, locale: str) -> list[TextVersion]:
    """Every version, newest first."""
    rows = select(TextVersion).where(TextVersion.name == name, TextVersion.locale == locale)
    return list(session.scalars(rows.order_by(TextVersion.version.desc())))


def edit(
    session: Session, name: str, locale: str, words: str, *, by_account: int, note: str, settings: NoticeSettings
) -> TextVersion:
    """An operator's words come into force as a new version. Raises BadWords with every fault at once."""
    if found := lint(name, locale, words, settings):
        raise BadWords(found)
    before = current(session, name, locale)
    if before.words == words:
        return before
    _add(session, name, locale, before.version + 1, words, by_file=False, author_account_id=by_account, note=note)
    session.flush()
    return current(session, name, locale)


def revert(session: Session, name: str, locale: str, *, by_account: int, note: str) -> TextVersion:
    """The program's own words come back into force, as a new version."""
    before = current(session, name, locale)
    own = text_named(name).words[locale]
    if not before.by_file:
        _add(session, name, locale, before.version + 1, own, by_file=True, author_account_id=by_account, note=note)
    return current(session, name, locale)


def lint(name: str, locale: str, words: str, settings: NoticeSettings) -> list[str]:
    """Every rule that ``words`` would break as the text ``name``; empty when it may be sent."""
    text = text_named(name)
    rules = TextRules(
        allowed=frozenset(text.placeholders),
        needed=frozenset(fields(text.words[locale])),
        placeholders=catalogue().placeholders,
        signature=signature(locale, settings),
    )
    return faults(words, rules)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an operator sees before an edit comes into force."""

    body: str
    longest: str
    segments: int
    longest_segments: int
    cost_fen: int
    faults: list[str]


def preview(name: str, locale: str, words: str, settings: NoticeSettings, *, gateway: str | None = None) -> Preview:
    """``words`` filled with real-looking values and with the longest ones; the cost is the dearer of the two."""
    rules = catalogue().placeholders
    found = lint(name, locale, words, settings)
    known = {f for f in fields(words) if f in rules} if not _malformed(words) else set()
    if _malformed(words) or set(fields(words)) - known:
        return Preview(words, words, segments(words), segments(words), 0, found)
    samples = {f: rules[f].sample_in(locale) for f in known}
    body = render(words, samples, locale, settings)
    longest = render(words, {f: rules[f].longest() for f in known}, locale, settings)
    fen = settings.fen_a_segment.get(gateway or settings.mainland[0].gateway, 0)
    return Preview(body, longest, segments(body), segments(longest), fen * segments(longest), found)


def _malformed(words: str) -> bool:
    try:
        fields(words)
    except ValueError:
        return True
    return False
