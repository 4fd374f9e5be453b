"""Every pool, the pools of an account, and the options of what one types into search fields."""

from typing import Any, ClassVar

from django.core.paginator import Page
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from o2b.customers.models import Account
from o2b.customers.selectors import accounts_like
from o2b.web.filters import Filter
from o2b.web.http import HtmxRequest, door, is_partial
from o2b.web.tables import Action, Column, ListPage
from subscriptions.models import Item, Pool
from subscriptions.pools import shown
from subscriptions.pools.pace import lasts_days
from subscriptions.pools.scene import PoolShown, pools_for_list, shown_of, standing_like
from subscriptions.pools.selectors import pools_of_account
from subscriptions.pools.views.doorstep import MANAGES, SEES
from subscriptions.usage.selectors import services_named

MOST_JUDGED = 2000
OPTIONS = 20
YES_NO = [("yes", gettext_lazy("yes")), ("no", gettext_lazy("no"))]


def _dressed(pools: list[Pool]) -> list[Any]:
    """Pools with `now`, how they stand today."""
    found = shown_of([pool.pk for pool in pools])
    for pool in pools:
        pool.now = found[pool.pk]  # type: ignore[attr-defined]
    return pools


def _now(row: Any) -> PoolShown:
    found: PoolShown = row.now
    return found


def _lasts(row: Any) -> int | None:
    now = _now(row)
    return lasts_days(now.left, now.pace.a_day) if now.left else None


def _hard(rows: QuerySet[Pool], told: str) -> QuerySet[Pool]:
    return rows.filter(hard=told == "yes")


def _as_they_are(rows: QuerySet[Pool], told: str) -> QuerySet[Pool]:
    """How pools stand is computed: seen to when all else has narrowed them."""
    return rows


class PoolList(ListPage):
    """Every pool, with what is left today."""

    permission = SEES
    title = gettext_lazy("Pools")
    intro = gettext_lazy("Prepaid units that the services of an account share.")
    columns = (
        Column("number", gettext_lazy("Pool"), sort="pk", link=True, note="name"),
        Column(
            "account",
            gettext_lazy("Account"),
            value="account.name",
            sort="account__name",
            note="account.reference",
        ),
        Column("meter", gettext_lazy("Meter"), sort="meter"),
        Column(
            "left",
            gettext_lazy("Left"),
            value=lambda row: _now(row).left,
            kind="number",
            note=lambda row: _now(row).unit,
        ),
        Column(
            "drawn",
            gettext_lazy("Drawn this month"),
            value=lambda row: _now(row).pace.drawn,
            kind="number",
            note=lambda row: _now(row).unit,
        ),
        Column("days", gettext_lazy("Lasts, in days"), value=_lasts, kind="number"),
        Column(
            "standing",
            gettext_lazy("Standing"),
            value=lambda row: _now(row).standing,
            kind="badge",
            label=lambda row: shown.label_of(_now(row).standing),
            tone=lambda row: shown.tone_of(_now(row).standing),
        ),
        Column(
            "hard",
            gettext_lazy("Hard limit"),
            value=lambda row: _("yes") if row.hard else _("no"),
            sort="hard",
        ),
    )
    csv_columns = (
        Column("number", gettext_lazy("Pool")),
        Column("name", gettext_lazy("Name")),
        Column("account", gettext_lazy("Account"), value="account.name", note="account.reference"),
        Column("meter", gettext_lazy("Meter")),
        Column("unit", gettext_lazy("Unit"), value=lambda row: _now(row).unit),
        Column("left", gettext_lazy("Left"), value=lambda row: _now(row).left),
        Column("drawn", gettext_lazy("Drawn this month"), value=lambda row: _now(row).pace.drawn),
        Column(
            "uncovered",
            gettext_lazy("Not covered this month"),
            value=lambda row: _now(row).pace.uncovered,
        ),
        Column("days", gettext_lazy("Lasts, in days"), value=_lasts),
        Column(
            "standing",
            gettext_lazy("Standing"),
            value=lambda row: shown.label_of(_now(row).standing),
        ),
        Column("hard", gettext_lazy("Hard limit"), value=lambda row: "1" if row.hard else "0"),
    )
    filters = (
        Filter(
            "meter",
            gettext_lazy("Meter"),
            "meter",
            lambda request: [
                (code, code)
                for code in Pool.objects.order_by("meter")
                .values_list("meter", flat=True)
                .distinct()
            ],
        ),
        Filter("hard", gettext_lazy("Hard limit"), _hard, YES_NO),
        Filter(
            "standing",
            gettext_lazy("Standing"),
            _as_they_are,
            [(key, label) for key, (label, _tone) in shown.STANDINGS.items()],
        ),
    )
    search = (
        "pk",
        "name",
        "meter",
        "account__name",
        "account__reference",
        "account__customer__name",
    )
    search_hint = gettext_lazy("Number, name, meter or account…")
    default_sort = "-number"
    csv_name = "pools"
    actions: ClassVar[Any] = (
        Action(gettext_lazy("Open a pool"), "subscriptions:pool-new", MANAGES, primary=False),
    )
    empty = gettext_lazy(
        "No pools yet. A pool opens by itself when an order brings units of a meter: a price that "
        "grants them says so in the catalog. Or open one by hand."
    )
    template_name = "subscriptions/pools/list.html"
    too_many = False

    def get_rows(self) -> QuerySet[Pool]:
        return pools_for_list()

    @cached_property
    def standing(self) -> str:
        return next(each.value for each in self.asked if each.filter.name == "standing")

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        if self.standing:
            found, self.too_many = standing_like(rows, self.standing, most=MOST_JUDGED)
            rows = rows.filter(pk__in=found)
        if self.request.GET.get("format") == "csv":
            return InChunks(rows)
        return rows

    def get_page(self) -> Page[Any]:
        page = super().get_page()
        page.object_list = _dressed(list(page.object_list))
        return page

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        too_many = MOST_JUDGED if self.too_many else 0
        return super().get_context_data(too_many=too_many, **kwargs)


