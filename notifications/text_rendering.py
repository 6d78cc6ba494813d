"""Text rendering: values are fitted to their placeholders and filled into the words of a text."""

from collections.abc import Mapping

from notifications import sms_rules
from notifications.settings import NoticeSettings
from notifications.text_catalogue import catalogue, text_named

HIDDEN = "******"


class MissingValue(ValueError):
    """A text was asked for without a value that its words need."""


def signature(locale: str, settings: NoticeSettings) -> str:
    return f"【{settings.signature if locale == 'zh' else settings.signature_en}】"


def fitted(name: str, values: Mapping[str, str], settings: NoticeSettings) -> dict[str, str]:
    """The values that ``name`` needs, each at most as long as its placeholder allows and free of private numbers.

    Raises MissingValue; values that no placeholder asks for are left out.
    """
    text = text_named(name)
    if missing := [p for p in text.placeholders if p not in values]:
        raise MissingValue(f"text {name} needs {', '.join(missing)}")
    return {p: fit(p, str(values[p]), settings) for p in text.placeholders}


def fit(placeholder: str, value: str, settings: NoticeSettings) -> str:
    """One value as it may stand in an SMS: without what carriers refuse, and no longer than its placeholder."""
    rule = catalogue().placeholders[placeholder]
    value = sms_rules.clean(value, hotline=settings.hotline, may_hold_landline=rule.phone)
    shorten = sms_rules.shortened_name if rule.person else sms_rules.shortened
    return shorten(value, rule.max)


def render(words: str, values: Mapping[str, str], locale: str, settings: NoticeSettings) -> str:
    """The whole message, signature in front."""
    return signature(locale, settings) + words.format_map(values)


def hide_secrets(values: Mapping[str, str]) -> dict[str, str]:
    """The values with codes covered: for pages, exports and rows whose code was used."""
    rules = catalogue().placeholders
    return {name: HIDDEN if name in rules and rules[name].secret else value for name, value in values.items()}


def domestic_template(name: str, locale: str) -> str:
    """The words to register with the domestic provider, ``${…}`` for each variable."""
    text = text_named(name)
    return text.words[locale].format_map({p: f"${{{p}}}" for p in text.placeholders})
