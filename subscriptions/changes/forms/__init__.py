"""The fields of each act: what it becomes, and from when."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from o2b.customers.selectors import accounts_meant
from o2b.web.forms import DecimalInput
from subscriptions.changes.forms.base import WITHOUT_NOTICE, ChangeForm
from subscriptions.changes.forms.described import MoveForm, ProductForm
from subscriptions.models import SuspensionBilling

__all__ = ["FORMS", "ChangeForm"]


class QuantityForm(ChangeForm):
    first = ("quantity",)
    is_deliverable = True

    quantity = forms.CharField(
        label=gettext_lazy("Quantity"), max_length=40, widget=DecimalInput, strip=True
    )

    def prepare(self) -> None:
        unit = self.desk.version.product.unit
        self.initial["quantity"] = f"{self.desk.now.quantity.normalize():f}"
        self.fields["quantity"].help_text = _("How many in all from then on (%(unit)s).") % {
            "unit": unit
        }

    def told(self) -> dict[str, Any]:
        return {"quantity": self.cleaned_data["quantity"]}


class NoticeForm(ChangeForm):
    """A change that is told so many days before; who approves work may do without."""

    waive_notice = forms.BooleanField(label=WITHOUT_NOTICE, required=False)

    def prepare(self) -> None:
        if not self.may_waive:
            del self.fields["waive_notice"]

    def told(self) -> dict[str, Any]:
        return {"waive_notice": self.cleaned_data.get("waive_notice", False)}


class PriceForm(NoticeForm):
    """What describes the service stays as it is on that day."""


class VersionForm(ChangeForm):
    first = ("version",)
    is_deliverable = True

    version = forms.TypedChoiceField(label=gettext_lazy("Version"), coerce=int)

    def prepare(self) -> None:
        published = self.desk.version.product.versions.exclude(
            state=ProductVersion.State.DRAFT
        ).exclude(pk=self.desk.version.pk)
        numbers = published.order_by("-number").values_list("number", flat=True)
        words = [(number, _("version %(n)s") % {"n": number}) for number in numbers]
        self.fields["version"].choices = words  # type: ignore[attr-defined]
        if not words:
            self.fields["version"].help_text = _("No other version of it is published.")

    def told(self) -> dict[str, Any]:
        return {"version": self.cleaned_data["version"]}


class SuspendForm(ChangeForm):
    first = ("billing", "fee_product")

    billing = forms.ChoiceField(
        label=gettext_lazy("Billed meanwhile"),
        choices=SuspensionBilling.choices,
        widget=forms.RadioSelect,
        initial=SuspensionBilling.NONE,
    )
    fee_product = forms.ChoiceField(
        label=gettext_lazy("Holding fee"),
        required=False,
        help_text=gettext_lazy("The product whose price is the fee; for a holding fee only."),
    )

    def prepare(self) -> None:
        names = [(version.product.code, version.product.name) for version in self.on_sale]
        self.fields["fee_product"].choices = [("", "—"), *names]  # type: ignore[attr-defined]

    def told(self) -> dict[str, Any]:
        billing = self.cleaned_data["billing"]
        fee = self.cleaned_data["fee_product"] if billing == SuspensionBilling.FEE else ""
        return {"billing": billing, "fee_product": fee}


class TransferForm(ChangeForm):
    first = ("to_account",)

    to_account = forms.CharField(
        label=gettext_lazy("To account"),
        max_length=200,
        help_text=gettext_lazy("Its number or its name."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )

    def clean_to_account(self) -> Account:
        found = accounts_meant(self.cleaned_data["to_account"])
        if not found:
            raise forms.ValidationError(_("No account has this number or name."))
        if len(found) > 1:
            names = ", ".join(account.reference for account in found[:5])
            message = _("Several accounts match: %(names)s. Choose one.")
            raise forms.ValidationError(message % {"names": names})
        if not found[0].is_open:
            raise forms.ValidationError(_("This account is closed."))
        return found[0]

    def told(self) -> dict[str, Any]:
        return {"to_account_id": self.cleaned_data["to_account"].pk}


class EndForm(NoticeForm):
    """The end of a term that was agreed may want its notice."""


class TakeBackForm(ChangeForm):
    """The day is the one of the change that is taken back."""

    withdraws = forms.CharField(widget=forms.HiddenInput, required=False, max_length=9)

    def prepare(self) -> None:
        del self.fields["when"], self.fields["on"]

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        told = found.get("withdraws", "")
        if not (told.isascii() and told.isdigit()):
            message = _("Choose the change that is to be taken back on the subscription’s page.")
            raise forms.ValidationError(message)
        return found

    def told(self) -> dict[str, Any]:
        return {"withdraws": int(self.cleaned_data["withdraws"])}


FORMS: dict[str, type[ChangeForm]] = {
    "quantity": QuantityForm,
    "product": ProductForm,
    "price": PriceForm,
    "version": VersionForm,
    "suspend": SuspendForm,
    "move": MoveForm,
    "transfer": TransferForm,
    "end": EndForm,
    "take-back": TakeBackForm,
}
