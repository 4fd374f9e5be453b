"""The whole editor of a quote of changes: header, services, products to add, what it brings."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from o2b.errors import Refused
from quotes.forms import EditorLine, LineEditor, read_lines
from quotes.models import Quote
from subscriptions.models import Item
from subscriptions.quoting.delta import Delta
from subscriptions.quoting.drafting import ChangeDraft
from subscriptions.quoting.forms.headers import HeaderForm
from subscriptions.quoting.forms.known import known_services, services_to_quote
from subscriptions.quoting.forms.wanted import ServiceForm, row_of
from subscriptions.quoting.inputs import Action
from subscriptions.quoting.planning import MOST_CHANGES
from subscriptions.quoting.selectors import quoted_changes

AT_SERVICE = re.compile(r"changes\[(\d+)\](?:\.(.+))?")
FIELD = re.compile(r"changes-(\d{1,4})-(.{1,120})", re.DOTALL)
MOST_OFFERED = 500  # services in the list of those that can be added
Row = dict[str, str]


@dataclass
class ChangeEditor(LineEditor):
    """Between the browser's fields and a ChangeDraft; `delta` is what it brings, if that is known.

    The lines that it inherits are products to be added.
    """

    account: Account = field(kw_only=True)
    services: list[ServiceForm] = field(kw_only=True)
    delta: Delta | None = field(default=None, kw_only=True)
    why_not: str = field(default="", kw_only=True)

    @classmethod
    def fresh(
        cls, account: Account, item_ids: Sequence[int], products: list[ProductVersion], today: date
    ) -> "ChangeEditor":
        """A blank quote of these services; it counts when the period of the first of them ends."""
        known = known_services(account, item_ids, today=today)
        first = next((known[pk] for pk in item_ids if pk in known), None)
        day = first.next_day(today) if first else today + timedelta(days=1)
        header = HeaderForm(initial={"start_on": day, "valid_until": day})
        rows = [{"item": str(pk)} for pk in item_ids]
        return cls(
            header, [], products, account=account, services=_forms(account, rows, products, today)
        )

    @classmethod
    def of(cls, quote: Quote, products: list[ProductVersion], today: date) -> "ChangeEditor":
        """A stored draft."""
        stored = quote.lines.filter(action=Action.ADD).order_by("position")
        lines = stored.select_related("product_version__product")
        header = {name: getattr(quote, name) for name in ("title", "start_on", "valid_until")}
        rows = [row_of(change) for change in quoted_changes(quote.pk)]
        return cls(
            HeaderForm(initial=header),
            [EditorLine.of(line) for line in lines],
            products,
            account=quote.account,
            services=_forms(quote.account, rows, products, today),
        )

    @classmethod
    def read(
        cls, data: Mapping[str, str], account: Account, products: list[ProductVersion], today: date
    ) -> "ChangeEditor":
        """What the browser sent, rearranged: "serve" adds a service, "drop-0" takes one off."""
        rows = _rearranged(_rows(data), data)
        editor = cls(
            HeaderForm(data),
            read_lines(data),
            products,
            account=account,
            services=_forms(account, rows, products, today),
        )
        editor.rearrange(data.get("do", ""))
        return editor

    @property
    def others(self) -> list[Item]:
        """Services of the account that are not on the quote yet."""
        chosen = [form.known.item.pk for form in self.services if form.known]
        return list(services_to_quote(self.account).exclude(pk__in=chosen)[:MOST_OFFERED])

    @property
    def is_empty(self) -> bool:
        return not self.services and not self.lines

    @property
    def draft(self) -> ChangeDraft | None:
        """What was said, as services take it; None where a field cannot be read."""
        readable = [self.header.is_valid(), *(form.is_valid() for form in self.services)]
        if not all(readable):
            return None
        told: dict[str, Any] = self.header.cleaned_data
        return self._draft(told["title"], told["start_on"], told["valid_until"])

    @property
    def shown_draft(self) -> ChangeDraft | None:
        """The same of a page that nobody has sent yet."""
        if self.header.is_bound:
            return self.draft
        told = self.header.initial
        readable = [form.is_valid() for form in self.services]
        if not all(readable):
            return None
        return self._draft("", told["start_on"], told["valid_until"])

    def _draft(self, title: str, start_on: date, valid_until: date | None) -> ChangeDraft:
        return ChangeDraft(
            account_id=self.account.pk,
            title=title,
            start_on=start_on,
            valid_until=valid_until or start_on,
            changes=[form.wish for form in self.services],
            lines=self.wishes,
        )

    def blame(self, fault: Refused, *, gently: bool = False) -> None:
        """Put a refusal beside its field; gently, not where nothing has been said yet."""
        at = AT_SERVICE.fullmatch(fault.field or "")
        if at and int(at[1]) < len(self.services):
            self.services[int(at[1])].blame(at[2] or "", fault.message, gently=gently)
            return
        super().blame(fault, gently=gently)


def _forms(
    account: Account, rows: Sequence[Row], products: Sequence[ProductVersion], today: date
) -> list[ServiceForm]:
    keys = [_key(row.get("item", "")) for row in rows]
    known = known_services(account, [key for key in keys if key], today=today)
    on_sale = {version.product.code: version for version in products}
    return [
        ServiceForm(row, index=index, known=known.get(key), on_sale=on_sale)
        for index, (row, key) in enumerate(zip(rows, keys, strict=True))
    ]


def _rows(data: Mapping[str, str]) -> list[Row]:
    """Service by service what the browser sent, however mangled."""
    rows: dict[int, Row] = {}
    for name in data:
        if at := FIELD.fullmatch(name):
            rows.setdefault(int(at[1]), {})[at[2]] = data[name]
    return [rows[index] for index in sorted(rows)][: MOST_CHANGES + 1]


def _rearranged(rows: list[Row], data: Mapping[str, str]) -> list[Row]:
    verb, _dash, digits = data.get("do", "").partition("-")
    if verb == "serve" and (key := _key(data.get("service", ""))):
        return [*rows, {"item": str(key)}]
    if verb == "drop":
        return [row for index, row in enumerate(rows) if str(index) != digits]
    return rows


def _key(said: str) -> int:
    """A key as it may stand in a field; 0 where it is none."""
    fits = said.isascii() and said.isdigit() and len(said) < 18
    return int(said) if fits else 0
