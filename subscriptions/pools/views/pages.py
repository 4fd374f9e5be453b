"""One pool: what it holds, this month, who draws, its statement; and its lists in full."""

from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from o2b.web.filters import Filter
from o2b.web.tables import Column, ListPage
from subscriptions.models import Pool, PoolMember
from subscriptions.pools import shown
from subscriptions.pools.movements import Movement
from subscriptions.pools.picture import picture_of
from subscriptions.pools.scene import DrawerShown, LotShown, members_of, orders_of, refill_of
from subscriptions.pools.views.doorstep import GRANTS, MANAGES, ORDERS, SEES, OfPool

FIRST = 8  # rows of each part of the page; the rest stands in a list of its own
LAST_ORDERS = 6


def _from(rows: Any, day: date) -> Any:
    return [each for each in rows if each.day >= day]


def _until(rows: Any, day: date) -> Any:
    return [each for each in rows if each.day <= day]


def _what(rows: Any, what: str) -> Any:
    return [each for each in rows if each.what == what]


class PoolPage(OfPool):
    """A pool; its list is the statement."""

    template_name = "subscriptions/pools/pool.html"
    columns = (
        Column("day", gettext_lazy("Day"), kind="day", sort="number"),
        Column("what", gettext_lazy("What"), kind="badge", label="label", tone="tone"),
        Column("units", gettext_lazy("Units"), kind="number"),
        Column("who", gettext_lazy("Whose, or from where"), link="who_url", note="who_note"),
        Column("left", gettext_lazy("Left after it"), kind="number"),
    )
    csv_columns = (
        Column("number", gettext_lazy("Number")),
        Column("day", gettext_lazy("Day")),
        Column("what", gettext_lazy("What")),
        Column("units", gettext_lazy("Units")),
        Column("left", gettext_lazy("Left after it")),
        Column("who", gettext_lazy("Whose, or from where")),
        Column("who_note", gettext_lazy("More")),
        Column("account", gettext_lazy("Account")),
    )
    filters = (
        Filter("what", gettext_lazy("What"), _what, list(shown.MOVES.items())),
        Filter("from", gettext_lazy("From"), _from, kind="day"),
        Filter("until", gettext_lazy("Until"), _until, kind="day"),
    )
    search_hint = gettext_lazy("Service, account, product or reason…")
    default_sort = "-day"
    csv_name = "pool-statement"
    per_page = 25
    empty = gettext_lazy("Nothing has come in yet. Units come with orders, or are given by hand.")

    def rows(self) -> list[Movement]:
        return self.scene.movements

    def dress(self, row: Movement) -> Any:
        return shown.movement_shown(self.scene, row)

    def key_of(self, row: Movement, name: str) -> Any:
        return row.number

    def search_rows(self, rows: Any, words: str) -> Any:
        wanted = words.casefold().split()
        return [
            row for row in rows if all(word in shown.words_of(self.dress(row)) for word in wanted)
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        scene, user = self.scene, self.request.user
        lots, drawers = scene.lots(), scene.who_draws()
        running = Q(ends_on=None) | Q(ends_on__gt=scene.today)
        members = members_of(scene.pool.pk).filter(running)
        refill = refill_of(scene.pool.pk)
        context = {
            "title": _("Statement"),
            "figures": list(shown.figures(scene)),
            "picture": picture_of(scene.pace, scene.empty_on if scene.left else None),
            "lots": [shown.lot_shown(lot, scene.today) for lot in lots[:FIRST]],
            "more_lots": max(len(lots) - FIRST, 0),
            "drawers": [{"row": row, "why": shown.WHY[row.by]} for row in drawers[:FIRST]],
            "more_drawers": max(len(drawers) - FIRST, 0),
            "members": [shown.member_shown(row) for row in members[:FIRST]],
            "more_members": max(members.count() - FIRST, 0),
            "refill": refill,
            "refill_orders": orders_of(refill, most=LAST_ORDERS) if refill else (),
            "manages": user.has_perm(MANAGES),
            "grants": user.has_perm(GRANTS),
            "may_refill": user.has_perm(MANAGES) and user.has_perm(ORDERS),
        }
        return super().get_context_data(**context | kwargs)


class InFull(OfPool):
    """A list that the pool's page shows the beginning of."""

    template_name = "subscriptions/pools/in_full.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        intro = f"{self.scene.pool.number} · {self.scene.pool}"
        return super().get_context_data(intro=intro, **kwargs)


class DrawerList(InFull):
    """Every service that draws from the pool, or did this month."""

    title = gettext_lazy("Who draws")
    columns = (
        Column(
            "service",
            gettext_lazy("Service"),
            value="item.number",
            sort="service",
            link=lambda row: shown.usage_url(row.item),
            note="item.product_version.product.name",
        ),
        Column(
            "account",
            gettext_lazy("Account"),
            value="item.account.name",
            sort="account",
            note="item.account.reference",
        ),
        Column("by", gettext_lazy("Why"), value=lambda row: shown.WHY[row.by]),
        Column("drawn", gettext_lazy("Drawn this month"), kind="number", sort="drawn"),
        Column(
            "uncovered", gettext_lazy("Not covered this month"), kind="number", sort="uncovered"
        ),
    )
    search_hint = gettext_lazy("Service, product or account…")
    default_sort = "-drawn"
    csv_name = "pool-drawers"
    empty = gettext_lazy("Nobody draws: no service is sold by this meter to whom the pool is for.")

    def rows(self) -> list[DrawerShown]:
        return self.scene.who_draws()

    def key_of(self, row: DrawerShown, name: str) -> Any:
        match name:
            case "service":
                return row.item.pk
            case "account":
                return row.item.account.name.casefold(), row.item.pk
            case "uncovered":
                return row.uncovered, row.item.pk
        return row.drawn, row.item.pk

    def search_rows(self, rows: Any, words: str) -> Any:
        wanted = words.casefold().split()
        return [row for row in rows if all(word in shown.drawer_words(row) for word in wanted)]


class LotList(InFull):
    """Every lot that has begun, also what is used up or gone."""

    title = gettext_lazy("Lots")
    columns = (
        Column("begins", gettext_lazy("From"), value="lot.begins", kind="day", sort="begins"),
        Column(
            "ends",
            gettext_lazy("Until before"),
            value=lambda row: shown.ends_shown(row.ends),
            kind="day",
        ),
        Column("units", gettext_lazy("Units"), value="lot.units", kind="number"),
        Column("left", gettext_lazy("Left"), kind="number", sort="left"),
        Column("priority", gettext_lazy("Priority"), value="lot.priority", kind="number"),
        Column(
            "source",
            gettext_lazy("From where"),
            value=lambda row: shown.source_title(row.source),
            link=lambda row: shown.source_url(row.source),
            note=lambda row: shown.source_note(row.source),
        ),
    )
    default_sort = "-begins"
    csv_name = "pool-lots"
    empty = gettext_lazy("Nothing has come in yet.")

    def rows(self) -> list[LotShown]:
        return self.scene.every_lot()

    def key_of(self, row: LotShown, name: str) -> Any:
        return (row.left if name == "left" else row.lot.begins), row.lot.ref


class MemberList(ListPage):
    """With whom a pool is or was shared."""

    permission = SEES
    title = gettext_lazy("Shared with")
    template_name = "subscriptions/pools/in_full.html"
    columns = (
        Column(
            "who",
            gettext_lazy("Account or service"),
            value=shown.member_title,
            link=shown.member_url,
            note=shown.member_note,
        ),
        Column("begins_on", gettext_lazy("From"), kind="day", sort="begins_on"),
        Column(
            "ends_on",
            gettext_lazy("Until before"),
            kind="day",
            sort="ends_on",
            may_be_empty=True,
        ),
        Column("added_by", gettext_lazy("By")),
    )
    search = (
        "account__name",
        "account__reference",
        "service__account__name",
        "service__pk",
        "service__product_version__product__name",
    )
    search_hint = gettext_lazy("Account or service…")
    default_sort = "ends_on"
    csv_name = "pool-members"
    empty = gettext_lazy("It is shared with nobody.")

    def get_rows(self) -> QuerySet[PoolMember]:
        return members_of(self.pool.pk)

    @property
    def pool(self) -> Pool:
        return Pool.objects.select_related("account").get(pk=self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        pool = self.pool
        intro = f"{pool.number} · {pool}"
        return super().get_context_data(pool=pool, intro=intro, **kwargs)
