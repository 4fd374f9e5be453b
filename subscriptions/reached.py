"""Which items in service were sold by a price book, and what its next version's policy says."""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from o2b.asks import Affected, Impact
from o2b.catalog.models import PriceBookVersion
from o2b.catalog.publications import MOST_EXAMPLES, Reach
from o2b.catalog.resolution import Asked, Compared, Wanted, compare_publication, period_price
from o2b.charging.terms import from_canonical
from o2b.web.show import day_text
from subscriptions.models import ItemVersion, ServiceState
from subscriptions.selectors import known_now

Policy = PriceBookVersion.Policy


def reached_items(reach: Reach, *, shown: bool) -> list[Impact]:
    """Items in service by what becomes of their price; a move is recorded here and no more."""
    items = _in_service(reach)
    moves = reach.policy != Policy.KEEP
    elsewhere = reach.decided_elsewhere(
        account="item__account",
        customer="item__account__customer",
        product="product_version__product",
    )
    groups: list[tuple[bool, str, QuerySet[ItemVersion]]] = [(moves, _reason(reach), items)]
    if moves:
        said = _("a contract, or a book that goes before this one, decides its price")
        groups = [
            (True, _reason(reach), items.exclude(elsewhere)),
            (False, said, items.filter(elsewhere)),
        ]
    return [
        Impact("subscription", _("Subscriptions"), moved, reason, total, told)
        for moved, reason, rows in groups
        if (total := rows.count())
        for told in [_examples(reach, rows, moved, reason) if shown else []]
    ]


def _in_service(reach: Reach) -> QuerySet[ItemVersion]:
    """The newest days of each item that was sold by the book and is not over."""
    return (
        known_now()
        .filter(item__order_line__book_version__book=reach.version.book_id)
        .exclude(item__state=ServiceState.ENDED)
        .filter(valid__endswith__isnull=True)
    )


def _reason(reach: Reach) -> str:
    version = reach.version
    told = {"days": version.notice_days, "day": day_text(version.policy_on or version.valid_from)}
    match reach.policy:
        case Policy.AT_RENEWAL:
            return _("moves to the new price at its renewal, %(days)s days after notice") % told
        case Policy.ON_DATE:
            return _("moves to the new price on %(day)s, %(days)s days after notice") % told
    return _("keeps the price that it was sold at")


def _examples(
    reach: Reach, rows: QuerySet[ItemVersion], moved: bool, reason: str
) -> Sequence[Affected]:
    first = rows.select_related(
        "item__subscription",
        "item__order_line",
        "order_line",
        "item__account__customer",
        "product_version__product",
        "terms",
    ).order_by("item_id")[:MOST_EXAMPLES]
    versions = list(first)
    compared: Sequence[Compared | None] = [None] * len(versions)
    if moved:
        on = max(reach.on, reach.version.policy_on or reach.on)
        asked = [Asked(each.item.account, [_wanted(each)]) for each in versions]
        compared = compare_publication(version=reach.version, asked=asked, on=on)
    return [_told(version, both, reason) for version, both in zip(versions, compared, strict=True)]


def _wanted(version: ItemVersion) -> Wanted:
    line = version.order_line or version.item.order_line
    characteristics = line.characteristics if version.described is None else version.described
    return Wanted(version.product_version, version.quantity, (), characteristics)


def _told(version: ItemVersion, both: Compared | None, reason: str) -> Affected:
    charges = from_canonical(version.terms.body).charges
    before = period_price(charges, version.quantity)
    return Affected(
        kind="subscription",
        title=str(version.item),
        url=version.item.subscription.get_absolute_url(),
        affected=both is not None,
        reason=reason,
        before=before,
        after=both.after if both else before,
        currency=version.terms.currency,
    )
