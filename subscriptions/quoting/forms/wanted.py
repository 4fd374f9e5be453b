"""One service on a quote of changes: what is done to it, and the fields that this needs."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from o2b.catalog.models import ProductVersion
from o2b.catalog.rules.definitions import number_of
from o2b.web.forms import DayField, DecimalInput
from o2b.web.show import day_text, number_text
from o2b.web.words import unit_words
from quotes.forms.lines import EditorLine
from subscriptions.changes.describing import kept_characteristics
from subscriptions.changes.fields import field_for, said
from subscriptions.changes.services import LONGEST_REASON
from subscriptions.models import Renewal
from subscriptions.quoting.forms.headers import described
from subscriptions.quoting.forms.known import Known
from subscriptions.quoting.inputs import Action, ChangeInput, PriceOf

ACTIONS = [
    (Action.CHANGE, gettext_lazy("Change product, quantity or price")),
    (Action.RENEW, gettext_lazy("Renew for another term")),
    (Action.CO_TERM, gettext_lazy("Let its term end on another day")),
    (Action.END, gettext_lazy("End")),
]
PRICES = [
    (PriceOf.AGREED, gettext_lazy("as agreed")),
    (PriceOf.CURRENT, gettext_lazy("by contract and price list of that day")),
]
WHAT = ("product", "quantity", "price", "discount_percent")
# What each action asks, in this order.
ASKED: Mapping[str, Sequence[str]] = {
    Action.CHANGE: (*WHAT, "on"),
    Action.RENEW: ("months", "renewal", "uplift_percent", "notice_days", *WHAT, "on"),
    Action.CO_TERM: ("to",),
    Action.END: ("on", "reason"),
}
NAMED = "c-"  # before the name of a characteristic
FIRST_MONTHS = 12
# What asks for other fields when it changes: the whole editor is shown anew.
RENEWS = {"hx-post": "", "hx-trigger": "change", "hx-target": "#editor"}
EMPTY = gettext_lazy("Empty: the day from which the quote counts.")


class ServiceForm(forms.Form):
    """What is wanted of one service; `known` is None where the account has no such service."""

    item = forms.IntegerField(widget=forms.HiddenInput)
    action = forms.ChoiceField(label=gettext_lazy("What is done"), choices=ACTIONS)
    months = forms.IntegerField(
        label=gettext_lazy("Months"),
        required=False,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )
    renewal = forms.ChoiceField(
        label=gettext_lazy("When it ends, it"),
        required=False,
        choices=[("", gettext_lazy("as agreed so far")), *Renewal.choices],
    )
    uplift_percent = forms.CharField(
        label=gettext_lazy("Uplift %"), required=False, max_length=20, widget=DecimalInput
    )
    notice_days = forms.IntegerField(
        label=gettext_lazy("Days of notice"),
        required=False,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        help_text=gettext_lazy("Empty: as agreed so far."),
    )
    # The service judges the product and says why not, so any text passes here.
    product = forms.CharField(
        label=gettext_lazy("Product"), required=False, max_length=200, widget=forms.Select
    )
    quantity = forms.CharField(
        label=gettext_lazy("Quantity"), required=False, max_length=40, widget=DecimalInput
    )
    price = forms.ChoiceField(label=gettext_lazy("Price"), choices=PRICES, initial=PriceOf.AGREED)
    discount_percent = forms.CharField(
        label=gettext_lazy("Discount %"), required=False, max_length=20, widget=DecimalInput
    )
    to = DayField(
        label=gettext_lazy("The term ends on"),
        required=False,
        help_text=gettext_lazy("The first day after it; no term ends earlier by this."),
    )
    on = DayField(label=gettext_lazy("On"), required=False, help_text=EMPTY)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.TextInput({"autocomplete": "off"}),
    )

    def __init__(
        self,
        row: Mapping[str, str],
        *,
        index: int,
        known: Known | None,
        on_sale: Mapping[str, ProductVersion],
    ) -> None:
        self.known, self.on_sale = known, on_sale
        prefix = f"changes-{index}"
        told = _usual(known) | dict(row)
        self.typed = {f"{prefix}-{name}": value for name, value in told.items()}
        super().__init__(self.typed, prefix=prefix)
        self.row, action = told, told.get("action", "")
        self.asked = ASKED.get(action, ASKED[Action.CHANGE])
        for name in [*self.fields]:
            if name not in ("item", "action", "reason", *self.asked):
                del self.fields[name]
        if "reason" not in self.asked:
            self.fields["reason"].widget = forms.HiddenInput()
        self._offer(told)
        for name in {"action", "product"} & self.fields.keys():
            self.fields[name].widget.attrs |= RENEWS
        self.order_fields(["item", "action", *self.asked])
        described(self)

    def _offer(self, told: Mapping[str, str]) -> None:
        """Say in the fields what the service is now, and ask what its product asks."""
        if self.known is None:
            return
        if "product" in self.fields:
            self._offer_product(told)
        if "to" in self.fields and self.known.term and self.known.term.ends_on:
            ends = _("Now it ends on %(day)s.") % {"day": day_text(self.known.term.ends_on)}
            self.fields["to"].help_text = f"{ends} {self.fields['to'].help_text}"
        if told.get("action") == Action.RENEW:
            self.fields["on"].help_text = _("Empty: when the term that runs ends.")

    def _offer_product(self, told: Mapping[str, str]) -> None:
        assert self.known is not None
        own, chosen = self.known.version.product, told.get("product", "")
        names = [("", _("%(product)s, as now") % {"product": own.name})]
        names += [(code, v.product.name) for code, v in self.on_sale.items() if code != own.code]
        if chosen and chosen not in dict(names):
            names.append((chosen, chosen))
        self.fields["product"].widget.choices = names
        count = self.known.span.quantity
        self.fields["quantity"].widget.attrs["placeholder"] = number_text(count)
        units = {"n": number_text(count), "unit": unit_words(own.unit, count)}
        self.fields["quantity"].help_text = _("Now %(n)s %(unit)s; empty: as many.") % units
        version = self.on_sale.get(chosen) if chosen else self._own_version
        asked = {name.removeprefix(NAMED): v for name, v in told.items() if name.startswith(NAMED)}
        line = EditorLine(version=version, characteristics=self._now(version) | asked)
        after = [*self.asked]
        for choice in reversed(line.choices):
            self.fields[NAMED + choice.name] = field_for(choice)
            self.typed.setdefault(self.add_prefix(NAMED + choice.name), choice.value)
            after.insert(after.index("quantity"), NAMED + choice.name)
        self.asked = tuple(after)

    @property
    def _own_version(self) -> ProductVersion:
        assert self.known is not None
        return self.on_sale.get(self.known.version.product.code, self.known.version)

    def _now(self, version: ProductVersion | None) -> dict[str, str]:
        """What describes the service now, as fields show it."""
        assert self.known is not None
        kept = kept_characteristics(version, self.known.characteristics)
        return {name: said(value) for name, value in kept.items()}

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if self.known is None:
            raise forms.ValidationError(_("The account has no such service."))
        return found

    @property
    def wish(self) -> ChangeInput:
        """What was said, for the engine to judge; what is empty stays as it is."""
        found = {name: self.cleaned_data.get(name) for name in (*self.asked, "reason")}
        told = {name: value for name, value in found.items() if value not in (None, "")}
        said_so = {
            name.removeprefix(NAMED): told.pop(name) for name in [*told] if name.startswith(NAMED)
        }
        if "product" in self.fields and not told.get("product"):
            now = self._now(self._own_version)
            said_so = {name: value for name, value in said_so.items() if now.get(name) != value}
        if number_of(told.get("discount_percent")) == 0:
            del told["discount_percent"]
        return ChangeInput(
            item_id=self.cleaned_data["item"],
            action=self.cleaned_data["action"],
            characteristics=said_so or None,
            **told,
        )

    def blame(self, place: str, message: str, *, gently: bool = False) -> None:
        """Put a fault beside its field, or at the head of the service; gently, where it is said."""
        name = place.replace("characteristics.", NAMED, 1)
        shown = name in self.fields and not self.fields[name].widget.is_hidden
        if gently and (not shown or not self.row.get(name)):
            return
        if message not in self.errors.get(name if shown else NON_FIELD_ERRORS, []):
            self.add_error(name if shown else None, message)


def row_of(change: ChangeInput) -> dict[str, str]:
    """A stored change as the fields show it."""
    told = {
        name: said(getattr(change, name))
        for name in ("action", "reason", *{name for asked in ASKED.values() for name in asked})
    }
    if told["discount_percent"] == "0":
        told["discount_percent"] = ""
    described_so = {NAMED + name: said(v) for name, v in (change.characteristics or {}).items()}
    return told | described_so | {"item": str(change.item_id)}


def _usual(known: Known | None) -> dict[str, str]:
    """What stands in fields that the browser has not shown yet."""
    term = known.term if known else None
    months = term.months if term and term.months else FIRST_MONTHS
    return {"action": str(Action.CHANGE), "price": str(PriceOf.AGREED), "months": str(months)}
