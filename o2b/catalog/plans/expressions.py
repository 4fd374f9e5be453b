"""Expressions in plans, over the quantity and the characteristics of a line; nothing is executed.

`simpleeval` walks the syntax tree of an expression. `parse` lets through only what is listed here:
arithmetic, comparison, `and`, `or`, `not`, `if … else`, `in`, `c["name"]`, and a few functions. A
text that begins with "=" is an expression, any other value stands for itself.
"""

import ast
import warnings
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import simpleeval

from o2b.catalog.plans.operators import OPERATORS, floor, number

LONGEST = 500
DEEPEST = 40
MARK = "="

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": lambda value: abs(number(value)),
    "ceil": lambda value: -floor(-number(value)),
    "floor": floor,
    "max": max,
    "min": min,
    "number": number,
    "lower": lambda value: str(value).lower(),
    "upper": lambda value: str(value).upper(),
    "text": lambda value: str(plain(value)),
    "has": lambda value: value not in (None, ""),
}
OFFERED = (
    *(ast.Name, ast.Load, ast.Constant, ast.Tuple, ast.List, ast.Subscript, ast.IfExp, ast.Call),
    *(ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.And, ast.Or),
)
CONSTANTS = (str, int, float, bool, type(None))


class ExpressionBroken(ValueError):
    """An expression that cannot be read, or that fails with these values."""


class _Evaluator(simpleeval.SimpleEval):
    """Numbers with a point are exact; what a plan does not need is not there."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        super().__init__(operators=OPERATORS, functions=FUNCTIONS, names=names)
        for kind in (ast.Attribute, ast.JoinedStr, ast.FormattedValue, ast.keyword):
            self.nodes.pop(kind, None)
        self.nodes[ast.Constant] = self._exact
        self.nodes[ast.Tuple] = self.nodes[ast.List] = self._several

    @staticmethod
    def _exact(node: ast.Constant) -> Any:
        if isinstance(node.value, float):
            return Decimal(ast.unparse(node))
        return simpleeval.SimpleEval._eval_constant(node)

    def _several(self, node: ast.Tuple | ast.List) -> list[Any]:
        return [self._eval(each) for each in node.elts]


def evaluate(expression: str, names: Mapping[str, Any]) -> Any:
    """The value of an expression; refuses what cannot be read or fails, naming it.

    A name that the expression asks `has()` about may be missing: it is None then.

    >>> evaluate("speed * 2 if speed > 10 else 1", {"speed": 100})
    200
    >>> evaluate("quantity * 0.5", {"quantity": Decimal(3)})
    Decimal('1.5')
    >>> evaluate("has(site) and site != 'home'", {})
    False
    """
    tree = parse(expression)
    known = {**dict.fromkeys(_doubted(expression)), **names}
    try:
        return _sound(_Evaluator(known).eval(expression, previously_parsed=tree))
    except simpleeval.NameNotDefined as exc:
        raise ExpressionBroken(f"“{expression}” asks for {exc.name}, which is not there") from exc
    except KeyError as exc:
        raise ExpressionBroken(f"“{expression}” asks for {exc}, which is not there") from exc
    except InvalidOperation as exc:
        raise ExpressionBroken(f"“{expression}” fails: this is no number") from exc
    except (
        *(simpleeval.InvalidExpression, ArithmeticError, TypeError, ValueError, LookupError),
        *(AttributeError, RecursionError, MemoryError),
    ) as exc:
        raise ExpressionBroken(f"“{expression}” fails: {str(exc)[:200]}") from exc


def _sound(value: Any) -> Any:
    """A value that JSON can hold; a function or the like is none."""
    if not isinstance(value, (*CONSTANTS, Decimal, list, dict)):
        raise TypeError("this is no value")
    if isinstance(value, Decimal) and not value.is_finite():
        raise TypeError("this is no number")
    if isinstance(value, list):
        return [_sound(each) for each in value]
    return value


@lru_cache(maxsize=4096)
def parse(expression: str) -> ast.expr:
    """The expression's tree; refuses what is no expression, and what no plan may ask."""
    if not expression.strip() or len(expression) > LONGEST or "\0" in expression:
        raise ExpressionBroken(f"an expression has 1 to {LONGEST} characters")
    try:
        with warnings.catch_warnings():
            # What Python warns of ("\\d" in a text) is no news for who writes a plan.
            warnings.simplefilter("ignore")
            tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as exc:
        raise ExpressionBroken(f"“{expression}” is no expression") from exc
    _look_through(tree, expression)
    return tree


def _look_through(tree: ast.expr, expression: str) -> None:
    """Refuse, without recursion, what is not offered or lies too deep."""
    level: list[ast.AST] = [tree]
    for _depth in range(DEEPEST):
        for node in level:
            _look_at(node, expression)
        level = [inner for node in level for inner in ast.iter_child_nodes(node)]
        if not level:
            return
    raise ExpressionBroken(f"“{expression[:60]}…” is nested too deep")


def _look_at(node: ast.AST, expression: str) -> None:
    if not isinstance(node, OFFERED) and type(node) not in OPERATORS:
        what = type(node).__name__
        raise ExpressionBroken(f"“{expression}” uses {what}, which no plan may")
    if isinstance(node, ast.Constant) and type(node.value) not in CONSTANTS:
        raise ExpressionBroken(f"“{expression}” has a value that no plan may have")
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else "?"
        if name not in FUNCTIONS or node.keywords:
            known = ", ".join(sorted(FUNCTIONS))
            raise ExpressionBroken(f"“{expression}” calls {name}; there are: {known}")


def names_in(expression: str) -> set[str]:
    """The names that an expression asks for, without its functions."""
    nodes = list(ast.walk(parse(expression)))
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    return {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in called}


def constants_in(expression: str) -> list[Any]:
    """The texts and numbers that are written in it: the values at which it may turn."""
    nodes = ast.walk(parse(expression))
    return [node.value for node in nodes if isinstance(node, ast.Constant)]


@lru_cache(maxsize=4096)
def _doubted(expression: str) -> frozenset[str]:
    """The names of which the expression asks whether they are there."""
    calls = (node for node in ast.walk(parse(expression)) if isinstance(node, ast.Call))
    asked = (arg for call in calls if _name_of(call.func) == "has" for arg in call.args)
    return frozenset(name for arg in asked if (name := _name_of(arg)))


def _name_of(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def is_expression(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(MARK)


def value_of(value: Any, names: Mapping[str, Any]) -> Any:
    """A parameter as it is for one line: expressions evaluated, also inside lists and objects."""
    if is_expression(value):
        return plain(evaluate(value.removeprefix(MARK), names))
    if isinstance(value, Mapping):
        return {key: value_of(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [value_of(inner, names) for inner in value]
    return value


def plain(value: Any) -> Any:
    """A value as JSON keeps it: exact numbers become whole ones or texts."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if not isinstance(value, Decimal):
        return value
    try:
        return int(value) if value == value.to_integral_value() else f"{value.normalize():f}"
    except InvalidOperation:
        return str(value)
