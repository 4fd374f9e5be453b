"""A subscription as its page shows it: each item on a day, its versions, its facts, its doors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from o2b.catalog.selectors import MeterNames
from o2b.charging import Kind
from o2b.money import Money, zero
from o2b.web.show import day_text, money_text, number_text
from subscriptions import selectors
from subscriptions.asof import Look
from subscriptions.changes.acts import Deed, deeds_for
from subscriptions.changes.holding import NOT_TAKEN_BACK
from subscriptions.changes.selectors import facts_of
from subscriptions.changes.words import fact_words, tone_of
from subscriptions.explained import TermsExplained, explain_terms
from subscriptions.models import Act, Item, ItemVersion, ServiceState, Standing, Subscription
from subscriptions.rules.lanes import Chart, Lane, Mark, Stretch, lay

S = ServiceState
FINAL = (Act.END, Act.TRANSFER)
A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class VersionShown:
    """One dated version with its Terms in words, and whether it is what one believes."""

    version: ItemVersion
    terms: TermsExplained
    is_believed: bool

    @property
    def since(self) -> date:
        return self.version.valid.lower or date.min

    @property
    def in_use(self) -> bool:
        return self.version.standing == Standing.IN_USE

    @property
    def monthly(self) -> Money:
        """What a month costs; nothing while it is not billed."""
        monthly = self.terms.monthly
        return monthly if self.version.billed else zero(monthly.currency)


@dataclass(frozen=True, slots=True)
class FactShown:
    """One change that was told: what, by which order, by whom, and whether it can be taken back."""

    fact: Any
    text: str
    tone: str
    is_ahead: bool
    take_back_url: str

    @property
    def order(self) -> Any:
        return self.fact.order_line.order


@dataclass(frozen=True, slots=True)
class ItemShown:
    """One item on a day: `now` is what it is then, `current` that, or what it was last or will be.

    `versions` are all that were known by then, the newest days first.
    """

    item: Item
    look: Look
    versions: list[VersionShown]
    now: VersionShown | None
    current: VersionShown | None
    facts: list[FactShown]
    came_from: Item | None
    passed_to: Item | None

    @property
    def believed(self) -> list[VersionShown]:
        return [shown for shown in self.versions if shown.is_believed]

    @property
    def superseded(self) -> list[VersionShown]:
        return [shown for shown in self.versions if not shown.is_believed]

    @property
    def is_known(self) -> bool:
        """Whether anything had been recorded of it by then."""
        return bool(self.versions) or self.look.until is None

    @property
    def state(self) -> str:
        """How it stands on the day, as known then; empty where nothing was known of it."""
        if self.now is not None:
            return S.ACTIVE if self.now.in_use else S.SUSPENDED
        if not self.is_known:
            return ""
        first = self.since
        return S.PENDING if first is not None and self.look.on < first else S.ENDED

    @property
    def since(self) -> date | None:
        return min((shown.since for shown in self.believed), default=None)

    @property
    def until(self) -> date | None:
        """The first day out of service, where it is known."""
        last = next(iter(self.believed), None)
        return last.version.valid.upper if last else None

    @property
    def deeds(self) -> list[Deed]:
        """What may be done to it; what another account has by now is changed there."""
        is_gone = self.passed_to and self.until and self.until <= self.look.today
        if is_gone or self.is_fee:
            return []
        return deeds_for(self.item.state, is_open=self.item.account.is_open)

    @property
    def is_fee(self) -> bool:
        """Whether it only bills what leaving another service costs."""
        return self.item.order_line.in_service is not None and self.item.root_id is None


def items_shown(subscription: Subscription, look: Look) -> list[ItemShown]:
    """All items, on the day and as known then, in a number of queries that none of them adds to."""
    items = list(selectors.items_of(subscription_id=subscription.pk))
    legs = selectors.legs_of(items)
    facts = facts_of(legs.keys(), until=look.until)
    meters = MeterNames()
    return [
        _item(item, look, legs[item.root_id_or_own], facts.get(item.root_id_or_own, []), meters)
        for item in items
    ]


def _item(
    item: Item, look: Look, legs: Sequence[Item], facts: Iterable[Any], meters: MeterNames
) -> ItemShown:
    versions = [_version(v, item, look, meters) for v in item.versions.all() if look.knows(v)]
    believed = [shown for shown in versions if shown.is_believed]
    now = next((shown for shown in believed if look.on in shown.version.valid), None)
    begun = [shown for shown in believed if shown.since <= look.on]
    # A transfer that was taken back, or was not known then, leaves an item without days.
    held = _held(legs, look)
    keys = [leg.pk for leg in held]
    place = keys.index(item.pk) if item.pk in keys else 0
    passed_to = held[place + 1] if item.pk in keys and place + 1 < len(held) else None
    return ItemShown(
        item=item,
        look=look,
        versions=versions,
        now=now,
        current=now or next(iter(begun), None) or (believed[-1] if believed else None),
        facts=[_fact(fact, held or legs[:1], look) for fact in facts],
        came_from=held[place - 1] if place else None,
        passed_to=passed_to,
    )


def _held(legs: Sequence[Item], look: Look) -> list[Item]:
    """The items that had the service, in the order in which they had it."""
    first = {leg.pk: min(days) for leg in legs if (days := _first_days(leg, look))}
    return sorted((leg for leg in legs if leg.pk in first), key=lambda leg: first[leg.pk])


def _first_days(leg: Item, look: Look) -> list[date]:
    return [v.valid.lower or date.min for v in leg.versions.all() if look.believes(v)]


def _version(version: ItemVersion, item: Item, look: Look, meters: MeterNames) -> VersionShown:
    """A version's Terms as they are on the day, or, of other days, when the version begins."""
    on = look.on if look.on in version.valid else version.valid.lower or look.on
    terms = explain_terms(
        version.terms,
        quantity=version.quantity,
        on=on,
        started_on=item.anchor_on,
        meters=meters,
    )
    return VersionShown(version, terms, look.believes(version))


