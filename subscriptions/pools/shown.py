"""Pools in words: standings, movements, where lots come from, and who draws why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from o2b.catalog.models import Price
from o2b.periods import FOREVER
from o2b.web.show import day_text, number_text
from subscriptions.models import Item, PoolMember
from subscriptions.pools.movements import Movement, What
from subscriptions.pools.pace import EMPTY, ENOUGH, LOW
from subscriptions.pools.scene import DrawerShown, LotShown, Scene
from subscriptions.pools.selectors import Source

STANDINGS: dict[str, tuple[str | Promise, str]] = {
    EMPTY: (gettext_lazy("empty"), "bad"),
    LOW: (gettext_lazy("running low"), "warn"),
    ENOUGH: (gettext_lazy("enough"), "good"),
}
MOVES: dict[str, str | Promise] = {
    What.CAME: gettext_lazy("came in"),
    What.DRAWN: gettext_lazy("drawn"),
    What.ROLLED: gettext_lazy("rolled over"),
    What.LAPSED: gettext_lazy("lapsed"),
    What.UNCOVERED: gettext_lazy("not covered"),
}
TONES = {
    What.CAME: "good",
    What.DRAWN: "",
    What.ROLLED: "go",
    What.LAPSED: "warn",
    What.UNCOVERED: "bad",
}
WHY = {
    "own": gettext_lazy("service of the pool’s account"),
    "account": gettext_lazy("its account shares the pool"),
    "service": gettext_lazy("shares the pool itself"),
    "": gettext_lazy("draws no more"),
}


def label_of(standing: str) -> str | Promise:
    return STANDINGS[standing][0]


def tone_of(standing: str) -> str:
    return STANDINGS[standing][1]


def units_text(units: Decimal, unit: str) -> str:
    """'380 GB'."""
    return f"{number_text(units)} {unit}".strip()


def ends_shown(ends: date) -> date | None:
    """The first day on which a lot is gone; None: never."""
    return None if ends == FOREVER else ends


def usage_url(item: Item) -> str:
    return reverse("subscriptions:usage-service", args=[item.pk])


def source_title(source: Source) -> str:
    """What brought a lot: a product, or why it was given."""
    if source.grant is not None:
        return _("given by hand: %(reason)s") % {"reason": source.grant.reason}
    return str(source.item.product_version.product.name) if source.item else ""


def source_note(source: Source) -> str:
    """By whom, or with which service."""
    if source.grant is not None:
        return str(source.grant.granted_by)
    return source.item.number if source.item else ""


def source_url(source: Source) -> str:
    item = source.item
    if item is None:
        return ""
    return f"{reverse('subscriptions:detail', args=[item.subscription_id])}#item-{item.pk}"


def order_url(order_id: int) -> str:
    return reverse("orders:detail", args=[order_id])


def lot_shown(row: LotShown, today: date) -> dict[str, Any]:
    """A lot with where it comes from."""
    return {
        "row": row,
        "title": source_title(row.source),
        "note": source_note(row.source),
        "url": source_url(row.source),
        "order_url": order_url(row.order_id) if row.order_id else "",
        "ends": ends_shown(row.ends),
        "may_take_back": may_take_back(row, today),
    }


def may_take_back(lot: LotShown, today: date) -> bool:
    grant = lot.source.grant
    return grant is not None and (grant.ends_on is None or grant.ends_on > today)


@dataclass(frozen=True, slots=True)
class MovementShown:
    """One line of the statement as it is read."""

    pk: int
    number: int
    day: date
    what: str
    label: str
    tone: str
    units: Decimal
    left: Decimal
    who: str
    who_url: str
    who_note: str
    account: str
    account_name: str


def movement_shown(scene: Scene, move: Movement) -> MovementShown:
    """A movement with the service that drew, or with where its lot comes from."""
    account, name = "", ""
    if move.ref is not None:
        item = scene.items[move.ref[0]]
        who, url = item.number, usage_url(item)
        account, name = item.account.reference, item.account.name
        note = f"{item.product_version.product.name} · {name}"
    else:
        source = scene.source_of(move.lot)
        who, url, note = source_title(source), source_url(source), source_note(source)
        if move.what == What.LAPSED and source.grant is not None:
            why = scene.taken_back.get(source.grant.pk)
            note = _("taken back: %(why)s") % {"why": why} if why is not None else note
    if move.until is not None and move.until != FOREVER:
        note = f"{note} · {_('until before %(day)s') % {'day': day_text(move.until)}}"
    return MovementShown(
        pk=move.number,
        number=move.number,
        day=move.day,
        what=str(move.what),
        label=str(MOVES[move.what]),
        tone=TONES[move.what],
        units=move.units,
        left=move.left,
        who=who,
        who_url=url,
        who_note=note,
        account=account,
        account_name=name,
    )


def words_of(shown: MovementShown) -> str:
    """What a search looks through."""
    parts = (shown.who, shown.who_note, shown.account, shown.account_name)
    return " ".join(parts).casefold()


def drawer_words(row: DrawerShown) -> str:
    item = row.item
    parts = (item.number, item.product_version.product.name, item.account.name)
    return " ".join((*parts, item.account.reference)).casefold()


def member_title(member: PoolMember) -> str:
    if member.service is not None:
        return f"{member.service.number} {member.service.product_version.product.name}"
    return str(member.account.name) if member.account else ""


def member_note(member: PoolMember) -> str:
    owner = member.service.account if member.service is not None else member.account
    return str(owner.reference) if owner else ""


def member_url(member: PoolMember) -> str:
    if member.service is not None:
        return usage_url(member.service)
    return str(member.account.get_absolute_url()) if member.account else ""


def member_shown(member: PoolMember) -> dict[str, Any]:
    return {
        "row": member,
        "title": member_title(member),
        "note": member_note(member),
        "url": member_url(member),
    }


def figures(scene: Scene) -> Iterator[dict[str, Any]]:
    """The key figures of a pool."""
    unit, pace = scene.unit, scene.pace
    lots = len(scene.drawing.held)
    yield {
        "title": _("Left"),
        "value": units_text(scene.left, unit),
        "note": ngettext("in %(n)s lot", "in %(n)s lots", lots) % {"n": number_text(lots)},
        "tone": tone_of(scene.standing) if scene.standing != ENOUGH else "",
    }
    yield {
        "title": _("Drawn this month"),
        "value": units_text(pace.drawn, unit),
        "note": _("%(units)s a day on average") % {"units": units_text(round(pace.a_day, 2), unit)},
    }
    yield {
        "title": _("Not covered this month"),
        "value": units_text(pace.uncovered, unit),
        "note": _("charged at the price of each service"),
        "tone": "warn" if pace.uncovered else "",
    }
    yield {"title": _("At the pace so far")} | _forecast(scene)
    short = scene.uncovered_to_end
    yield {
        "title": _("Forecast to %(day)s") % {"day": day_text(pace.month.last)},
        "value": units_text(pace.forecast, unit),
        "note": _("%(units)s of it not covered") % {"units": units_text(short, unit)}
        if short
        else _("all of it covered"),
        "tone": "warn" if short else "",
    }


def _forecast(scene: Scene) -> dict[str, str]:
    if not scene.pace.a_day:
        return {"value": "—", "note": _("nothing is drawn this month")}
    if not scene.left:
        return {"value": _("empty"), "note": _("until units come"), "tone": "bad"}
    if scene.empty_on is None:
        return {
            "value": _("lasts"),
            "note": _("to %(day)s at least") % {"day": day_text(scene.until)},
        }
    tone = tone_of(scene.standing) if scene.standing != ENOUGH else ""
    return {"value": day_text(scene.empty_on), "note": _("it runs empty on this day"), "tone": tone}


def products_bringing(meter: str) -> list[tuple[str, str]]:
    """Products that some price lets bring units of a meter: code and name."""
    prices = Price.objects.filter(details__grant__meter=meter).order_by()
    rows = prices.values_list("product__code", "product__name").distinct()
    return sorted(rows)[:200]
