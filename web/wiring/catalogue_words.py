"""Catalogue words: names of matters, materials and results in English, for every page that shows one."""

from collections.abc import Mapping

from flask import g
from sqlalchemy import select

from dispatch.catalogue.matter import Matter, Requirement
from web.wiring.transactions import transaction


def english_name(words: str) -> str:
    """The English form of a name of the catalogue; the words themselves where they are none or have none."""
    return _names().get(words, words)


def _names() -> Mapping[str, str]:
    """Chinese names with their English forms, read once a request."""
    kept: Mapping[str, str] | None = g.get("catalogue_words")
    if kept is None:
        with transaction() as session:
            matters = session.execute(
                select(Matter.name, Matter.short_name, Matter.name_en, Matter.result_name, Matter.result_name_en)
            ).all()
            papers = session.execute(select(Requirement.name, Requirement.name_en)).all()
        pairs = [(name, english) for name, english in papers]
        for name, short, english, result, result_en in matters:
            pairs += [(result, result_en), (short, english), (name, english)]
        kept = g.catalogue_words = {name: english for name, english in pairs if english}
    return kept
