"""Mutations: every small change to a module's code that some test should notice."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
SUMS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
}
OPPOSITES = {"min": "max", "max": "min", "any": "all", "all": "any"}

# Declarations, not decisions: types, decorators, tables of the database (migrations hold those), lines of a log.
DECLARED = {"annotation", "returns", "decorator_list", "bases", "keywords_of_class", "type_params"}
DECLARING = {"mapped_column", "relationship", "CheckConstraint", "ForeignKeyConstraint", "UniqueConstraint", "Index"}


@dataclass(frozen=True, eq=False)
class Mutation:
    """One change: where it is, what it says, and the place in the tree that it takes."""

    file: str
    function: str
    line: int
    change: str
    parent: ast.AST
    field: str
    index: int | None
    new: ast.AST

    @property
    def key(self) -> tuple[str, str, str]:
        """What names it as long as the code around it stays: lines move, functions seldom do."""
        return self.file, self.function, self.change

    @property
    def module(self) -> str:
        """The file as an import names it."""
        return self.file.removesuffix(".py").replace("/", ".")

    @property
    def is_of_number(self) -> bool:
        """Whether it only makes a number one more or one less."""
        return isinstance(self.new, ast.Constant) and type(self.new.value) in (int, float)

    def apply(self) -> None:
        """Change the tree. It is never changed back: whoever does this is a fork that ends."""
        if self.index is None:
            setattr(self.parent, self.field, self.new)
        else:
            getattr(self.parent, self.field)[self.index] = self.new


def mutations_of(file: str, tree: ast.Module, *, with_sessions: bool = False) -> list[Mutation]:
    """All changes to a module, in the order of its lines. What takes a session is proven elsewhere, with a database."""
    seen: Counter[tuple[str, str, str]] = Counter()
    found = []
    for each in _walk(file, "", tree, with_sessions):
        seen[each.key] += 1
        again = f" ({seen[each.key]})" if seen[each.key] > 1 else ""
        found.append(replace(each, change=each.change + again))
    return found


def parse(root: Path, file: str) -> ast.Module:
    """A module's tree."""
    return ast.parse((root / file).read_bytes(), file)


def _walk(file: str, function: str, parent: ast.AST, with_sessions: bool) -> Iterator[Mutation]:
    for field, value in ast.iter_fields(parent):
        if field in DECLARED or (field == "keywords" and isinstance(parent, ast.ClassDef)):
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(node, ast.AST) or _is_declaration(node):
                continue
            inside = function
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                inside = f"{function}.{node.name}".lstrip(".")
                if isinstance(node, ast.FunctionDef) and not with_sessions and _takes_session(node):
                    continue
            for old, new in _changes(node):
                shown = f"{_shown(old)} → {_shown(new)}"
                yield Mutation(file, function, getattr(node, "lineno", 0), shown, parent, field, index, new)
            yield from _walk(file, inside, node, with_sessions)


def _changes(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    for new in _new_expressions(node) if isinstance(node, ast.expr) else _new_statements(node):
        yield node, ast.fix_missing_locations(ast.copy_location(new, node))


def _new_expressions(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            for at, op in enumerate(ops):
                for other in COMPARISONS[type(op)]:
                    yield ast.Compare(left, [*ops[:at], other(), *ops[at + 1 :]], comparators)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=op, right=right) if type(op) in SUMS and not _is_text(left):
            yield ast.BinOp(left, SUMS[type(op)](), right)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in OPPOSITES:
            yield ast.Call(ast.Name(OPPOSITES[name], ast.Load()), args, keywords)


def _new_statements(node: ast.AST) -> Iterator[ast.stmt]:
    match node:
        case ast.If(test=test, body=body, orelse=orelse):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse) if orelse else ast.Pass()
        case ast.Raise() | ast.Expr(value=ast.Call()):
            yield ast.Pass()
        case ast.AugAssign(target=target, op=op, value=value) if type(op) in SUMS:
            yield ast.AugAssign(target, SUMS[type(op)](), value)
        case ast.Return(value=ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not())):
            yield ast.Return(ast.Constant(True))
            yield ast.Return(ast.Constant(False))
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))


def _is_declaration(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in DECLARING:
            return True
        case (
            ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="log"))))
            | ast.If(test=ast.Name(id="TYPE_CHECKING"))
        ):
            return True
        case ast.Assign(targets=[ast.Name(id="__table_args__")]):
            return True
    return False


def _takes_session(function: ast.FunctionDef) -> bool:
    return any(each.arg == "session" for each in (*function.args.args, *function.args.kwonlyargs))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _shown(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:100]
