"""Each part of a charge as plain JSON, and read back: what it does not use is not there."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from o2b.charging.terms.checks import TermsInvalid, plain
from o2b.charging.terms.decks import WHOLE_DAY, DeckRates, DeckWindow
from o2b.charging.terms.granted import DEFAULT_PRIORITY, Grant
from o2b.charging.terms.measured import Where
from o2b.charging.terms.parts import (
    DEFAULT_CONVENTIONS,
    Allowance,
    CallRates,
    Conventions,
    EventRates,
    RampStep,
    Slot,
    Tier,
    Trial,
    Window,
)
from o2b.periods import Interval

Document = dict[str, Any]


def tiers_document(tiers: tuple[Tier, ...]) -> list[Document]:
    """Tiers as plain JSON, lowest first."""
    return [_without_nothing(_tier_document(tier)) for tier in tiers]


def tiers_of(documents: Any) -> tuple[Tier, ...]:
    """The tiers that plain JSON describes."""
    if not isinstance(documents, list | tuple):
        raise TermsInvalid("tiers", "not a list of tiers")
    return tuple(read_part(f"tiers.{i}", partial(_tier, each)) for i, each in enumerate(documents))


def conventions_of(document: Mapping[str, Any]) -> Conventions:
    """Named settings; what is not named is the default."""
    return read_part("conventions", partial(Conventions, **document))


def read_part(field: str, read: Callable[[], Any]) -> Any:
    """A part read from JSON; what is no such part is TermsInvalid, with the field's name."""
    try:
        return read()
    except TermsInvalid as fault:
        inner = fault.field.removeprefix(f"{field.split('.')[0]}.")
        name = field if inner == field else f"{field}.{inner}"
        raise TermsInvalid(name, fault.message) from fault
    except (ArithmeticError, AttributeError, KeyError, LookupError, TypeError, ValueError) as exc:
        raise TermsInvalid(field, "not of the form that is expected") from exc


def _without_nothing(document: Document) -> Document:
    return {name: value for name, value in document.items() if value is not None}


def _optional(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, float | bool):
        raise TypeError("a decimal is written as text")
    return Decimal(value)


def _or_none(value: Any) -> Decimal | None:
    return None if value is None else _decimal(value)


def _tier_document(tier: Tier) -> Document:
    return {
        "up_to": _optional(tier.up_to),
        "unit_price": plain(tier.unit_price),
        "flat_fee": plain(tier.flat_fee) if tier.flat_fee else None,
        "block": _optional(tier.block),
    }


def _tier(document: Mapping[str, Any]) -> Tier:
    _only(document, "up_to", "unit_price", "flat_fee", "block")
    return Tier(
        _or_none(document.get("up_to")),
        _decimal(document["unit_price"]),
        _decimal(document.get("flat_fee", "0")),
        _or_none(document.get("block")),
    )


def _only(document: Mapping[str, Any], *names: str) -> None:
    unknown = set(document) - set(names)
    if unknown:
        raise TermsInvalid(min(map(str, unknown)), "not known here")


def _event_document(event: EventRates) -> Document:
    return _without_nothing(
        {
            "fee": plain(event.fee) if event.fee else None,
            "minimum": _optional(event.minimum),
            "maximum": _optional(event.maximum),
            "free_events": event.free_events or None,
            "free_amount": plain(event.free_amount) if event.free_amount else None,
        }
    )


def _event(document: Mapping[str, Any]) -> EventRates:
    _only(document, "fee", "minimum", "maximum", "free_events", "free_amount")
    return EventRates(
        fee=_decimal(document.get("fee", "0")),
        minimum=_or_none(document.get("minimum")),
        maximum=_or_none(document.get("maximum")),
        free_events=document.get("free_events", 0),
        free_amount=_decimal(document.get("free_amount", "0")),
    )


def _call_document(call: CallRates | DeckRates) -> list[Document] | Document:
    if isinstance(call, DeckRates):
        return _deck_document(call)
    return [
        {
            "from_minute": window.from_minute,
            "connect_fee": plain(window.connect_fee),
            "slots": [
                [slot.from_second, plain(slot.rate), slot.per_seconds, slot.increment_seconds]
                for slot in window.slots
            ],
        }
        for window in call.windows
    ]


def _deck_document(call: DeckRates) -> Document:
    document: Document = {"deck": call.deck, "number": call.number}
    if call.windows != WHOLE_DAY:
        document["windows"] = [
            {"from_minute": each.from_minute, "percent": plain(each.percent)}
            for each in call.windows
        ]
    return document


