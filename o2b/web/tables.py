"""The list of every list page: search, chips, sort, pages and CSV, with or without JavaScript.

    class QuoteList(ListPage):
        permission = "quotes.view_quote"
        title = _("Quotes")
        columns = [
            Column("number", _("Number"), sort="pk", link=True),
            Column("customer", _("Customer"), value="account.customer.name",
                   sort="account__customer__name", note="account.name"),
            Column("state", _("State"), kind="badge", sort="state"),
            Column("monthly", _("Monthly"), kind="money", currency="account.currency"),
            Column("sent_at", _("Sent"), kind="day", sort="sent_at"),
        ]
        search = ["account__customer__name", "pk"]
        state_field = "state"
        states = Quote.State.choices
        default_sort = "-number"
        csv_name = "quotes"
        actions = [Action(_("New quote"), "quotes:new", permission="quotes.edit_quote")]
        empty = _("No quotes yet. Begin one for a customer.")

        def get_rows(self) -> QuerySet[Quote]:
            return selectors.quotes_for_list()  # select_related what the columns show

    path("", QuoteList.as_view(), name="list")

The address is the state of the page: ?q= (words), ?state=, ?sort=-number, ?page=, ?format=csv and
whatever `filters` (o2b.web.filters) name; what is unknown in it is ignored. Templates of one's own
extend "components/list.html" (blocks before, after); htmx gets "components/_list.html" alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django.core.paginator import Page, Paginator
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import ListView

from o2b.web.columns import Action, Chip, Column, Head, Row
from o2b.web.csv import stream_csv
from o2b.web.filters import Asked, Filter, Narrowed
from o2b.web.http import is_partial, turned_away

__all__ = ["Action", "Column", "Filter", "ListPage"]

LONGEST_SEARCH = 200


def searched(asked: Mapping[str, Any]) -> str:
    """The words that an address or a form searches for, as Postgres takes them: without NUL."""
    return str(asked.get("q", "")).replace("\0", "").strip()[:LONGEST_SEARCH]


def holding(rows: QuerySet[Any], fields: Sequence[str], words: str) -> QuerySet[Any]:
    """Rows that hold every word in one of these fields."""
    for word in words.split():
        rows = rows.filter(_holds(fields, word))
    return rows


def _holds(fields: Sequence[str], word: str) -> Q:
    found = Q(pk__in=[])
    for field in fields:
        if field.rpartition("__")[2] in {"pk", "id"}:
            digits = word.lstrip("#").rpartition("-")[2]
            if digits.isascii() and digits.isdigit() and len(digits) < 19:
                found |= Q(**{field: int(digits)})
        else:
            found |= Q(**{field if field.endswith("contains") else f"{field}__icontains": word})
    return found


class ListPage(ListView):
    """A permission, a title, columns and `get_rows()`; all else has a default."""

    permission: ClassVar[str] = ""
    title: ClassVar[str | Promise] = ""
    intro: ClassVar[str | Promise] = ""
    columns: ClassVar[Sequence[Column]] = ()
    # Look-ups, one of which a word of ?q= must meet: "name" is name__icontains, "pk" is exact.
    search: ClassVar[Sequence[str]] = ()
    search_hint: ClassVar[str | Promise] = _("Search…")
    state_field: ClassVar[str] = ""
    states: ClassVar[Any] = ()
    filters: ClassVar[Sequence[Filter]] = ()
    # What the CSV holds, where that is more than the page has room for.
    csv_columns: ClassVar[Sequence[Column]] = ()
    default_sort: ClassVar[str] = ""
    csv_name: ClassVar[str] = ""
    actions: ClassVar[Sequence[Action]] = ()
    empty: ClassVar[str | Promise] = _("Nothing here yet.")
    per_page: ClassVar[int] = 50
    template_name = "components/list.html"
    partial_name: ClassVar[str] = "components/_list.html"

    # what a page says

    def get_rows(self) -> QuerySet[Any]:
        """All rows that this person may see, with all that the columns show."""
        raise NotImplementedError

    def search_rows(self, rows: QuerySet[Any], words: str) -> QuerySet[Any]:
        """Rows that hold every word in one of the `search` fields."""
        return holding(rows, self.search, words)

    def filter_state(self, rows: QuerySet[Any], state: str) -> QuerySet[Any]:
        """Rows of one chip; override where a state is derived."""
        return rows.filter(**{self.state_field: state})

    def get_csv_columns(self) -> Sequence[Column]:
        return self.csv_columns or self.columns

    # how it is answered

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return turned_away(request, self.permission) or super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if self.csv_name and request.GET.get("format") == "csv":
            return stream_csv(self.csv_name, self.get_csv_columns(), self.get_queryset())
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        rows = self.get_rows()
        if self.words and self.searchable:
            rows = self.search_rows(rows, self.words)
        if self.state:
            rows = self.filter_state(rows, self.state)
        for asked in self.asked:
            rows = asked.apply(rows)
        return self._sorted(rows)

    @property
    def words(self) -> str:
        return searched(self.request.GET)

    @property
    def searchable(self) -> bool:
        return bool(self.search) or type(self).search_rows is not ListPage.search_rows

    @property
    def state(self) -> str:
        asked = self.request.GET.get("state", "")
        return asked if asked in {str(key) for key, label in self.states} else ""

    @cached_property
    def asked(self) -> list[Asked]:
        """Every filter with what the address asks of it."""
        return [each.of(self.request) for each in self.filters]

    @property
    def sort(self) -> str:
        known = {column.name for column in self.columns if column.sort}
        asked = self.request.GET.get("sort", "")
        return asked if asked.removeprefix("-") in known else self.default_sort

    def _sorted(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        by_name = {column.name: column.sort for column in self.columns if column.sort}
        fields = by_name.get(self.sort.removeprefix("-"))
        if not fields:
            return rows if rows.ordered else rows.order_by("pk")
        keys = [fields] if isinstance(fields, str) else list(fields)
        # The key makes the order total, so that no row falls between two pages.
        keys = [*keys, "pk"] if "pk" not in keys else keys
        if not self.sort.startswith("-"):
            return rows.order_by(*keys)
        # What may be empty stands last in either direction.
        empty = {column.name for column in self.columns if column.may_be_empty}
        first = F(keys[0]).desc(nulls_last=True) if self.sort[1:] in empty else f"-{keys[0]}"
        return rows.order_by(first, *(f"-{key}" for key in keys[1:]))

    def get_page(self) -> Page[Any]:
        return Paginator(self.object_list, self.per_page).get_page(self.request.GET.get("page"))

    def href(self, **changes: str | None) -> str:
        """The address of this page with something in it changed; begins again at page one."""
        query = self.request.GET.copy()
        for name, value in {"page": None, "format": None, **changes}.items():
            query.pop(name, None)
            if value:
                query[name] = value
        for name in [name for name, values in query.lists() if not any(values)]:
            del query[name]
        return f"{self.request.path}?{query.urlencode()}" if query else self.request.path

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        page = self.get_page()
        asked = [each for each in self.asked if each.value]
        without = dict.fromkeys(each.name for each in self.filters)
        narrowed = bool(self.words or self.state or asked)
        return {
            "view": self,
            "title": self.title,
            "intro": self.intro,
            "heads": [Head.of(column, self.sort, self.href) for column in self.columns],
            "rows": Row.all_of(self.columns, page.object_list),
            "page_obj": page,
            "previous_href": page.has_previous() and self.href(page=str(page.number - 1)),
            "next_href": page.has_next() and self.href(page=str(page.number + 1)),
            "total": page.paginator.count,
            "words": self.words,
            "chips": list(self._chips()),
            "kept": list(self._kept()),
            "csv_href": self.csv_name and self.href(format="csv"),
            "clear_href": narrowed and self.href(q=None, state=None, **without),
            "asked": self.asked,
            "narrowed": [
                Narrowed(a.filter.title, a.shown, self.href(**{a.filter.name: None})) for a in asked
            ],
            "actions": [action for action in self.actions if action.open_to(self.request.user)],
            "empty": self.empty,
            **kwargs,
        }

    def _chips(self) -> Iterator[Chip]:
        if self.states:
            yield Chip(_("All"), self.href(state=None), not self.state)
        for key, label in self.states:
            yield Chip(label, self.href(state=str(key)), str(key) == self.state)

    def _kept(self) -> Iterator[tuple[str, str]]:
        """What the search form must carry along so that searching keeps chip and order."""
        for name, values in self.request.GET.lists():
            if name not in {"q", "page", "format"} | {each.name for each in self.filters}:
                yield from ((name, value) for value in values)

    def get_template_names(self) -> list[str]:
        return [self.partial_name if is_partial(self.request) else self.template_name]
