"""The adapter builds inputs and reads outputs: no arithmetic, and not a look at who published."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ADAPTER = Path(__file__).parent / "adapter"
FILES = sorted(ADAPTER.rglob("*.py"))

# What adds, cuts or moves by itself, as builtins or as methods of numbers, dates and money.
CALLS = {"sum", "min", "max", "round", "abs", "divmod", "pow", "eval", "exec", "timedelta"}
METHODS = {
    *("quantize", "scaleb", "fma", "add", "subtract", "multiply", "divide", "divide_int"),
    *("remainder", "remainder_near", "sqrt", "exp", "ln", "log10", "power", "plus", "minus", "abs"),
    *("copy_negate", "copy_abs", "copy_sign", "next_plus", "next_minus", "normalize"),
    *("to_integral_value", "to_integral_exact", "to_integral", "shift", "rotate", "compare"),
    *("as_tuple", "as_integer_ratio", "replace", "toordinal", "fromordinal", "timestamp"),
    *("fromtimestamp", "rounded", "total_seconds", "limit_denominator"),
}
MODULES = {"math", "cmath", "operator", "statistics", "fractions", "calendar", "random", "numpy"}
MODULES |= {"functools", "itertools", "dateutil", "importlib", "json", "os", "pathlib"}
NAMES = {"Fraction", "timedelta", "getcontext", "localcontext", "Context", "reduce", "accumulate"}
HIDDEN = {"system", "id", "note", "source", "recomputed", "verified_how"}

_COMPARED = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Is, ast.IsNot)


def faults(code: str) -> list[str]:
    """Every place in a file that computes, or that reads what the adapter must not know."""
    return [
        f"line {getattr(node, 'lineno', 0)}: {why}"
        for node in ast.walk(ast.parse(code))
        for why in (*_arithmetic(node), *_calls(node), *_imports(node), *_hidden(node))
    ]


def _arithmetic(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.BinOp | ast.AugAssign):
        yield f"operator {type(node.op).__name__}"
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
        yield f"sign {type(node.op).__name__}"
    if isinstance(node, ast.Compare):
        for operator in node.ops:
            if not isinstance(operator, _COMPARED):
                yield f"comparison {type(operator).__name__}"


def _calls(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Name) and node.func.id in CALLS:
        yield f"call of {node.func.id}()"
    if isinstance(node.func, ast.Attribute):
        name = node.func.attr
        if name in METHODS or (name.startswith("__") and name.endswith("__")):
            yield f"call of .{name}()"


def _imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [node.module or "", *(alias.name for alias in node.names)]
    else:
        return
    for name in names:
        if name.split(".")[0] in MODULES or name in NAMES:
            yield f"import of {name}"


def _hidden(node: ast.AST) -> Iterator[str]:
    """By subscript, by attribute, and by any call that is given the name."""
    if isinstance(node, ast.Subscript) and _text(node.slice) in HIDDEN:
        yield f"reads {_text(node.slice)}"
    if isinstance(node, ast.Attribute) and node.attr in HIDDEN:
        yield f"reads .{node.attr}"
    if isinstance(node, ast.Call):
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            if _text(argument) in HIDDEN:
                yield f"reads {_text(argument)}"


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_the_adapter_has_files():
    assert len(FILES) > 10


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_the_adapter_only_builds_and_reads(file: Path):
    assert faults(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "code",
    [
        "a + b",
        "a - b",
        "a * 2",
        "a / b",
        "a // b",
        "a % b",
        "a ** 2",
        "a | b",
        "a += 1",
        "-a",
        "[1][-1]",
        "+a",
        "~a",
        "a < b",
        "a >= b",
        "sum(a)",
        "min(a, b)",
        "max(a)",
        "round(a, 2)",
        "abs(a)",
        "divmod(a, b)",
        "a.quantize(b)",
        "EXACT.add(a, b)",
        "EXACT.multiply(a, b)",
        "a.__add__(b)",
        "day.replace(day=1)",
        "day.toordinal()",
        "import math",
        "from operator import add",
        "from datetime import timedelta",
        "from fractions import Fraction",
        "from functools import reduce",
        "case['system']",
        "case.get('id')",
        "case.given.raw('note')",
        "case.note",
        "case.id",
        "getattr(case, 'system')",
    ],
)
def test_what_is_refused(code: str):
    assert faults(code)


@pytest.mark.parametrize(
    "code",
    [
        "price(terms, Decimal('1'))",
        "a == b",
        "a is not None and b in table",
        "not a",
        "f'{a}-{b:02d}'",
        "date.fromisoformat('2026-01-01')",
        "TABLE[word]",
        "sum_of([line.amount for line in lines])",
        "case.given.decimal('amount')",
    ],
)
def test_what_is_allowed(code: str):
    assert faults(code) == []
