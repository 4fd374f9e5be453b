"""Questions about prices that move with their book: which versions do, whom to tell, and when."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    BigIntegerField,
    DateField,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Coalesce, Greatest

from o2b.catalog.models import PriceBookVersion
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.publications import Reach
from o2b.customers.models import Account
from subscriptions.asof import its_day
from subscriptions.commitments.selectors import by_clock
from subscriptions.models import Item, ItemVersion, PriceMove, Renewal, RenewalDue, ServiceState
from subscriptions.selectors import known_now

KEY = BigIntegerField()
LEAD = timedelta(days=7)
# What renews with an uplift was promised that; what ends has no next price.
MOVED_AT_RENEWAL = (Renewal.SAME, Renewal.MONTHLY, Renewal.CURRENT)


def to_move(*, machine_now: datetime, clocked: bool) -> QuerySet[Any]:
    """Services whose new price counts from today where they live, and whose customers know it."""
    rows = PriceMove.objects.filter(settled_on=None, at_renewal=False, letter_owed=False)
    return by_clock(rows, "moves_on", machine_now=machine_now, clocked=clocked)


def moving_versions() -> QuerySet[PriceBookVersion]:
    """Versions of books that do not leave services at the price that they were sold at."""
    published = PriceBookVersion.objects.filter(state=Lifecycle.PUBLISHED)
    return published.exclude(policy=PriceBookVersion.Policy.KEEP).select_related("book")


def to_tell(version: PriceBookVersion, *, machine_now: datetime) -> QuerySet[Any]:
    """What was sold by an earlier version of the book, moves, and was not told so yet.

    It is told so many days before as the version says, and some more, so that a day on which
    nothing ran delays no price. Of each service comes the version of the day on which it moves:
    its holder is who has it then, whoever has it today or after a transfer that is planned.
    """
    reach = Reach(version, version.policy_on or version.valid_from)
    elsewhere = reach.decided_elsewhere(
        account="item__account",
        customer="item__account__customer",
        product="product_version__product",
    )
    lead = timedelta(days=version.notice_days) + LEAD
    moves = PriceMove.objects.filter(item=OuterRef("root"), book_version=version)
    rows = (
        known_now()
        .filter(_sold_before(version, "item") | _sold_before(version, "item__root"))
        .exclude(item__state=ServiceState.ENDED)
        .exclude(elsewhere)
        .annotate(
            root=Coalesce("item__root_id", F("item_id"), output_field=KEY),
            holder=F("item__account_id"),
            its_day=its_day(machine_now, account="item__account"),
        )
        .filter(~Exists(moves))
        .filter(Q(valid__endswith__isnull=True) | Exists(_endless()))
        .order_by("item_id")
    )
    soonest = Cast(
        ExpressionWrapper(
            F("its_day") + Value(timedelta(days=version.notice_days)), DateTimeField()
        ),
        DateField(),
    )
    days = [Value(version.policy_on or version.valid_from), Value(version.valid_from), soonest]
    if version.policy == PriceBookVersion.Policy.ON_DATE:
        assert version.policy_on is not None
        rows = rows.filter(its_day__gte=version.policy_on - lead)
        return rows.annotate(then=Greatest(*days)).filter(valid__contains=F("then"))
    due = RenewalDue.objects.filter(
        item=OuterRef("root"),
        due_on__gte=version.valid_from,
        commitment__renewal__in=MOVED_AT_RENEWAL,
    )
    # Who is closed keeps the price that they have when the term ends.
    rows = rows.filter(item__account__state=Account.State.OPEN)
    rows = rows.annotate(due_on=Subquery(due.values("due_on")[:1]))
    rows = rows.filter(due_on__lte=F("its_day") + lead)
    return rows.annotate(then=Greatest("due_on", *days)).filter(valid__contains=F("then"))


def _endless() -> QuerySet[ItemVersion]:
    """The days without an end of a service, of whoever has it then."""
    root = OuterRef(OuterRef("root"))
    legs = Item.objects.filter(Q(pk=root) | Q(root=root)).order_by()
    return known_now().filter(item__in=legs.values("pk"), valid__endswith__isnull=True)


def _sold_before(version: PriceBookVersion, item: str) -> Q:
    sold_by = f"{item}__order_line__book_version"
    earlier = {f"{sold_by}__book": version.book_id, f"{sold_by}__number__lt": version.number}
    return Q(**earlier)
