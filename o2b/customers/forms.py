"""The forms of an account: opened with its customer, then changed where it may change."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _

from o2b.customers.families import Tie
from o2b.customers.layouts import ACCOUNT_SENDING, LANGUAGES, Grouping, Split
from o2b.customers.models import Account, Customer, LegalEntity

User = get_user_model()


class AccountForm(forms.Form):
    """What may be changed of an account at any time."""

    name = forms.CharField(label=_("Name of the account"), max_length=200)
    customer_name = forms.CharField(
        label=_("Customer"), max_length=200, help_text=_("The person or company that signs.")
    )
    segment = forms.SlugField(
        label=_("Segment"), required=False, help_text=_("Chooses the price book.")
    )
    advocate = forms.ModelChoiceField(
        label=_("Advocate"),
        queryset=User.objects.none(),
        help_text=_("The sales rep who answers for it."),
    )
    bill_day = forms.IntegerField(label=_("Bill day"), min_value=1, max_value=31, initial=1)
    bill_group = forms.SlugField(
        label=_("Bill group"),
        required=False,
        help_text=_("Accounts of one group can be billed by themselves."),
    )
    time_zone = forms.CharField(
        label=_("Time zone"),
        initial="UTC",
        help_text=_("Like Europe/Berlin: its days are counted there."),
    )
    payment_days = forms.IntegerField(
        label=_("Days to pay"), min_value=0, max_value=365, initial=14
    )
    tax_exempt = forms.BooleanField(label=_("Exempt from tax"), required=False)
    address = forms.CharField(
        label=_("Address"), required=False, max_length=1000, widget=forms.Textarea({"rows": 3})
    )
    sending = forms.ChoiceField(
        label=_("Invoices"),
        required=False,
        choices=[("", _("as the seller does")), *ACCOUNT_SENDING],
    )
    bill_to = forms.EmailField(
        label=_("Mail invoices to"),
        required=False,
        help_text=_("Empty: to the contact of the customer."),
    )
    invoice_grouping = forms.ChoiceField(
        label=_("Lines together"),
        required=False,
        choices=[("", _("as the seller does")), *Grouping.choices[1:]],
    )
    invoice_split = forms.ChoiceField(
        label=_("Split bills"),
        required=False,
        choices=Split.choices,
        help_text=_("Each purchase order, site or item gets an invoice of its own."),
    )
    minimum_invoice = forms.DecimalField(
        label=_("Smallest bill"),
        required=False,
        min_value=0,
        max_digits=19,
        decimal_places=4,
        help_text=_("A smaller one waits for the next run. Empty: as the seller; 0: none waits."),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("that of its country")), *LANGUAGES],
        help_text=_("Of its invoices and letters."),
    )
    parent = forms.CharField(
        label=_("Belongs to"),
        required=False,
        max_length=40,
        help_text=_("The number of the account above it; empty: none."),
    )
    billed_to_parent = forms.BooleanField(
        label=_("Billed to the account above"),
        required=False,
        help_text=_("Its lines are on that account’s bills, from the next bill run on."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reps = User.objects.filter(is_active=True).order_by("last_name", "first_name", "username")
        self.fields["advocate"].queryset = reps  # type: ignore[attr-defined]

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"]
        if zone not in available_timezones():
            raise forms.ValidationError(_("This is no time zone."))
        return zone

    def clean_parent(self) -> int | None:
        named = self.cleaned_data["parent"]
        if not named:
            return None
        pk = Account.objects.filter(reference=named).values_list("pk", flat=True).first()
        if pk is None:
            raise forms.ValidationError(_("There is no account of this number."))
        return pk

    def told(self) -> dict[str, Any]:
        """What was said, as the services take it."""
        said = dict(self.cleaned_data)
        said["advocate_id"] = said.pop("advocate").pk
        said["tied"] = Tie(said.pop("parent"), said.pop("billed_to_parent"))
        return said

    @staticmethod
    def of(account: Account) -> dict[str, Any]:
        """What stands in the fields at first."""
        names = ("name", "advocate", "bill_day", "bill_group", "time_zone")
        return {
            **{name: getattr(account, name) for name in names},
            **{name: getattr(account, name) for name in ("payment_days", "tax_exempt", "address")},
            "customer_name": account.customer.name,
            "segment": account.customer.segment,
            "sending": account.sending,
            "bill_to": account.bill_to,
            "invoice_grouping": account.invoice_grouping,
            "invoice_split": account.invoice_split,
            "minimum_invoice": account.minimum_invoice,
            "language": account.customer.language,
            "parent": account.parent.reference if account.parent else "",
            "billed_to_parent": account.billed_to_parent,
        }


class NewAccountForm(AccountForm):
    """What is said once: number, seller, currency; and the customer, known or new."""

    field_order = ("reference", "name", "customer", "customer_name", "segment", "legal_entity")

    reference = forms.CharField(label=_("Account number"), max_length=40)
    customer = forms.ModelChoiceField(
        label=_("Known customer"),
        queryset=Customer.objects.none(),
        required=False,
        empty_label=_("a new one"),
    )
    customer_name = forms.CharField(
        label=_("New customer"),
        max_length=200,
        required=False,
        help_text=_("Empty: named like the account."),
    )
    legal_entity = forms.ModelChoiceField(
        label=_("Seller"), queryset=LegalEntity.objects.all(), empty_label=None
    )
    currency = forms.CharField(
        label=_("Currency"),
        required=False,
        max_length=3,
        help_text=_("Empty: the seller’s. It stays for ever."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A second account is opened from the customer's first; a list of all would be too long.
        asked = str(self.data.get("customer") or self.initial.get("customer") or "")
        digits = asked.isascii() and asked.isdigit() and len(asked) < 18
        known = Customer.objects.filter(pk=int(asked)) if digits else None
        if known is not None and known.exists():
            self.fields["customer"].queryset = known  # type: ignore[attr-defined]
        else:
            del self.fields["customer"]

    def told(self) -> dict[str, Any]:
        said = super().told()
        customer, entity = said.pop("customer", None), said.pop("legal_entity")
        said |= {"legal_entity_id": entity.pk, "currency": said["currency"].upper()}
        return said | {"customer_id": customer.pk if customer else None}
