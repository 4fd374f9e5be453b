"""What both doors of changes share: what stays as it is, and where a refusal belongs."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from o2b.catalog.models import ProductVersion
from o2b.errors import Refused
from subscriptions.changes.wishes import Wish
from subscriptions.models import Act, Item
from subscriptions.timelines.chains import chains_of

INDEX = re.compile(r"^(?:changes|lines)\[\d+\](?:\.|$)")


def kept_characteristics(
    version: ProductVersion | None, characteristics: Mapping[str, Any]
) -> dict[str, Any]:
    """Those of a service that a version of its product still asks for."""
    names = {spec["name"] for spec in version.characteristics} if version else set()
    return {name: value for name, value in characteristics.items() if name in names}


def with_what_stays(wish: Wish, item: Item, *, today: date) -> Wish:
    """Another product or price: what describes the service stays where nothing else is said."""
    if wish.act != Act.TERMS or wish.characteristics is not None:
        return wish
    root = item.root_id_or_own
    known = chains_of([root])[root].characteristics_on(wish.on or today)
    code = wish.product or item.product_version.product.code
    published = ProductVersion.objects.filter(
        product__code=code, state=ProductVersion.State.PUBLISHED
    )
    newest = published.order_by("-number").first()
    return replace(wish, characteristics=kept_characteristics(newest, known))


def place_of(refusal: Refused) -> str:
    """The field at fault as somebody names it who asks for one change.

    >>> place_of(Refused("no", field="lines[0].characteristics.edition"))
    'characteristics.edition'
    """
    return INDEX.sub("", refusal.field or "")
