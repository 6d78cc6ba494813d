"""Formatting: dates, windows, working days, lamps and languages as pages show them, in Shanghai time."""

import calendar
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from flask import Flask, has_request_context, request
from flask import session as cookie
from flask_babel import Babel, get_locale, gettext, ngettext
from flask_login import current_user

import db
from dispatch.core.actor import ROLE_LABEL
from dispatch.core.localized_text import DayText, ListText, LocalizedText, WindowText, from_json
from web.wiring.catalogue_words import english_name
from web.wiring.transactions import business_clock as business_clock

LOCALES: Mapping[str, str] = MappingProxyType({"zh": "zh_Hans_CN", "en": "en"})
WEEKDAYS = "一二三四五六日"
SHORT_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
BETWEEN: Mapping[str, str] = MappingProxyType({"、": ", ", "；": "; ", "": " "})
LAMPS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"green": ("●", "正常"), "amber": ("▲", "黄牌"), "red": ("■", "红牌"), "grey": ("○", "未开始")}
)

SINGLE = re.compile(r"(?<![\d.,])(1 (?:working |calendar )?)days\b")
"""One day in an English sentence: the form of the many is written once, and read for one."""

babel = Babel()


def chosen_locale() -> str:
    """The language of this request: chosen here, else the account's, else what the browser or program asks for.

    A program with a token is answered as it asks first; whoever asks for neither language reads Chinese."""
    if not has_request_context():
        return LOCALES["zh"]
    asked = request.accept_languages.best_match(LOCALES)
    is_program = request.path.startswith("/api/") and request.authorization is not None
    chosen = asked if is_program else cookie.get("locale")
    if chosen not in LOCALES:
        chosen = current_user.locale if current_user.is_authenticated else asked
    return LOCALES.get(str(chosen), LOCALES["zh"])


def is_chinese() -> bool:
    """Whether this page speaks Chinese."""
    locale = get_locale()
    return locale is None or locale.language == "zh"


def today() -> date:
    """The business day in Shanghai."""
    return business_clock()[0].astimezone(db.SHANGHAI).date()


def local(value: datetime) -> datetime:
    """The instant on Shanghai's clock."""
    return value.astimezone(db.SHANGHAI)


def day(value: date | datetime | None, *, weekday: bool = True) -> str:
    """3月12日(周四); the year only when it is not this one."""
    if value is None:
        return "—"
    on = local(value).date() if isinstance(value, datetime) else value
    other_year = on.year != today().year
    if is_chinese():
        text = f"{on.month}月{on.day}日" + (f"（周{WEEKDAYS[on.weekday()]}）" if weekday else "")
        return f"{on.year}年{text}" if other_year else text
    text = f"{on:%a} {on.day} {on:%b}" if weekday else f"{on.day} {on:%b}"
    return f"{text} {on.year}" if other_year else text


def month_name(number: int) -> str:
    """3月, of a month's number."""
    return f"{number}月" if is_chinese() else calendar.month_name[number]


def weekday(value: date | int) -> str:
    """周四; a number counts from Monday, 1."""
    number = value if isinstance(value, int) else value.isoweekday()
    return f"周{WEEKDAYS[number - 1]}" if is_chinese() else SHORT_WEEKDAYS[number - 1]


def moment(value: datetime | None) -> str:
    """3月12日(周四) 14:05."""
    return "—" if value is None else f"{day(value)} {local(value):%H:%M}"


def on_our_clock(value: datetime) -> datetime:
    """A moment of real time, of a login or a lease, as the program's clock showed it: one clock on every page."""
    return value + (business_clock()[0] - datetime.now(UTC))


def time_of_day(value: datetime | int | None) -> str:
    """14:05, from an instant or from seconds since 00:00."""
    if value is None:
        return "—"
    if isinstance(value, datetime):
        return f"{local(value):%H:%M}"
    return f"{value // 3600:02d}:{value % 3600 // 60:02d}"


def window(value: tuple[int, int] | list[int] | None) -> str:
    """09:00–11:30, from two second counts of a day."""
    return "—" if not value else f"{time_of_day(value[0])}–{time_of_day(value[1])}"


def working_days(count: int | None) -> str:
    """4 个工作日."""
    return "—" if count is None else str(ngettext("%(num)s 个工作日", "%(num)s 个工作日", count))


def remaining(count: int | None) -> str:
    """还剩 4 个工作日, 今天到期, 已超期 2 个工作日."""
    if count is None:
        return "—"
    if count == 0:
        return str(gettext("今天到期"))
    if count < 0:
        return str(ngettext("已超期 %(num)s 个工作日", "已超期 %(num)s 个工作日", -count))
    return str(ngettext("还剩 %(num)s 个工作日", "还剩 %(num)s 个工作日", count))


def lamp_words(colour: str) -> tuple[str, str]:
    """The shape and the word beside a lamp's colour."""
    shape, word = LAMPS[str(colour)]
    return shape, gettext(word)


def in_words(words: str) -> str:
    """A sentence that another room said, in the reader's language; in Chinese where it has no English form."""
    if not words or is_chinese():
        return str(words)
    match words:
        case DayText():
            return day(words.on, weekday=False)
        case WindowText():
            return window(words.ends)
        case ListText():
            return BETWEEN.get(words.between, words.between).join(map(in_words, words.items))
        case LocalizedText():
            form = str(gettext(words.form))
            if form == words.form or not words.values:
                return form if not words.values else str(words)
            said = form % {name: in_words(one) if isinstance(one, str) else one for name, one in words.values.items()}
            return SINGLE.sub(r"\1day", said)
    said = str(gettext(words))
    return english_name(said) if said == words else said


def each(items: Iterable[str]) -> str:
    """甲、乙: several in a row."""
    return in_words(ListText(items))


def ten_thousands(count: Decimal | str | None) -> str | None:
    """5000 万元, CNY 50,000,000: a sum that is counted in ten thousands of yuan; None stays None."""
    if count is None:
        return None
    amount = Decimal(count)
    return f"{amount:f} 万元" if is_chinese() else f"CNY {amount * 10_000:,.0f}"


def with_query(**changes: Any) -> str:
    """This page's address with some of its query changed; None or "" takes a part away. It is the first page again."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in {"cursor", "page", *changes}]
    kept += [(name, str(value)) for name, value in changes.items() if value not in (None, "")]
    return request.path + ("?" + urlencode(kept) if kept else "")


def this_query() -> str:
    """What this page is asked for, as a saved view keeps it: without the page and what says nothing."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if value and name not in {"cursor", "page"}]
    return urlencode(kept)


def install(app: Flask) -> None:
    """Filters, globals and the language switch."""
    app.config.update(BABEL_DEFAULT_LOCALE=LOCALES["zh"], BABEL_DEFAULT_TIMEZONE="Asia/Shanghai")
    babel.init_app(app, locale_selector=chosen_locale)
    app.jinja_env.filters.update(
        day=day,
        weekday=weekday,
        month_name=month_name,
        moment=moment,
        on_our_clock=on_our_clock,
        time_of_day=time_of_day,
        window=window,
        working_days=working_days,
        remaining=remaining,
        lamp_words=lamp_words,
        in_words=in_words,
        recalled=from_json,
        each=each,
        ten_thousands=ten_thousands,
    )
    app.jinja_env.globals.update(
        with_query=with_query,
        this_query=this_query,
        today=today,
        business_clock=business_clock,
        is_chinese=is_chinese,
        ROLE_LABEL=ROLE_LABEL,
    )
