"""The order team's editor: account, lines without prices, start; what is wrong with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy

from o2b.catalog.models import ProductVersion
from o2b.web.forms import DayField
from orders.models import Priority
from quotes.forms import AccountForm, LineEditor, read_lines


class OrderForm(AccountForm):
    """What an order says above its lines."""

    work_from = DayField(
        label=gettext_lazy("Work from"),
        required=False,
        help_text=gettext_lazy("Nothing is begun before this day; empty: at once."),
    )
    promised_on = DayField(
        label=gettext_lazy("Promised for"),
        required=False,
        help_text=gettext_lazy("The day by which we said we would deliver."),
    )
    priority = forms.TypedChoiceField(
        label=gettext_lazy("Priority"),
        choices=Priority.choices,
        coerce=int,
        required=False,
        initial=Priority.NORMAL,
        empty_value=0,  # type: ignore[arg-type]  # as the model says it: normal
    )
    po_number = forms.CharField(
        label=gettext_lazy("Purchase order"),
        required=False,
        max_length=60,
        help_text=gettext_lazy("The customer’s own number of it; it stands on the invoice."),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 2}),
    )
    legacy = forms.BooleanField(
        label=gettext_lazy(
            "Lines from a legacy form: translate retired products to their successors"
        ),
        required=False,
    )


@dataclass
class OrderEditor(LineEditor):
    """The editor of an order; `retired` products stand for their successors in a legacy form."""

    retired: list[tuple[ProductVersion, ProductVersion]] = field(default_factory=list)
    may_be_legacy: bool = False

    has_discounts: ClassVar[bool] = False

    @classmethod
    def read(cls, data: Mapping[str, str], products: list[ProductVersion]) -> "OrderEditor":
        """What the browser sent."""
        return cls(OrderForm(data), read_lines(data), products)

    @property
    def is_legacy(self) -> bool:
        return bool(self.header["legacy"].data)

    def known(self) -> Mapping[str, ProductVersion]:
        """What a line may name: a retired product too, where it comes from a legacy form."""
        successors = {old.product.code: new for old, new in self.retired}
        return {**successors, **super().known()}

    def forgive(self) -> None:
        """Say nothing of what nobody has filled in yet."""
        for name in [name for name in self.header.errors if not self.header[name].data]:
            del self.header.errors[name]

    def translate(self, retired: list[tuple[ProductVersion, ProductVersion]]) -> None:
        """Let lines name retired products."""
        self.retired = retired
        self.find_versions()
