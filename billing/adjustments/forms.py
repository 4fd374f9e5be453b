"""What people fill in about coupons and minimums."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.adjustments.selectors.listing import coupons_to_grant
from billing.adjustments.services.coupons import MOST_PERIODS
from billing.adjustments.services.refusals import LONGEST_REASON
from billing.models import Coupon
from billing.models.coupons import CouponKind, Every
from billing.models.minimums import Counted
from o2b.customers.models import Account
from o2b.web.forms import AmountField, DayField


class CouponForm(forms.Form):
    """A coupon as it is drafted."""

    code = forms.SlugField(
        label=_("Code"), max_length=40, help_text=_("What people name it by; it stays for ever.")
    )
    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("As the customer reads it on the bill.")
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=CouponKind.choices)
    value = AmountField(
        label=_("Value"),
        max_digits=19,
        decimal_places=4,
        help_text=_("Percent, or the amount of each period."),
    )
    currency = forms.CharField(
        label=_("Currency"), max_length=3, required=False, help_text=_("Only of a fixed amount.")
    )
    months = forms.TypedChoiceField(
        label=_("A period is a"), choices=Every.choices, coerce=int, initial=Every.MONTH
    )
    periods = forms.IntegerField(
        label=_("For how many periods"),
        min_value=1,
        max_value=MOST_PERIODS,
        required=False,
        help_text=_("From the first day of the grant; empty: for ever."),
    )
    starts_on = DayField(
        label=_("Not before"),
        required=False,
        help_text=_("Periods of service that begin earlier get nothing."),
    )
    ends_on = DayField(
        label=_("Until before"),
        required=False,
        help_text=_("Periods of service that begin on this day or later get nothing."),
    )
    products = forms.CharField(
        label=_("Only products"),
        required=False,
        max_length=2000,
        help_text=_("Their codes, with blanks between; empty: everything."),
    )

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def clean_products(self) -> list[str]:
        return [code for code in re.split(r"[\s,;]+", self.cleaned_data["products"]) if code]

    @classmethod
    def of(cls, coupon: Coupon, data: Any = None) -> "CouponForm":
        """The form as the draft is; its code stays."""
        shown = {
            "name": coupon.name,
            "kind": coupon.kind,
            "value": f"{coupon.value.normalize():f}",
            "currency": coupon.currency,
            "months": coupon.months,
            "periods": coupon.periods,
            "starts_on": coupon.starts_on,
            "ends_on": coupon.ends_on,
            "products": " ".join(each.product.code for each in coupon.products.all()),
        }
        form = cls(data, initial=shown)
        del form.fields["code"]
        return form


class RetireForm(forms.Form):
    """From when on it is granted to nobody."""

    on = DayField(label=_("From the day on"))


class EndForm(forms.Form):
    """The first day on which something ends, and why."""

    on = DayField(label=_("Ends on"), help_text=_("First day outside."))
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON)


class GrantCouponForm(forms.Form):
    """A coupon for an account."""

    coupon = forms.ModelChoiceField(label=_("Coupon"), queryset=Coupon.objects.none())
    starts_on = DayField(
        label=_("From"),
        help_text=_("Periods of service that begin on this day or later are reduced."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON)

    @classmethod
    def of(cls, account: Account, data: Any = None, **initial: Any) -> "GrantCouponForm":
        """With the coupons that may be granted to it."""
        form = cls(data, initial=initial)
        form.fields["coupon"].queryset = coupons_to_grant(account)  # type: ignore[attr-defined]
        return form


class MinimumForm(forms.Form):
    """What an account is billed at least."""

    text = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("As the customer reads it on the bill.")
    )
    minimum = AmountField(label=_("Minimum, net"), max_digits=19, decimal_places=4)
    months = forms.TypedChoiceField(label=_("For each"), choices=Every.choices, coerce=int)
    counted = forms.ChoiceField(label=_("Periods begin"), choices=Counted.choices)
    prorated = forms.BooleanField(
        label=_("Share the minimum by days where it holds for a part of a period"),
        required=False,
        initial=True,
    )
    starts_on = DayField(label=_("From"))
    tax_code = forms.CharField(
        label=_("Tax code"), max_length=50, required=False, help_text=_("Empty: standard.")
    )
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON)
