"""Every small fault that a module's code can be given, one at a time and in a fixed order."""

import ast
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
}
# Arithmetic with decimals is called by name; so are choices between values.
NAMES = {
    "add": "subtract",
    "subtract": "add",
    "multiply": "divide",
    "divide": "multiply",
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "floor": "ceil",
    "bisect_left": "bisect_right",
    "bisect_right": "bisect_left",
}


Place = tuple[ast.AST, ast.AST, str, int | None]  # a node, and where its parent holds it
Enums = dict[str, list[str]]


@dataclass(frozen=True, order=True)
class Mutant:
    """A file with one fault: the number of the place in it, and of the fault at this place."""

    path: Path
    line: int
    place: int
    fault: int

    def written(self, enums: Enums) -> tuple[str, str]:
        """The faulty code, and how it differs from the right one."""
        tree = ast.parse(self.path.read_text())
        whole = ast.unparse(tree)
        found = list(_places(tree))[self.place]
        _, parent, field, index = found
        changed = list(_faults(found, enums))[self.fault]
        if index is None:
            setattr(parent, field, changed)
        else:
            getattr(parent, field)[index] = changed
        code = ast.unparse(ast.fix_missing_locations(tree))
        return code, _diff(whole, code)


def enums_of(paths: list[Path]) -> Enums:
    """The members of every enumeration that these files define."""
    found: Enums = {}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and "StrEnum" in map(_name, node.bases):
                found[node.name] = [
                    _name(each.targets[0]) for each in node.body if isinstance(each, ast.Assign)
                ]
    return found


def mutants_of(path: Path, enums: Enums) -> list[Mutant]:
    """All mutants of a file. Left as they are: annotations, decorators, imports, texts."""
    return [
        Mutant(path, getattr(place[0], "lineno", 0), at, number)
        for at, place in enumerate(_places(ast.parse(path.read_text())))
        for number, _ in enumerate(_faults(place, enums))
    ]


def _places(tree: ast.AST) -> Iterator[Place]:
    """Every node that may be replaced, parents before children, in the order of the text."""
    for field, value in ast.iter_fields(tree):
        if field in ("annotation", "returns", "decorator_list", "bases"):
            continue
        many = value if isinstance(value, list) else [value]
        for i, node in enumerate(many):
            if not isinstance(node, ast.AST) or _untouched(node):
                continue
            if isinstance(node, ast.expr | ast.stmt):
                yield node, tree, field, i if isinstance(value, list) else None
            yield from _places(node)


def _untouched(node: ast.AST) -> bool:
    """What says nothing about behaviour: imports, texts, types, checks of the code itself."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Assert | ast.JoinedStr):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.keyword) and node.arg == "strict":
        return True
    if isinstance(node, ast.FunctionDef) and node.name == "__repr__":
        return True
    # An alias of types (A | B, tuple[A, B]) or a variable of one; __all__ and __slots__.
    if isinstance(node, ast.Assign):
        name = _name(node.targets[0])
        alias = isinstance(node.value, ast.Subscript) or (
            isinstance(node.value, ast.BinOp) and isinstance(node.value.op, ast.BitOr)
        )
        return name.startswith("__") or (
            alias and name.lstrip("_")[:1].isupper() and not name.isupper()
        )
    return False


def _faults(place: Place, enums: Enums) -> Iterator[ast.AST]:
    """What may stand in the place of a node instead."""
    node, parent, field, _ = place
    if isinstance(node, ast.stmt):
        yield from _other_statements(node)
        return
    yield from _other_operators(node)
    match node:
        case ast.Constant(value):
            yield from _other_constants(value)
        case ast.Call():
            yield from _other_calls(node)
        case ast.Attribute(ast.Name(name), member) if member in enums.get(name, ()):
            members = enums[name]
            other = members[(members.index(member) + 1) % len(members)]
            yield ast.Attribute(ast.Name(name, ast.Load()), other, ast.Load())
        case ast.Name(name) if name in NAMES and isinstance(parent, ast.Call) and field == "func":
            yield ast.Name(NAMES[name], ast.Load())
    if isinstance(node, ast.expr) and _is_condition(parent, field) and not _is_equality(node):
        yield ast.UnaryOp(ast.Not(), node)
    if isinstance(parent, ast.comprehension) and field == "ifs":
        yield ast.Constant(True)


def _other_operators(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(left, ops, comparators):
            for i, each in enumerate(ops):
                swapped = [*ops[:i], COMPARISONS[type(each)](), *ops[i + 1 :]]
                yield ast.Compare(left, swapped, comparators)
        case ast.BinOp(left, op, right) if type(op) in OPERATORS:
            yield ast.BinOp(left, OPERATORS[type(op)](), right)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            for i in range(len(values)):  # drop one condition
                rest = [*values[:i], *values[i + 1 :]]
                yield ast.BoolOp(op, rest) if len(rest) > 1 else rest[0]
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand


def _other_constants(value: object) -> Iterator[ast.AST]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
        yield ast.Constant(value - 1)


def _other_calls(node: ast.Call) -> Iterator[ast.AST]:
    match node.func:
        case ast.Attribute(of, "fma") if len(node.args) == 3:  # a × b + c without c
            yield ast.Call(ast.Attribute(of, "multiply", ast.Load()), node.args[:2], [])
        case ast.Attribute(of, name) if name in NAMES:
            yield ast.Call(ast.Attribute(of, NAMES[name], ast.Load()), node.args, node.keywords)
        case ast.Name("Decimal") if node.args and isinstance(node.args[0], ast.Constant):
            if isinstance(node.args[0].value, str):
                yield ast.BinOp(node, ast.Add(), ast.Constant(1))


def _other_statements(node: ast.stmt) -> Iterator[ast.AST]:
    match node:
        case ast.Return(value) if value is not None and not _is_nothing(value):
            yield ast.Return(ast.Constant(None))
        case ast.AugAssign(target, op, value) if type(op) in OPERATORS:
            yield ast.AugAssign(target, OPERATORS[type(op)](), value)
            yield ast.Pass()
        case ast.Expr(ast.Call()) | ast.Raise() | ast.Delete():
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()


def _is_condition(parent: ast.AST, field: str) -> bool:
    return field == "test" and isinstance(parent, ast.If | ast.IfExp | ast.While)


def _is_equality(node: ast.expr) -> bool:
    """Whether its negation is the fault that another comparison is, too."""
    exact = ast.Eq | ast.NotEq | ast.Is | ast.IsNot | ast.In | ast.NotIn
    return isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], exact)


def _is_nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _diff(old: str, new: str) -> str:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))
