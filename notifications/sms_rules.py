"""SMS rules: what no mainland carrier takes in a notice, for its words and for what is filled into them alike. Pure."""

import re
import unicodedata

_FULL_WIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF10, 0xFF5B) if chr(code - 0xFEE0).isalnum()}
_PLAIN = str.maketrans(
    _FULL_WIDTH | {ord(wide): plain for wide, plain in zip("＋－．／＠＿＆＝％＃", "+-./@_&=%#", strict=True)}
)
_DOMAIN = r"(?:cn|com|net|org|gov|top|cc|io|vip|xyz|info|club|site|shop|ltd)"
_END = r"(?![A-Za-z0-9])"
URL = re.compile(
    r"(?:https?[:：]|www\s*[.。点])[^\s，。；、）)】]*"
    rf"|[a-z0-9][a-z0-9-]*(?:\s*[.点]\s*[a-z0-9-]+)*\s*[.。点]\s*{_DOMAIN}{_END}(?:/[!-~]*)?",
    re.IGNORECASE,
)
"""A web address, also as people write it to get past a filter (www。x。cn, x点cn)."""
ARROW = re.compile("[\u2190-\u21ff\u27f0-\u27ff\u2900-\u297f➔-➾]|->|=>")
MOBILE = re.compile(r"(?<![0-9])(?:(?:\+|00)?86[ .·-]?)?1[3-9](?:[ .·-]?[0-9]){9}(?![0-9])")
"""A mainland mobile number, however its digits are grouped."""
LANDLINE = re.compile(r"(?<![0-9])0[0-9]{2,3}[ -]?[0-9]{7,8}(?![0-9])|(?<![0-9])[48]00-?[0-9]{3}-?[0-9]{4}(?![0-9])")
REPLY = re.compile(
    r"(?:请?回复?\s*[A-Z]{1,2}\s*(?:可|即可)?|\b[A-Z]{1,2}\s*)(?:退订|拒收)"
    r"|(?:退订|拒收)\s*请?回复?\s*[A-Z]{1,2}(?![A-Za-z])",
    re.IGNORECASE,
)
"""Words that ask for a reply: nobody reads one."""
CONTACT = re.compile(
    r"(?<![A-Za-z])(?:QQ|微信|WeChat|VX|钉钉)\s*(?:群|号)?\s*[:：]?\s*[A-Za-z0-9_-]{5,}", re.IGNORECASE
)
ASKS_FOR_A_GRADE = re.compile(
    r"好评|[五5]\s*(?:颗\s*)?星|满分|满意度|请[^。,，;；]{0,12}(?:评价|打分|评分)"
    r"|(?:rate|grade|review) (?:us|our)|(?:five|5)[ -]stars?",
    re.IGNORECASE,
)
_PICTURES = re.compile("[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff\U000e0000-\U000e01ef\ufe00-\ufe0f\u20e3]")
_NOTHING_LEFT = "（略）"


def plain(text: str) -> str:
    """The text with half-width letters and digits and without marks that nobody sees: what a filter looks at.

    Rare characters of names that this Unicode version does not know yet, or that stand in private areas, stay."""
    seen = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in {"Cf", "Cs", "Cc"})
    return seen.translate(_PLAIN)


def clean(value: str, *, hotline: str, may_hold_landline: bool = False) -> str:
    """One value as every carrier takes it: no addresses, numbers but the hotline's, pictures or pleas for a reply."""
    cleaned = plain(_PICTURES.sub("", value)).replace("【", "[").replace("】", "]")
    cleaned = URL.sub("", cleaned)
    cleaned = CONTACT.sub(hotline, cleaned)
    cleaned = MOBILE.sub(hotline, cleaned)
    if not may_hold_landline:
        cleaned = LANDLINE.sub(hotline, cleaned)
    cleaned = ARROW.sub("-", REPLY.sub("", cleaned))
    return " ".join(cleaned.split()) or _NOTHING_LEFT


def units(text: str) -> int:
    """The length of a text in UCS-2 units, which is what a part of an SMS has room for."""
    return sum(2 if ord(c) > 0xFFFF else 1 for c in text)


def shortened(text: str, most: int) -> str:
    """At most ``most`` units; what is left out shows as "…", and no character is parted from its marks."""
    if units(text) <= most:
        return text
    kept, used = "", 0
    for cluster in _clusters(text):
        if used + units(cluster) > most - 1:
            break
        kept, used = kept + cluster, used + units(cluster)
    return kept.rstrip() + "…"


def shortened_name(name: str, most: int) -> str:
    """A person's name is whole or stands by its first parts; it is never cut within one."""
    if units(name) <= most:
        return name
    kept = ""
    for part in re.findall(r"[^·\s]+[·\s]*", name):
        if units((kept + part).rstrip("· ")) > most:
            break
        kept += part
    return kept.rstrip("· ") or shortened(name, most)


def _clusters(text: str) -> list[str]:
    found: list[str] = []
    for character in text:
        if found and unicodedata.category(character).startswith("M"):
            found[-1] += character
        else:
            found.append(character)
    return found
