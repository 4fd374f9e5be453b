"""Words for how often something is charged, by what, and for units, in the reader's language."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from o2b.charging import DeckRates, NoRate
from o2b.charging.terms import plain
from o2b.periods import Interval


def interval_words(interval: Interval | None) -> str:
    """'a month', 'every 3 months', 'once'."""
    if interval is None:
        return _("once")
    n = interval.count
    match interval.unit.value:
        case "day":
            return ngettext("a day", "every %(n)s days", n) % {"n": n}
        case "week":
            return ngettext("a week", "every %(n)s weeks", n) % {"n": n}
        case "month":
            return ngettext("a month", "every %(n)s months", n) % {"n": n}
    return ngettext("a year", "every %(n)s years", n) % {"n": n}


def length_words(interval: Interval) -> str:
    """'1 month', '14 days': how long something lasts."""
    n = interval.count
    match interval.unit.value:
        case "day":
            return ngettext("%(n)s day", "%(n)s days", n) % {"n": n}
        case "week":
            return ngettext("%(n)s week", "%(n)s weeks", n) % {"n": n}
        case "month":
            return ngettext("%(n)s month", "%(n)s months", n) % {"n": n}
    return ngettext("%(n)s year", "%(n)s years", n) % {"n": n}


def meter_words(code: str, where: Mapping[str, Iterable[str]]) -> str:
    """'by meter voice, zone national or eu'; without a code only the dimensions."""
    said = [_("by meter %(code)s") % {"code": code}] if code else []
    for name, values in where.items():
        several = _(" or ").join(values)
        said.append(f"{name.replace('_', ' ')} {several}")
    return ", ".join(said)


def deck_words(call: Any) -> str:
    """'rates of deck intl, number in to; 50 % from 20:00'; of the Terms' or a stored price's."""
    if isinstance(call, DeckRates):
        deck, number = call.deck, call.number
        windows = [(each.from_minute, plain(each.percent)) for each in call.windows]
    elif isinstance(call, Mapping):
        deck, number = call.get("deck", ""), call.get("number", "")
        windows = [(each["from_minute"], each["percent"]) for each in call.get("windows", ())]
    else:
        return ""
    said = [_("rates of deck %(deck)s, number in %(number)s") % {"deck": deck, "number": number}]
    if [percent for _minute, percent in windows] != ["100"]:
        for minute, percent in windows:
            told = {"percent": percent, "time": f"{minute // 60:02}:{minute % 60:02}"}
            said.append(_("%(percent)s %% from %(time)s") % told)
    return "; ".join(said)


def no_rate_words(missing: NoRate) -> str:
    """Why a call cannot be rated, with the deck, the number and the day."""
    told = {"deck": missing.deck, "day": missing.day.isoformat(), "number": missing.number}
    if not missing.published:
        return _("Deck %(deck)s has no published version for %(day)s.") % told
    if not missing.number:
        return _("A call of %(day)s says no number, so deck %(deck)s has no rate for it.") % told
    return _("Deck %(deck)s has no prefix for %(number)s on %(day)s.") % told


def unit_words(unit: str, quantity: Any) -> str:
    """'7 pieces', '1 piece'; other units are as their product says."""
    if unit != "piece":
        return unit
    return _("piece") if quantity == 1 else _("pieces")
