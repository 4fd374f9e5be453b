"""What people fill in about payers: who pays which part from when on, and when that ends."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from billing.payers.selectors import Share
from billing.payers.services import LONGEST_REASON
from o2b.customers.models import Account
from o2b.customers.selectors import accounts_meant
from o2b.web.forms import AmountField, DayField
from subscriptions.models import Item

ROWS = 3  # on the page; the API takes more


class PayersForm(forms.Form):
    """Who pays a part of an account, or of one of its services."""

    service = forms.ModelChoiceField(
        Item.objects.none(),
        label=_("Of"),
        required=False,
        empty_label=_("everything that the account is billed"),
    )
    starts_on = DayField(
        label=_("From"),
        help_text=_("Billing periods that start on this day or later are shared; may be past."),
    )
    ends_on = DayField(label=_("Until before"), required=False, help_text=_("Empty: it goes on."))
    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        help_text=_("Who approves it reads this, such as the number of the programme."),
    )

    def __init__(self, account: Account, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        services = Item.objects.filter(account=account).exclude(state="ended")
        self.fields["service"].queryset = services.select_related(  # type: ignore[attr-defined]
            "product_version__product"
        )
        self.fields["service"].label_from_instance = _service_name  # type: ignore[attr-defined]
        for n in range(1, ROWS + 1):
            label = _("Payer %(n)s") % {"n": n}
            self.fields[f"payer_{n}"] = forms.CharField(
                label=label,
                required=n == 1,
                max_length=200,
                help_text=_("Number or name of the account that pays.") if n == 1 else "",
            )
            self.fields[f"percent_{n}"] = AmountField(
                label=_("Payer %(n)s pays, in percent") % {"n": n},
                decimal_places=6,
                required=n == 1,
            )

    def clean(self) -> dict[str, Any]:
        """The rows as shares, in their order; a row is whole or empty."""
        told = super().clean() or {}
        shares: list[Share] = []
        for n in range(1, ROWS + 1):
            payer, percent = told.get(f"payer_{n}"), told.get(f"percent_{n}")
            if payer and percent is not None:
                account = self._account(n, payer)
                if account is not None:
                    shares.append(Share(account.pk, percent))
            elif payer and f"percent_{n}" not in self.errors:
                self.add_error(f"percent_{n}", _t("How many percent?"))
            elif percent is not None and f"payer_{n}" not in self.errors:
                self.add_error(f"payer_{n}", _t("Who pays them?"))
        told["shares"] = shares
        return told

    def _account(self, n: int, words: str) -> Account | None:
        found = accounts_meant(words)
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(account.reference for account in found[:5])
            message = _t("Several accounts match: %(names)s. Choose one.") % {"names": names}
        else:
            message = _t("No account has this number or name.")
        self.add_error(f"payer_{n}", message)
        return None

    def field_of(self, refused: str | None) -> str | None:
        """Where a refusal of the service is shown: shares[0].payer is the first row."""
        if not (refused or "").startswith("shares"):
            return refused if refused in self.fields else None
        row, _dot, name = (refused or "").partition(".")
        n = int("".join(filter(str.isdigit, row)) or 0) + 1
        return f"{name or 'payer'}_{min(n, ROWS)}"


def _service_name(item: Item) -> str:
    return f"{item.product_version.product.name} ({item})"


class EndForm(forms.Form):
    """From when on the customer pays all."""

    ends_on = DayField(
        label=_("The customer pays all from"),
        help_text=_("Periods that start on this day or later; may be past, then it is corrected."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON)
