"""Questions about commitments: which renewals are due, whose they are, what holds of a service."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db.models import (
    BigIntegerField,
    Case,
    DateField,
    DateTimeField,
    Exists,
    F,
    Func,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce

from o2b import clock
from o2b.customers.models import Account
from subscriptions.models import (
    Commitment,
    Item,
    ItemVersion,
    Renewal,
    RenewalDue,
    ServiceState,
    Standing,
)
from subscriptions.selectors import known_now
from subscriptions.timelines.chains import chains_of

M = TypeVar("M", bound=Model)
A_DAY = timedelta(days=1)
LONGEST_KEY = 18  # digits that always fit into a bigint
KEY = BigIntegerField()
CHAIN = OuterRef(OuterRef("item"))  # of a row about a service, two queries outside
# What does not end with its term is renewed when it is in use, maybe later than the term ends.
WAITS = ~Q(commitment__renewal=Renewal.END)


def held(
    rows: QuerySet[Any], field: str, *, machine_now: datetime, waits: Q | None = None
) -> QuerySet[Any]:
    """Rows about services with `holder`, the account that has each on the day in `field`.

    Once it is over that is the last one that had it. Rows that `waits` finds are about the day on
    which the service is in use again. With each comes `its_day`, today where the holder lives.
    """
    # Both columns stand in one table, so that indexes find the items of the chain.
    legs = Item.objects.filter(Q(pk=CHAIN) | Q(root=CHAIN)).order_by()
    believed = known_now().filter(item__in=legs.values("pk"))
    then = believed.filter(Q(valid__contains=OuterRef(field)))
    # Inside one filter: querysets that are joined by "or" find no index for the chain.
    lasts = Q(valid__endswith__isnull=True) | Q(valid__endswith__gt=OuterRef(field))
    in_use = believed.filter(lasts, standing=Standing.IN_USE)
    facing = [
        *([(in_use.order_by("valid"), waits)] if waits is not None else []),
        (then, None),
        (believed.order_by("-valid"), None),
    ]
    its_now = Coalesce(F("test_clock__now"), Value(machine_now))
    local = Func(F("time_zone"), its_now, function="timezone", output_field=DateTimeField())
    days = Account.objects.filter(pk=OuterRef("holder")).annotate(day=Cast(local, DateField()))
    holder = Coalesce(
        *(_account_of(versions, only) for versions, only in facing),
        F("item__account_id"),
        output_field=KEY,
    )
    return rows.annotate(holder=holder, root=F("item_id")).annotate(
        its_day=Subquery(days.values("day")[:1])
    )


def _account_of(versions: QuerySet[ItemVersion], only: Q | None) -> Any:
    """The account of the first of these versions; of rows that `only` finds."""
    found = Subquery(versions.values("item__account")[:1])
    return found if only is None else Case(When(only, then=found))


def by_clock(
    rows: QuerySet[Any],
    field: str,
    *,
    machine_now: datetime,
    clocked: bool,
    on: str = "",
    waits: Q | None = None,
) -> QuerySet[Any]:
    """Rows whose day in `field` has come where they live; under test clocks, or under none.

    They live where the account lives that has them then, or on the day in the field `on`.

    Nowhere is it later than tomorrow, so that an index finds those that live by the real clock.
    """
    if clocked:
        rows = rows.filter(item__account__test_clock__isnull=False)
    else:
        latest = machine_now.date() + A_DAY
        rows = rows.filter(item__account__test_clock=None, **{f"{field}__lte": latest})
    whose = held(rows, on or field, machine_now=machine_now, waits=waits)
    return whose.filter(**{f"{field}__lte": F("its_day")})


def due_renewals(*, machine_now: datetime, clocked: bool) -> QuerySet[Any]:
    """Services whose term has ended; not those that wait, nor those that failed today."""
    suspended = Item.objects.filter(state=ServiceState.SUSPENDED).filter(
        Q(pk=OuterRef("item")) | Q(root=OuterRef("item"))
    )
    rows = by_clock(
        RenewalDue.objects.all(),
        "due_on",
        machine_now=machine_now,
        clocked=clocked,
        waits=WAITS,
    )
    return rows.filter(
        Q(tried_on=None) | Q(tried_on__lt=F("its_day")), Q(waits=False) | ~Exists(suspended)
    )


def to_remind(*, machine_now: datetime, clocked: bool) -> QuerySet[Any]:
    """Services whose renewal comes up, and of which the advocate was not told yet."""
    rows = RenewalDue.objects.filter(remind_on__isnull=False)
    return by_clock(rows, "remind_on", machine_now=machine_now, clocked=clocked, on="due_on")


def items_of(account_ids: Collection[int]) -> QuerySet[Item, Any]:
    """The items of these accounts."""
    return Item.objects.filter(account__in=account_ids).order_by().values("pk")


def roots_held_by(account_ids: Collection[int]) -> QuerySet[Item, Any]:
    """The first items of all services that these accounts have or had."""
    own = Item.objects.filter(account__in=account_ids).order_by()
    return own.values_list(Coalesce("root_id", F("pk"), output_field=KEY), flat=True)


def renewals(*, machine_now: datetime) -> QuerySet[Any]:
    """Every service whose running term ends, with `holder` and `its_day`."""
    rows = RenewalDue.objects.select_related("commitment")
    return held(rows, "due_on", machine_now=machine_now, waits=WAITS)


def advocates() -> QuerySet[Account, Any]:
    """Who answers for an account that has a service with a term that ends."""
    committed = Item.objects.filter(renewal_due__isnull=False).order_by()
    holders = Q(pk__in=committed.values("account"))
    holders |= Q(pk__in=Item.objects.filter(root__in=committed).order_by().values("account"))
    return Account.objects.filter(holders).order_by().values("advocate")


def accounts_named(words: str) -> QuerySet[Account, Any]:
    """Accounts that have each word in their name or number, or in their customer's name."""
    found = Account.objects.order_by()
    for word in words.split():
        found = found.filter(
            Q(name__icontains=word)
            | Q(reference__icontains=word)
            | Q(customer__name__icontains=word)
        )
    return found.values("pk")


