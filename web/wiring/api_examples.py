"""Examples: a value of any schema of the API's description, with names and numbers as they look in a county."""

from typing import Any

NAMED: dict[str, Any] = {
    "account_id": 12,
    "address": "湖塘镇人民东路1号",
    "agent": "李晓云",
    "agent_no": "DB320412-007",
    "case_no": "320412-20261121-00042",
    "code": "IND-104",
    "contact": "王经理",
    "contact_name": "王经理",
    "contact_phone": "13812345678",
    "counter": "项目投资窗口",
    "credit_code": "91320412MA7YBKT850",
    "currency": "CNY",
    "department": "武进区行政审批局",
    "division_code": "320412100000",
    "enterprise": "常州某某公司",
    "lat": 31.72,
    "lon": 119.96,
    "name": "扩产项目",
    "name_en": "Expansion",
    "office_phone": "0519-12345678",
    "phone": "13812345678",
    "project": "扩产项目",
    "project_no": "P320412-2026-00042",
    "query_code": "FVXFPNHR",
    "reason": "材料已齐",
    "ticket_no": "T20261121-0007",
    "version": 3,
    "waybill": "EA123456785CN",
    "words": "请尽快联系",
}
FORMATS = {
    "date": "2026-11-24", "date-time": "2026-11-24T10:03:00+08:00", "uuid": "7d0f3c0a-6a39-4c8f-9a55-2f7b8f6b6c1e",
    "binary": "…",
}  # fmt: skip
DEEPEST = 8


def example_of(schema: dict[str, Any], schemas: dict[str, Any], name: str = "", depth: int = 0) -> Any:
    """One value that fits ``schema``; ``schemas``: what its references name."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rsplit("/", 1)[-1]], schemas, name, depth)
    for given in ("const", "default"):
        if schema.get(given) is not None:
            return schema[given]
    if "enum" in schema:
        return schema["enum"][0]
    if either := schema.get("anyOf") or schema.get("oneOf"):
        is_known = name in NAMED or depth < 2
        choice = next((one for one in either if one.get("type") != "null"), either[0]) if is_known else either[-1]
        return example_of(choice, schemas, name, depth)
    return _of_type(schema, schemas, name, depth)


def _of_type(schema: dict[str, Any], schemas: dict[str, Any], name: str, depth: int) -> Any:
    match schema.get("type"):
        case "object":
            return _object(schema, schemas, depth)
        case "array":
            return _array(schema, schemas, name, depth)
        case "string":
            return _string(schema, name)
        case "integer" | "number":
            return _number(schema, name)
        case "boolean":
            return True
        case "null":
            return None
    return {}


def _object(schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> dict[str, Any]:
    wanted = schema.get("properties", {})
    needed = set(schema.get("required", wanted))
    shown = {key: one for key, one in wanted.items() if key in needed or key in NAMED}
    return {key: example_of(one, schemas, key, depth + 1) for key, one in shown.items()}


def _array(schema: dict[str, Any], schemas: dict[str, Any], name: str, depth: int) -> list[Any]:
    least = schema.get("minItems", 0)
    if depth > DEEPEST and not least:
        return []
    return [example_of(schema.get("items", {}), schemas, name, depth + 1)] * max(1, least)


def _string(schema: dict[str, Any], name: str) -> str:
    if "format" in schema:
        return str(FORMATS.get(schema["format"], "…"))
    known: object = NAMED.get(name)
    if isinstance(known, str) and "pattern" not in schema and len(known) <= int(schema.get("maxLength", 999)):
        return known
    if "pattern" in schema:
        return "a" * 64 if "64" in schema["pattern"] else "320412000000"
    return "例" * max(1, int(schema.get("minLength", 1)))


def _number(schema: dict[str, Any], name: str) -> float:
    known = NAMED.get(name)
    least, most = schema.get("minimum", schema.get("exclusiveMinimum", 0)), schema.get("maximum", 2**31)
    if isinstance(known, int | float) and least <= known <= most:
        return known if schema["type"] == "number" else int(known)
    return int(max(1, least + ("exclusiveMinimum" in schema)))
