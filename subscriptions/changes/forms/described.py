"""Changes that ask for what describes a product: another product, another address."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from o2b.catalog.models import ProductVersion
from o2b.errors import Refused
from o2b.web.forms import DecimalInput
from quotes.forms.lines import EditorLine
from subscriptions.changes.asking import place_of
from subscriptions.changes.describing import ADDRESS, kept_characteristics
from subscriptions.changes.fields import field_for, said
from subscriptions.changes.forms.base import NAMED, WITHOUT_NOTICE, ChangeForm


class DescribedForm(ChangeForm):
    """Asks for what describes a product, one field a characteristic."""

    is_deliverable = True

    def describe(self, version: ProductVersion | None, has: Mapping[str, Any]) -> None:
        line = EditorLine(version=version, characteristics={k: said(v) for k, v in has.items()})
        for choice in line.choices:
            self.fields[NAMED + choice.name] = field_for(choice)
            self.initial[NAMED + choice.name] = choice.value
        # As it is now, or as the product has it.
        self.offered = {choice.name: choice.value for choice in line.choices}
        if self.is_bound:
            # What the page did not ask yet.
            known = {NAMED + name: value for name, value in self.offered.items()}
            self.data = known | {name: self.data[name] for name in self.data}
        self.first = [*self.first, *(NAMED + choice.name for choice in line.choices)]

    def described(self) -> dict[str, str]:
        """Each characteristic that was told."""
        named = [name for name in self.fields if name.startswith(NAMED)]
        told = {name.removeprefix(NAMED): self.cleaned_data.get(name, "") for name in named}
        return {name: value for name, value in told.items() if value}


class ProductForm(DescribedForm):
    first = ("product", "quantity")

    product = forms.ChoiceField(label=gettext_lazy("Product"))
    quantity = forms.CharField(
        label=gettext_lazy("Quantity"), max_length=40, widget=DecimalInput, required=False
    )
    # The same product at a list's price that is dearer wants the notice of the list.
    waive_notice = forms.BooleanField(label=WITHOUT_NOTICE, required=False)

    def prepare(self) -> None:
        if not self.may_waive:
            del self.fields["waive_notice"]
        known = {version.product.code: version for version in self.on_sale}
        names = [(code, version.product.name) for code, version in known.items()]
        self.fields["product"].choices = [("", _("Choose a product…")), *names]  # type: ignore[attr-defined]
        self.initial["quantity"] = f"{self.desk.now.quantity.normalize():f}"
        self.fields["quantity"].help_text = _("Empty: as many as now.")
        chosen = known.get(self.data.get("product", ""))
        self.describe(chosen, kept_characteristics(chosen, self.desk.characteristics))

    def told(self) -> dict[str, Any]:
        quantity = self.cleaned_data["quantity"] or None
        if quantity == f"{self.desk.now.quantity.normalize():f}":
            quantity = None
        return {
            "product": self.cleaned_data["product"],
            "quantity": quantity,
            "characteristics": self.different(),
            "waive_notice": self.cleaned_data.get("waive_notice", False),
        }

    def different(self) -> dict[str, str | None]:
        """What was said to be otherwise than it is now; the rest stays as it is on that day."""
        told = self.described()
        return {
            name: told.get(name)
            for name, value in self.offered.items()
            if told.get(name, "") != value
        }


class MoveForm(DescribedForm):
    def prepare(self) -> None:
        self.describe(self.desk.version, self.desk.characteristics)
        if not self.first:
            self.fields[NAMED + ADDRESS] = forms.CharField(
                label=_("Address"),
                required=False,
                max_length=500,
                widget=forms.TextInput({"autocomplete": "off"}),
            )
            self.initial[NAMED + ADDRESS] = said(self.desk.characteristics.get(ADDRESS))
            self.first = [NAMED + ADDRESS]

    def told(self) -> dict[str, Any]:
        now = {name: said(value) for name, value in self.desk.characteristics.items()}
        new = {name: value for name, value in self.described().items() if now.get(name) != value}
        return {"characteristics": new}

    def blame(self, refusal: Refused) -> None:
        if place_of(refusal) == "characteristics":
            self.add_error(self.first[0], refusal.message)
        else:
            super().blame(refusal)
