"""Dead code: functions, methods, properties and classes of the program that only tests use, or nobody.

``python -m tests.gates.dead_code`` names them. A use in a page's template or script counts. What a framework calls is
known by its decorator or name; the rest of what is kept, and why, stands in ``dead_code_allowed.txt``.
"""

import re
import sys
from pathlib import Path

from vulture import Vulture

from tests.gates.house import HIDDEN, PROGRAM, ROOT

ALLOWED = Path(__file__).with_name("dead_code_allowed.txt")
KINDS = {"function", "method", "property", "class", "import", "unreachable_code"}

DECORATORS = [
    *("@*.route", "@*.get", "@*.post", "@*.put", "@*.patch", "@*.delete", "@*.command", "@*.group", "@*.errorhandler"),
    *("@*.before_request", "@*.after_request", "@*.app_template_*", "@*.template_*", "@*.context_processor"),
    *("@*.user_loader", "@*.request_loader", "@*.task", "@shared_task", "@*.connect", "@*.listens_for", "@listens_for"),
    *("@validates", "@field_validator", "@model_validator", "@field_serializer", "@*.cli.*", "@*_only", "@overload"),
    "@*.spec_processor",
]
NAMES = [
    *("process_bind_param", "process_result_value", "get_col_spec", "validate_*", "log_message", "do_GET", "do_POST"),
    *("log_request", "log_response", "get_id", "render_item", "__getattr__", "get_connection_with_tls_context"),
]


def main() -> int:
    """The command line: one line a fault."""
    dead, allowed = unused(), allowed_names()
    faults = [
        f"{place}: {name} is used by no part of the program" for name, place in dead.items() if name not in allowed
    ]
    faults += [f"{ALLOWED.name}: {name} is used or gone: take it off the list" for name in allowed if name not in dead]
    sys.stderr.write("".join(f"{fault}\n" for fault in faults))
    return 1 if faults else 0


def unused(root: Path = ROOT) -> dict[str, str]:
    """The names that nothing in the program uses, and where each stands."""
    reader = Vulture(ignore_names=NAMES, ignore_decorators=DECORATORS)
    reader.scavenge(
        [root / name for name in PROGRAM if (root / name).exists()], exclude=[f"*/{folder}/*" for folder in HIDDEN]
    )
    on_pages = words_of_pages(root)
    return {
        item.name: f"{Path(item.filename).relative_to(root).as_posix()}:{item.first_lineno}"
        for item in reader.get_unused_code(min_confidence=60)
        if item.typ in KINDS and item.name not in on_pages
    }


def words_of_pages(root: Path) -> set[str]:
    """Every word in a template or a script of the program's own."""
    files = [*(root / "web" / "templates").rglob("*"), *(root / "web" / "static").glob("*.js")]
    return {word for file in files if file.is_file() for word in re.findall(r"\w+", file.read_text())}


def allowed_names() -> list[str]:
    """What is kept although no part of the program uses it: one ``name  # why`` a line."""
    lines = (line.partition("#")[0].strip() for line in ALLOWED.read_text().splitlines())
    return [line for line in lines if line]


if __name__ == "__main__":
    sys.exit(main())