def _call(documents: Any) -> CallRates | DeckRates:
    """A list of windows with their rates, or an object that names a deck."""
    if isinstance(documents, Mapping):
        _only(documents, "deck", "number", "windows")
        windows: tuple[DeckWindow, ...] = WHOLE_DAY
        if "windows" in documents:
            windows = tuple(_deck_window(each) for each in documents["windows"])
        return DeckRates(documents.get("deck", ""), documents.get("number", ""), windows)
    return CallRates(tuple(_window(each) for each in documents))


def _deck_window(document: Mapping[str, Any]) -> DeckWindow:
    _only(document, "from_minute", "percent")
    return DeckWindow(document["from_minute"], _decimal(document["percent"]))


def _window(document: Mapping[str, Any]) -> Window:
    _only(document, "from_minute", "slots", "connect_fee")
    return Window(
        document["from_minute"],
        tuple(Slot(a, _decimal(rate), per, step) for a, rate, per, step in document["slots"]),
        _decimal(document.get("connect_fee", "0")),
    )


def _allowance_document(allowance: Allowance) -> Document:
    return _without_nothing(
        {
            "units": plain(allowance.units),
            "rollover": _optional(allowance.rollover),
            "window": allowance.window if allowance.window > 1 else None,
            "prorated": allowance.prorated or None,
            "per_unit": allowance.per_unit or None,
        }
    )


def _allowance(document: Mapping[str, Any]) -> Allowance:
    _only(document, "units", "rollover", "window", "prorated", "per_unit")
    return Allowance(
        units=_decimal(document["units"]),
        rollover=_or_none(document.get("rollover")),
        window=document.get("window", 1),
        prorated=document.get("prorated", False),
        per_unit=document.get("per_unit", False),
    )


def _ramp_document(ramp: tuple[RampStep, ...]) -> list[list[Any]]:
    return [
        [step.on.isoformat() if step.on else step.after_months, plain(step.unit_price)]
        for step in ramp
    ]


def _ramp(documents: Any) -> tuple[RampStep, ...]:
    return tuple(
        RampStep(_decimal(price), on=date.fromisoformat(when))
        if isinstance(when, str)
        else RampStep(_decimal(price), after_months=when)
        for when, price in documents
    )


def _trial_document(trial: Trial) -> list[Any]:
    return [trial.length.unit.value, trial.length.count, trial.moves_anchor]


def _trial(document: Any) -> Trial:
    unit, count, moves_anchor = document
    return Trial(Interval(unit, count), moves_anchor)


def _meter(document: Any) -> str:
    if not isinstance(document, str) or not document:
        raise TypeError("a meter is named by its code")
    return document


def _where_document(where: tuple[Where, ...]) -> Document:
    return {each.name: list(each.values) for each in where}


def _where(document: Mapping[str, Any]) -> tuple[Where, ...]:
    if any(not isinstance(values, list | tuple) for values in document.values()):
        raise TypeError("values of a dimension are a list")
    return tuple(Where(name, tuple(values)) for name, values in document.items())


def _grant_document(grant: Grant) -> Document:
    return _without_nothing(
        {
            "units": plain(grant.units),
            "meter": grant.meter or None,
            "priority": grant.priority if grant.priority != DEFAULT_PRIORITY else None,
            "lasts": [grant.lasts.unit.value, grant.lasts.count] if grant.lasts else None,
            "rollover": _optional(grant.rollover),
            "rollover_periods": grant.rollover_periods if grant.rollover_periods > 1 else None,
            "prorated": grant.prorated or None,
            "per_unit": None if grant.per_unit else False,
        }
    )


def _grant(document: Mapping[str, Any]) -> Grant:
    _only(document, *Grant.__dataclass_fields__)
    lasts = document.get("lasts")
    return Grant(
        **{
            **document,
            "units": _decimal(document["units"]),
            "lasts": None if lasts is None else Interval(*lasts),
            "rollover": _or_none(document.get("rollover")),
        }
    )


def _conventions_document(conventions: Conventions) -> Document:
    return {
        name: getattr(conventions, name)
        for name in Conventions.__dataclass_fields__
        if getattr(conventions, name) != getattr(DEFAULT_CONVENTIONS, name)
    }


DETAILS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "package_size": (plain, _decimal),
    "minimum": (plain, _decimal),
    "maximum": (plain, _decimal),
    "allowance": (_allowance_document, _allowance),
    "event": (_event_document, _event),
    "call": (_call_document, _call),
    "ramp": (_ramp_document, _ramp),
    "trial": (_trial_document, _trial),
    "conventions": (_conventions_document, conventions_of),
    "meter": (str, _meter),
    "where": (_where_document, _where),
    "grant": (_grant_document, _grant),
}
