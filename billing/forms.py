"""The two things that people fill in: a run to open, a payment received."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import BillRun
from o2b.customers.models import Account, LegalEntity
from o2b.customers.selectors import accounts_meant
from o2b.money import minor_unit
from o2b.web.forms import AmountField, DayField

METHODS = [
    ("bank transfer", gettext_lazy("Bank transfer")),
    ("direct debit", gettext_lazy("Direct debit")),
    ("card", gettext_lazy("Card")),
    ("cheque", gettext_lazy("Cheque")),
    ("cash", gettext_lazy("Cash")),
    ("other", gettext_lazy("Other")),
]


class RunForm(forms.Form):
    """Which seller's accounts are billed, up to which day; for good, or as a rehearsal."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What for"),
        choices=[
            (BillRun.Kind.BILLS, gettext_lazy("Bills, to be approved and sent")),
            (BillRun.Kind.REHEARSAL, gettext_lazy("Rehearsal, to look at and throw away")),
        ],
        required=False,
    )
    legal_entity = forms.ModelChoiceField(
        LegalEntity.objects.all(), label=gettext_lazy("Legal entity"), empty_label=None
    )
    on = DayField(
        label=gettext_lazy("Up to and including"),
        help_text=gettext_lazy("Everything due by this day is billed; it is the invoices' date."),
    )
    bill_day = forms.IntegerField(
        label=gettext_lazy("Bill day"),
        min_value=1,
        max_value=31,
        required=False,
        help_text=gettext_lazy("Only accounts with this bill day; empty: every day."),
    )
    bill_group = forms.SlugField(
        label=gettext_lazy("Bill group"),
        required=False,
        help_text=gettext_lazy("Only accounts of this group; empty: all."),
    )

    def told(self) -> dict[str, Any]:
        """What was said, as the service takes it."""
        said = dict(self.cleaned_data)
        said["legal_entity_id"] = said.pop("legal_entity").pk
        said["kind"] = said["kind"] or BillRun.Kind.BILLS
        return said


class ReasonForm(forms.Form):
    """Why something final is taken back."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=2000,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("It stays with the credit note."),
    )


class PaymentForm(forms.Form):
    """Money received, for an account or for one of its invoices."""

    account = forms.CharField(
        label=gettext_lazy("Account"),
        help_text=gettext_lazy("Its number or its name."),
        max_length=200,
    )
    amount = AmountField(
        label=gettext_lazy("Amount"), max_digits=19, decimal_places=4, localize=False
    )
    on = DayField(label=gettext_lazy("Received on"))
    method = forms.ChoiceField(label=gettext_lazy("Method"), choices=METHODS)
    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        required=False,
        max_length=140,
        help_text=gettext_lazy("As on the bank statement."),
    )

    def clean_account(self) -> Account:
        found = accounts_meant(self.cleaned_data["account"])
        if not found:
            raise forms.ValidationError(_("No account has this number or name."))
        if len(found) > 1:
            names = ", ".join(account.reference for account in found[:5])
            raise forms.ValidationError(
                _("Several accounts match: %(names)s. Choose one.") % {"names": names}
            )
        return found[0]

    def field_of(self, refused: str | None) -> str | None:
        """Where a refusal of the service is shown."""
        return {"allocations": "amount"}.get(refused or "", refused)


def written(amount: Decimal, currency: str) -> str:
    """An amount as a person would type it: the currency's decimals, no grouping."""
    return f"{amount.quantize(minor_unit(currency)):f}"


def initial_payment(**given: Any) -> dict[str, Any]:
    """Only what is known."""
    return {name: value for name, value in given.items() if value is not None}
