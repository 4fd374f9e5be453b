"""Words for how often something is charged, by what, and for units, in the reader's language."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from o2b.charging import DeckRates, Grant, NoRate, StartRule
from o2b.charging.terms import DEFAULT_PRIORITY, plain
from o2b.money import EXACT
from o2b.periods import Interval
from o2b.web.show import money_text, number_text

# The name and the unit of a meter by its code; None of one that is not there.
NameOf = Callable[[str], tuple[str, str] | None]


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


def grant_words(
    grant: Grant,
    *,
    recurring: bool,
    currency: str,
    meters: NameOf,
    quantity: Decimal | None = None,
) -> str:
    """'brings 500 GB into the pool of Data, in each period; up to 100 roll over for 1 period'.

    With a quantity the units are those of the whole line.
    """
    each = quantity is not None and grant.per_unit
    units = EXACT.multiply(grant.units, quantity or Decimal(0)) if each else grant.units
    said = [_brought(grant, units, currency, meters)]
    if recurring:
        said.append(_("in each period"))
    if grant.lasts is not None:
        said.append(_("for %(length)s") % {"length": length_words(grant.lasts)})
    also = [", ".join(said)]
    if grant.rollover is not None:
        also.append(_rollover_words(grant, recurring=recurring))
    if grant.prorated:
        also.append(_("its share in a period that is served in part"))
    if not grant.per_unit and quantity is None:
        also.append(_("whatever the quantity"))
    if grant.priority != DEFAULT_PRIORITY:
        also.append(_("drawn with priority %(n)s") % {"n": grant.priority})
    return "; ".join(also)


def _brought(grant: Grant, units: Decimal, currency: str, meters: NameOf) -> str:
    if grant.is_money:
        return _("brings %(amount)s of prepaid money") % {"amount": money_text(units, currency)}
    name, unit = meters(grant.meter) or (grant.meter, "")
    told = f"{number_text(units)} {unit}".strip()
    return _("brings %(units)s into the pool of %(meter)s") % {"units": told, "meter": name}


def _rollover_words(grant: Grant, *, recurring: bool) -> str:
    n = grant.rollover_periods
    told = {"units": number_text(grant.rollover), "n": n}
    if recurring:
        return (
            ngettext(
                "up to %(units)s roll over for %(n)s period",
                "up to %(units)s roll over for %(n)s periods",
                n,
            )
            % told
        )
    return (
        ngettext(
            "up to %(units)s stay as long again",
            "up to %(units)s stay %(n)s times as long again",
            n,
        )
        % told
    )


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


def start_words(rule: StartRule) -> str:
    """When billing begins."""
    words = {
        StartRule.ON_DELIVERY: _("billing starts on delivery"),
        StartRule.EACH_PART: _("billing starts with each part delivered"),
        StartRule.ON_DATE: _("billing starts on the agreed day, or on delivery if that is later"),
    }
    return words[rule]
