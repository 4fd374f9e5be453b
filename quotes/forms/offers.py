"""The quote editor: a header and lines with discounts, and what the draft comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from quotes.forms.headers import HeaderForm
from quotes.forms.lines import EditorLine
from quotes.forms.wishes import LineEditor, read_lines
from quotes.models import Quote


@dataclass
class Editor(LineEditor):
    """The whole editor of a quote."""

    @classmethod
    def read(cls, data: Mapping[str, str], products: list[ProductVersion]) -> "Editor":
        """What the browser sent."""
        return cls(HeaderForm(data), read_lines(data), products)

    @classmethod
    def of(
        cls, quote: Quote | None, products: list[ProductVersion], initial: dict[str, Any]
    ) -> "Editor":
        """A stored draft, or a blank one with one line."""
        if quote is None:
            return cls(HeaderForm(initial=initial), [EditorLine()], products)
        stored = quote.lines.select_related("product_version__product").order_by("position")
        lines = [EditorLine.of(line) for line in stored]
        header = {
            "account": quote.account.reference,
            "title": quote.title,
            "valid_until": quote.valid_until,
            "start_on": quote.start_on,
        }
        return cls(HeaderForm(initial=header), lines or [EditorLine()], products)

    @property
    def account(self) -> Account | None:
        """The account, once the browser has named one."""
        if not self.header.is_bound:
            return None
        self.header.is_valid()
        return cast("Account | None", self.header.cleaned_data.get("account"))

    @property
    def start_on(self) -> date | None:
        return cast("date | None", self.header.cleaned_data.get("start_on"))