def _fact(fact: Any, held: Sequence[Item], look: Look) -> FactShown:
    last = held[-1]
    is_ahead = fact.on > look.today and not fact.is_gone and fact.act != Act.WITHDRAW
    stays = fact.act in NOT_TAKEN_BACK or fact.is_gone
    may_go = not stays and last.state != S.ENDED
    url = ""
    if may_go and (is_ahead or fact.act not in FINAL):
        its_day = fact.on - A_DAY if fact.act in FINAL else fact.on
        begun = [leg for leg in held if min(_first_days(leg, look), default=its_day) <= its_day]
        whose = begun[-1] if begun else held[0]
        address = reverse("subscriptions:change", args=[whose.pk, "take-back"])
        url = f"{address}?withdraws={fact.revision}"
    return FactShown(fact, fact_words(fact), tone_of(fact.act), is_ahead, url)


def figures(items: Sequence[ItemShown], subscription: Subscription) -> list[dict[str, Any]]:
    """What it comes to on the day."""
    served = [each.now for each in items if each.now]
    currency = subscription.account.currency
    monthly = sum((v.monthly for v in served), start=zero(currency))
    once = sum((v.terms.once for v in served), start=zero(currency))
    first = min((each.since for each in items if each.since), default=None)
    return [
        {"title": _("A month"), "value": money_text(monthly)},
        {"title": _("Once, at the start"), "value": money_text(once)},
        {"title": _("Items in use"), "value": number_text(sum(v.in_use for v in served))},
        {"title": _("In service since"), "value": day_text(first)},
    ]


def is_metered(items: Iterable[ItemShown]) -> bool:
    """Whether anything of it is sold by a meter."""
    versions = (version for each in items for version in each.believed)
    return any(c.kind == Kind.USAGE for version in versions for c in version.terms.charges)


def timeline(items: Sequence[ItemShown], look: Look) -> Chart | None:
    """The days of all items as a picture; None where none is known."""
    lanes = [_lane(shown) for shown in items if shown.believed]
    return lay(lanes, today=look.today, shown=look.on) if lanes else None


def _lane(shown: ItemShown) -> Lane:
    return Lane(
        key=shown.item.pk,
        label=shown.item.product_version.product.name,
        stretches=[_stretch(each) for each in reversed(shown.believed)],
        marks=list(_marks(shown)),
    )


def _stretch(shown: VersionShown) -> Stretch:
    version = shown.version
    product = version.product_version.product.name
    price = money_text(shown.monthly)
    told = {
        "from": day_text(shown.since),
        "to": day_text(version.valid.upper) if version.valid.upper else "…",
        "product": product,
        "n": version.product_version.number,
        "quantity": number_text(version.quantity),
        "price": price,
        "standing": version.get_standing_display(),
    }
    title = (
        _(
            "%(from)s – %(to)s: %(product)s version %(n)s, quantity %(quantity)s, %(standing)s, "
            "%(price)s a month"
        )
        % told
    )
    if shown.in_use:
        label, tone = f"{product} × {told['quantity']} · {price}", "use"
    else:
        label = _("suspended · %(price)s") % told
        tone = "paused" if version.billed else "unbilled"
    return Stretch(shown.since, version.valid.upper, label, title, tone)


def _marks(shown: ItemShown) -> Iterable[Mark]:
    """The facts of the days of this item, its end, and whom it was passed on to."""
    first, last = shown.since, shown.until
    for each in shown.facts:
        on = each.fact.on
        inside = first is not None and first <= on and (last is None or on < last)
        if inside and not each.fact.is_gone and each.fact.act != Act.WITHDRAW:
            yield Mark(on, "planned" if each.is_ahead else "changed", each.text)
    if shown.passed_to and last:
        told = {"account": shown.passed_to.account, "day": day_text(last)}
        text = _("Passed on to %(account)s from %(day)s") % told
        url = reverse("subscriptions:of-item", args=[shown.passed_to.pk])
        yield Mark(last, "transfer", text, url)
    elif last:
        yield Mark(last, "end", _("Out of service from %(day)s") % {"day": day_text(last)})
