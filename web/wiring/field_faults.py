"""Field faults: what is wrong with each field of a body or query, where it stands, and in the caller's language."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from pydantic import BaseModel, ValidationError

from dispatch.core.amount import WrongAmount

FAULTS = {
    "date_from_datetime_parsing": "请选择日期", "date_parsing": "请选择日期", "date_type": "请选择日期",
    "enum": "填写有误，请核对后再提交", "int_parsing": "请填写整数", "float_parsing": "请填写数字",
    "greater_than_equal": "数值太小", "less_than_equal": "数值太大", "string_too_long": "填写的内容太长",
    "amount": WrongAmount.user_message,
}  # fmt: skip
"""What a person is told, by the kind of fault."""
FOR_PROGRAMS = {
    "missing": "缺少此项",
    "extra_forbidden": "没有这一项",
    "string_too_short": "填写的内容太短",
    "greater_than": "数值太小",
    "less_than": "数值太大",
    "too_long": "项数太多",
    "too_short": "项数太少",
    "string_pattern_mismatch": "格式不对",
    "bool_parsing": "应为 true 或 false",
    "bool_type": "应为 true 或 false",
    "string_type": "应为字符串",
    "int_type": "请填写整数",
    "float_type": "请填写数字",
    "list_type": "应为列表",
    "dict_type": "应为对象",
    "model_type": "应为对象",
    "model_attributes_type": "应为对象",
    "literal_error": "不是可选的值",
    "union_tag_invalid": "不是可选的值",
    "union_tag_not_found": "缺少此项",
    "uuid_parsing": "应为 UUID",
    "datetime_parsing": "应为带时区的时刻",
    "datetime_from_date_parsing": "应为带时区的时刻",
    "timezone_aware": "应为带时区的时刻",
}
"""What a program is told besides."""


class FieldFault(BaseModel):
    """One fault: ``in`` body, query or form; ``pointer`` (RFC 6901) from there; ``code`` for the program."""

    where: str
    pointer: str
    code: str
    message: str


def field_faults(error: ValidationError, where: str) -> list[dict[str, str]]:
    """Each fault of a body, query or form. What was sent is not repeated."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return [_fault(one, where) for one in found]


def _fault(one: Mapping[str, Any], where: str) -> dict[str, str]:
    pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in one["loc"])
    words = gettext((FAULTS | FOR_PROGRAMS).get(one["type"], "填写有误，请核对后再提交"))
    return FieldFault(where=where, pointer=pointer, code=one["type"], message=words).model_dump()
