"""Segments: how many parts a text is sent in, and so what it costs."""

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("^{}\\[~]|€\f")


def is_gsm7(text: str) -> bool:
    """Whether every character is in the seven-bit alphabet; one that is not turns the whole text to UCS-2."""
    return all(c in _GSM or c in _GSM_EXTENDED for c in text)


def parts(text: str) -> list[str]:
    """The parts as a handset receives them: 70 UCS-2 units alone and 67 each when split, 160 and 153 in GSM-7.

    A character of two units (a surrogate pair, an escaped GSM-7 one) is never split.
    """
    if is_gsm7(text):
        sizes, alone, each = [2 if c in _GSM_EXTENDED else 1 for c in text], 160, 153
    else:
        sizes, alone, each = [2 if ord(c) > 0xFFFF else 1 for c in text], 70, 67
    if sum(sizes) <= alone:
        return [text]
    found, part, used = [], "", 0
    for character, size in zip(text, sizes, strict=True):
        if used + size > each:
            found.append(part)
            part, used = "", 0
        part, used = part + character, used + size
    return [*found, part]


def segments(text: str) -> int:
    """How many parts a provider charges for."""
    return len(parts(text))