def numbered(words: str) -> QuerySet[Item, Any]:
    """The first item of the service that is called so: S-3.7, or all of S-3."""
    subscription, dot, item = words.strip().upper().removeprefix("S-").partition(".")
    number = item if dot else subscription
    if not (number.isascii() and number.isdigit() and len(number) <= LONGEST_KEY):
        return Item.objects.none().values("pk")
    key = {"pk": int(number)} if dot else {"subscription": int(number)}
    roots = Coalesce("root_id", F("pk"), output_field=KEY)
    return Item.objects.filter(**key).order_by().values_list(roots, flat=True)


def holder_of(item_id: int, *, machine_now: datetime) -> Item:
    """The item as who has the service today has it; a missing one is a 404."""
    related = ("account__customer", "account__test_clock", "subscription", "root")
    items = Item.objects.select_related(*related, "product_version__product")
    found = items.get(pk=item_id)
    chain = chains_of([found.root_id_or_own])[found.root_id_or_own]
    today = clock.day(found.account, found.account.test_now or machine_now)
    return items.get(pk=chain.holder_on(today).pk)


def running(item: Item) -> Commitment | None:
    """The commitment that holds of the service."""
    return Commitment.objects.filter(item=item.root_id_or_own).order_by("-number").first()


def renewal_of(commitment: Commitment, account: Account) -> Renewal:
    """What comes when it ends: who is closed is bound no further, and goes on by the month."""
    told = Renewal(commitment.renewal)
    return told if account.is_open or told == Renewal.END else Renewal.MONTHLY


def agreed_of(item: Item) -> QuerySet[Commitment]:
    """All that was ever agreed of the service, the newest first."""
    terms = Commitment.objects.filter(item=item.root_id_or_own).order_by("-number")
    return terms.select_related("order_line__order__placed_by")


def due_of(item: Item, *, machine_now: datetime) -> Any:
    """Its renewal, if its term ends."""
    return renewals(machine_now=machine_now).filter(item=item.root_id_or_own).first()


def committed_with(item: Item) -> list[tuple[int, str]]:
    """The services of the same account whose terms end: the item and its name, for a form."""
    own = Item.objects.filter(account=item.account_id, ended_on=None).order_by("pk")
    own = own.filter(Q(renewal_due__isnull=False) | Q(root__renewal_due__isnull=False))
    named = own.select_related("product_version__product")
    return [(each.pk, f"{each.product_version.product} {each.number}") for each in named]


def commitments_of(*, subscription_id: int) -> QuerySet[Commitment]:
    """What was ever agreed of the services of a subscription, the newest first."""
    items = Item.objects.filter(subscription=subscription_id).order_by()
    roots = items.values_list(Coalesce("root_id", F("pk"), output_field=KEY), flat=True)
    terms = Commitment.objects.filter(item__in=roots).order_by("item_id", "-number")
    return terms.select_related("item__subscription", "order_line")
