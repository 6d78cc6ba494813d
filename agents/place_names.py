"""Place names as people write them: short forms, codes, zones under other names; found exactly, or proposed."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from agents.network import Level

ALIASES: Mapping[str, str] = {
    "江北新区": "320111000000", "南京江北新区": "320111000000",
    "常州经开区": "320412000000", "常州经济开发区": "320412000000", "江苏常州经济开发区": "320412000000",
    "武进国家高新技术产业开发区": "320412411000", "武进高新技术产业开发区": "320412411000",
    "武进高新区": "320412411000", "武进经开区": "320412400000",
    "常州高新区": "320411000000", "常州国家高新技术产业开发区": "320411000000",
    "苏州高新区": "320505000000", "苏州国家高新技术产业开发区": "320505000000",
    "无锡高新区": "320214000000", "无锡国家高新技术产业开发区": "320214000000",
    "昆山经济技术开发区": "320583400000", "昆山经开区": "320583400000",
}  # fmt: skip
"""National new areas and development zones that stand in no list of divisions under this name, and who serves them."""
ENDINGS = ("街道", "市", "区", "县", "镇", "乡")
PROVINCE = ("江苏省", "江苏")
SHORTEST = 2
LONGEST = 40  # a longer text is no name of a place, and is not searched for one
MOST_PROPOSED = 3


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A division with what its names are read from."""

    code: str
    name: str
    level: Level
    parent_code: str | None
    lon: float
    lat: float


def plainly(text: str) -> str:
    """The text in half width, without spaces and without the province in front."""
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    for province in PROVINCE:
        plain = plain.removeprefix(province) or plain
    return plain


def forms_of(name: str) -> Iterator[str]:
    """The name, and its short form where that still says something: 武进 for 武进区, 湖塘 for 湖塘镇."""
    yield name
    for ending in ENDINGS:
        if name.endswith(ending) and len(name) - len(ending) >= SHORTEST:
            yield name.removesuffix(ending)
            return


class PlaceIndex:
    """Divisions by every form of their names."""

    def __init__(self, places: Iterable[NamedPlace]) -> None:
        self.by_code = {place.code: place for place in places}
        self.forms: dict[str, list[NamedPlace]] = {}
        for place in self.by_code.values():
            for form in forms_of(plainly(place.name)):
                self.forms.setdefault(form, []).append(place)
        for alias, code in ALIASES.items():
            if code in self.by_code:
                self.forms[alias] = [self.by_code[code]]

    def named(self, text: str) -> list[NamedPlace]:
        """The places that a text names wholly, with or without those above: 武进, 常州武进区, 320412, 常州经开区."""
        plain = plainly(text)
        if len(plain) > LONGEST:
            return []
        if plain.isdecimal():
            place = self.by_code.get(plain.ljust(12, "0"))
            return [place] if place is not None else []
        if plain in ALIASES and ALIASES[plain] in self.by_code:
            return [self.by_code[ALIASES[plain]]]
        found: dict[str, NamedPlace] = {}
        for start in range(len(plain)):
            for place in self.forms.get(plain[start:], ()):
                if self._is_above(plain[:start], place):
                    found[place.code] = place
        full = [place for place in found.values() if plain.endswith(plainly(place.name))]
        return full or list(found.values())

    def proposals(self, text: str) -> list[NamedPlace]:
        """A few places whose names come near to the text, the nearest first."""
        plain = plainly(text)
        if len(plain) > LONGEST:
            return []
        near = [form for form in self.forms if len(plain) >= SHORTEST and (plain in form or form in plain)]
        near.sort(key=lambda form: (abs(len(form) - len(plain)), form))
        near += get_close_matches(plain, self.forms, n=MOST_PROPOSED, cutoff=0.5)
        found = {place.code: place for form in near for place in self.forms[form]}
        return list(found.values())[:MOST_PROPOSED]

    def within(self, text: str) -> list[NamedPlace]:
        """The places that an address mentions, the one that most of its names lead to first."""
        plain = plainly(text)
        there: dict[str, int] = {}
        for length in range(SHORTEST, min(len(plain), 24) + 1):
            for start in range(len(plain) - length + 1):
                for place in self.forms.get(plain[start : start + length], ()):
                    there[place.code] = length

        def rank(place: NamedPlace) -> tuple[int, int, int, str]:
            agreeing = sum(1 for above in self.line(place) if above.code in there)
            return -agreeing, -place.level, -there[place.code], place.code

        return sorted((self.by_code[code] for code in there), key=rank)

    def line(self, place: NamedPlace) -> list[NamedPlace]:
        """The place and those above it, from below."""
        found = [place]
        while (above := self.by_code.get(found[-1].parent_code or "")) is not None:
            found.append(above)
        return found

    def full_name(self, place: NamedPlace) -> str:
        """With the city and the county in front."""
        return "".join(each.name for each in reversed(self.line(place)) if each.level > Level.PROVINCE)

    def _is_above(self, text: str, place: NamedPlace) -> bool:
        """Whether this text names nothing but places above, each at most once, in their order."""
        if not text:
            return True
        above = self.line(place)[1:]
        return any(
            text.endswith(form) and self._is_above(text.removesuffix(form), each)
            for each in above
            for form in forms_of(plainly(each.name))
        )
