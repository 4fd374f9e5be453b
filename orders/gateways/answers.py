"""What a provisioning system answers, at once or by call-back, and what of it can be believed."""

from decimal import Decimal, InvalidOperation
from typing import Any

from orders.fulfilment.outcomes import Done, Exchange, Failed, TryAgain
from orders.models.words import FailureClass

LONGEST_REASON = 500
LONGEST_SERIAL = 120
# What a system may say of its own failure; the first four pass by themselves.
PASSING = frozenset(
    {
        FailureClass.UNREACHABLE,
        FailureClass.TIMEOUT,
        FailureClass.OVERLOADED,
        FailureClass.SERVER_ERROR,
    }
)
FINAL = frozenset({FailureClass.REFUSED, FailureClass.NO_STOCK})


class Unusable(Exception):
    """The answer is nothing that can be believed."""


def believed(answer: Any, exchange: Exchange) -> Done:
    """The evidence in an answer; raises Unusable for what cannot be any."""
    if not isinstance(answer, dict):
        raise Unusable("it is no JSON object")
    version, serial = answer.get("version"), answer.get("serial", "")
    if version is not None and (isinstance(version, bool) or not isinstance(version, int)):
        raise Unusable("its version is no whole number")
    if version is not None and not 0 < version < 32768:
        raise Unusable("no version has that number")
    if not isinstance(serial, str) or len(serial) > LONGEST_SERIAL or not is_text(serial):
        raise Unusable("its serial is no short text")
    return Done(version=version, serial=serial, quantity=_quantity(answer), exchange=exchange)


def _quantity(answer: dict[str, Any]) -> Decimal | None:
    if answer.get("quantity") is None:
        return None
    try:
        quantity = Decimal(str(answer["quantity"]))
        exact = 0 < quantity < 10**12 and quantity == quantity.quantize(Decimal("0.000001"))
    except InvalidOperation as exc:
        raise Unusable("its quantity is no number") from exc
    if not exact:
        raise Unusable("its quantity is no quantity")
    return quantity


def said_failed(answer: dict[str, Any], exchange: Exchange) -> TryAgain | Failed:
    """A failure that a system tells of: tried again where it says that it passes."""
    kind = answer.get("class", FailureClass.REFUSED)
    if not isinstance(kind, str) or kind not in PASSING | FINAL:
        raise Unusable("its class is none of ours")
    reason = reason_of(answer)
    if kind in PASSING:
        return TryAgain(f"called back: {reason}", exchange, kind=FailureClass(kind))
    return Failed(f"refused: {reason}", exchange, kind=FailureClass(kind))


def reason_of(answer: Any) -> str:
    """Why, as the answer says; its beginning where it does not."""
    if isinstance(answer, dict):
        answer = answer.get("reason") or answer.get("detail") or answer
    return str(answer)[:LONGEST_REASON]


def is_text(said: str) -> bool:
    """Whether Postgres can keep it."""
    return "\0" not in said and not any("\ud800" <= letter <= "\udfff" for letter in said)


def kept(answer: Any) -> Any:
    """JSON as Postgres keeps it: texts without NUL and halves of characters.

    >>> kept({"a": ["\\0x", 1]})
    {'a': ['\ufffdx', 1]}
    """
    match answer:
        case str():
            clean = answer.replace("\0", "\ufffd")
            return clean.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {kept(name): kept(value) for name, value in answer.items()}
        case list():
            return [kept(value) for value in answer]
    return answer


def no_number(name: str) -> Any:
    """JSON as Postgres keeps it knows no NaN and no Infinity."""
    raise ValueError(name)
