"""A wish with the service that it is about, and what it costs on its day."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date

from o2b.catalog.characteristics import check_characteristics
from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from o2b.errors import Refused
from quotes.inputs import versions_on_sale
from subscriptions.changes.describing import DESCRIBED, PLACE, described
from subscriptions.changes.pricing import Pen, Pencil, priced_for
from subscriptions.changes.rises import Asked
from subscriptions.changes.wishes import Priced, Wish
from subscriptions.rules.timeline import Span
from subscriptions.timelines.chains import Chain


@dataclass(frozen=True, slots=True)
class Scene:
    """A wish, the service that it is about, and what that is on the day."""

    wish: Wish
    chain: Chain
    on: date
    today: date
    now: Span
    accounts: Mapping[int, Account]
    pen: Pen

    @property
    def account(self) -> Account:
        """Who orders the change: the account whose item is to be changed."""
        return next(
            self.accounts[i.account_id] for i in self.chain.items if i.pk == self.wish.item_id
        )


def priced_in(scene: Scene) -> Priced:
    """At the price of the day; what describes the service on that day stays where none is said."""
    version = version_of(scene)
    code = scene.wish.product or version.product.code
    newest = versions_on_sale([code]).get(code)
    known = scene.chain.characteristics_on(scene.on)
    asked, beside = described(newest, known, scene.wish.characteristics)
    place = check_characteristics([PLACE], beside, field=DESCRIBED)
    wish = replace(scene.wish, characteristics=asked)
    priced = priced_for(wish, scene.account, scene.chain, scene.now, version, scene.on, scene.pen)
    return replace(priced, characteristics=priced.characteristics | place)


def wants_notice(scene: Scene, priced: Priced) -> bool:
    """Whether a list's price comes upon who has the product, and nobody did without the notice.

    Who accepted an offer ordered that price, and needs no notice of it.
    """
    wish = scene.wish
    return not wish.offered and not wish.waive_notice and _is_same(scene, priced)


def _is_same(scene: Scene, priced: Priced) -> bool:
    keys = {priced.version_id, scene.now.product_version}
    products = ProductVersion.objects.filter(pk__in=keys).values("product").distinct()
    return products.count() == 1


def as_it_is(scene: Scene, priced: Priced) -> Asked:
    """What is asked for the product as it is described; another edition is no rise of this one."""
    known = scene.chain.characteristics_on(scene.on)
    if priced.characteristics != known:
        pencil = Pencil(scene.pen)
        same = replace(scene, wish=replace(scene.wish, characteristics=None), pen=pencil)
        with suppress(Refused):
            as_is = priced_in(same)
            return Asked(as_is, pencil)
    return Asked(priced, scene.pen)


def version_of(scene: Scene) -> ProductVersion:
    return ProductVersion.objects.select_related("product").get(pk=scene.now.product_version)
