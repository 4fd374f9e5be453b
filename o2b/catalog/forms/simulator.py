"""The question that the price simulator answers, as a form that an address can hold."""

from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from o2b.catalog.characteristics import check_characteristics
from o2b.catalog.definitions import on_sale
from o2b.catalog.models import Product, ProductVersion
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.quantities import check_quantity
from o2b.customers.models import Account
from o2b.customers.selectors import accounts_meant
from o2b.errors import Refused
from o2b.web.forms import AmountField, DayField

C = "c-"  # before the name of a characteristic
LONGEST_MONTHS = 60


class Question(forms.Form):
    """What would so many of a product from a day on cost on an account?"""

    account = forms.CharField(
        label=_("Account"), max_length=200, help_text=_("Its number or its name.")
    )
    product = forms.CharField(label=_("Product"), max_length=60)
    quantity = AmountField(
        label=_("Quantity"), max_digits=18, decimal_places=6, initial="1", min_value=0
    )
    start = DayField(label=_("Service from"))
    discount = AmountField(
        label=_("Discount, in %"),
        required=False,
        max_digits=9,
        decimal_places=6,
        min_value=-100,
        max_value=100,
    )
    usage = AmountField(
        label=_("Used each month"),
        required=False,
        max_digits=18,
        decimal_places=6,
        min_value=0,
        help_text=_("For what is billed by usage."),
    )
    months = forms.IntegerField(
        label=_("Months to look ahead"),
        min_value=1,
        max_value=LONGEST_MONTHS,
        initial=6,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )

    account_found: Account | None = None
    version: ProductVersion | None = None
    characteristics: dict[str, Any]

    def __init__(self, data: QueryDict | None, *, today: date) -> None:
        super().__init__(data)
        self.initial = {"start": today, "quantity": "1", "months": 6}
        self.characteristics = {}
        code = str(data.get("product", "") if data else "").strip()
        self.version = on_sale([code]).get(code) if code else None
        for spec in self.version.characteristics if self.version else []:
            self.fields[f"{C}{spec['name']}"] = field_of(spec)

    @property
    def asked(self) -> list[forms.BoundField]:
        """The product's own fields."""
        return [self[name] for name in self.fields if name.startswith(C)]

    @property
    def main(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if not name.startswith(C)]

    def clean_account(self) -> str:
        words: str = self.cleaned_data["account"]
        found = accounts_meant(words)
        if not found:
            raise forms.ValidationError(_("There is no such account."))
        if len(found) > 1:
            some = ", ".join(account.reference for account in found[:5])
            message = _("Several accounts match: %(some)s.") % {"some": some}
            raise forms.ValidationError(message)
        self.account_found = found[0]
        return words

    def clean_product(self) -> str:
        code: str = self.cleaned_data["product"]
        if self.version is None:
            if Product.objects.filter(code=code.replace("\0", "")).exists():
                raise forms.ValidationError(_("This product is not on sale."))
            raise forms.ValidationError(_("There is no such product."))
        return code

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if self.version is None:
            return said
        if "quantity" in said:
            try:
                check_quantity(self.version.product, said["quantity"])
            except Refused as fault:
                self.add_error("quantity", fault.message)
        given = {
            spec["name"]: value
            for spec in self.version.characteristics
            if (value := self.data.get(f"{C}{spec['name']}", "").strip())
        }
        try:
            self.characteristics = check_characteristics(
                self.version.characteristics, given, field="c"
            )
        except Refused as fault:
            name = f"{C}{(fault.field or '').partition('.')[2]}"
            self.add_error(name if name in self.fields else None, fault.message)
        return said


def products_on_sale() -> list[Product]:
    """What can be asked for."""
    found = Product.objects.filter(versions__state=Lifecycle.PUBLISHED).distinct()
    return list(found.order_by("family", "name", "code"))


def field_of(spec: dict[str, Any]) -> forms.Field:
    """One characteristic as a field; whether it fits is said by `check_characteristics`."""
    label = str(spec.get("label") or spec["name"]).capitalize()
    if unit := spec.get("unit"):
        label = f"{label} ({unit})"
    given: dict[str, Any] = {"label": label, "required": False, "initial": spec.get("default")}
    kind = spec.get("type")
    if kind == "choice":
        choices = [("", ""), *((str(c), str(c)) for c in spec.get("choices", []))]
        return forms.ChoiceField(choices=choices, **given)
    if kind == "boolean":
        choices = [("", ""), ("true", gettext("yes")), ("false", gettext("no"))]
        return forms.ChoiceField(choices=choices, **given)
    widget = forms.TextInput({"inputmode": "decimal"} if kind in ("integer", "decimal") else {})
    return forms.CharField(max_length=500, widget=widget, **given)