class InChunks:
    """Pools for a CSV: so many at a time are looked at together."""

    def __init__(self, rows: QuerySet[Pool]) -> None:
        self.rows = rows

    def iterator(self, chunk_size: int = 500) -> Any:
        some: list[Pool] = []
        for pool in self.rows.iterator(chunk_size=500):
            some.append(pool)
            if len(some) == 500:
                yield from _dressed(some)
                some = []
        yield from _dressed(some)


@door(SEES)
@require_GET
def of_account(request: HtmxRequest, pk: int) -> HttpResponse:
    """Panel: the pools of an account, and those that it or a service of it draws from."""
    account = get_object_or_404(Account, pk=pk)
    part = "subscriptions/pools/_of_account.html"
    context = {
        "parent": account,
        "account": account,
        "pools": _dressed(pools_of_account(account)),
        "title": _("Pools"),
        "part": part,
    }
    return render(request, part if is_partial(request) else "subscriptions/panel.html", context)


@door(MANAGES)
@require_GET
def accounts(request: HtmxRequest) -> HttpResponse:
    """The accounts that begin to match, as options."""
    found = accounts_like(request.GET.get("account", "")[:200])[:OPTIONS]
    options = [(each.reference, each.name) for each in found]
    return render(request, "subscriptions/pools/_options.html", {"options": options})


@door(MANAGES)
@require_GET
def services(request: HtmxRequest) -> HttpResponse:
    """The services that begin to match, as options: by number, product or account."""
    words = request.GET.get("service", "").replace("\0", "").strip()[:200]
    items = Item.objects.filter(root=None).exclude(state="ended")
    if named := services_named(words):
        items = items.filter(pk__in=named)
    else:
        for word in words.split():
            items = items.filter(
                Q(product_version__product__name__icontains=word)
                | Q(account__name__icontains=word)
                | Q(account__reference__icontains=word)
            )
    found = items.select_related("account", "product_version__product").order_by("-pk")
    options = [
        (each.number, f"{each.product_version.product.name}, {each.account.name}")
        for each in found[: OPTIONS if words else 0]
    ]
    return render(request, "subscriptions/pools/_options.html", {"options": options})
