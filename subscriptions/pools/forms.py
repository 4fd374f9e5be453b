"""What people fill in about pools: open one, share it, give units, end what was told, top up."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from o2b.catalog.models import Meter
from o2b.charging.terms.granted import DEFAULT_PRIORITY, MOST_PRIORITY
from o2b.customers.models import Account
from o2b.customers.selectors import accounts_meant
from o2b.web.forms import AmountField, DayField
from subscriptions.models import Item
from subscriptions.models.refills import MOST_A_MONTH
from subscriptions.pools.services.keeping import ADDED_UP
from subscriptions.usage.selectors import services_of_text

MOST_DAYS = 36_500
MOST_NAMED = 5


def _found_as_typed(name: str, url_name: str, **attrs: Any) -> forms.TextInput:
    """A text field whose options come while one types."""
    return forms.TextInput(
        {
            "autocomplete": "off",
            "list": f"{name}-options",
            "hx-get": reverse_lazy(f"subscriptions:{url_name}"),
            "hx-trigger": "input changed delay:250ms",
            "hx-target": f"#{name}-options",
            "hx-swap": "innerHTML",
            "hx-sync": "this:replace",
        }
        | attrs
    )


class WithAccount(forms.Form):
    """A form that names an account by its number or name."""

    account = forms.CharField(
        label=gettext_lazy("Account"),
        max_length=200,
        help_text=gettext_lazy("Its number or its name."),
        widget=_found_as_typed("account", "pool-accounts"),
    )

    def clean_account(self) -> Account | None:
        said = self.cleaned_data["account"]
        if not said:
            return None
        found = accounts_meant(said)
        if not found:
            raise forms.ValidationError(_("No account has this number or name."))
        if len(found) > 1:
            names = ", ".join(account.reference for account in found[:MOST_NAMED])
            message = _("Several accounts match: %(names)s. Choose one.")
            raise forms.ValidationError(message % {"names": names})
        return found[0]


class OpenForm(WithAccount):
    """A pool that no order has opened."""

    meter = forms.ChoiceField(
        label=gettext_lazy("Meter"),
        help_text=gettext_lazy("Only meters whose units add up day by day can have a pool."),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("Empty: that of its account and meter."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        meters = Meter.objects.filter(aggregation__in=ADDED_UP).order_by("code")
        choices = [(each.code, f"{each.code} ({each.unit})") for each in meters]
        self.fields["meter"].choices = [("", "—"), *choices]  # type: ignore[attr-defined]


class ShareForm(WithAccount):
    """Who draws from the pool too: an account with all its services, or one service."""

    service = forms.CharField(
        label=gettext_lazy("or one service"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Its number (S-3.7), or what its usage is told by."),
        widget=_found_as_typed("service", "pool-service-options"),
    )
    begins_on = DayField(
        label=gettext_lazy("From"),
        required=False,
        help_text=gettext_lazy(
            "Empty: today. A day that is over changes what was billed: the next bill corrects it."
        ),
    )
    field_order = ("account", "service", "begins_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].required = False

    def clean_service(self) -> Item | None:
        said = self.cleaned_data["service"].replace("\0", "").strip()
        if not said:
            return None
        found = sorted(services_of_text(said))
        if not found:
            raise forms.ValidationError(_("No service has this number or subject."))
        if len(found) > 1:
            items = Item.objects.filter(pk__in=found[:MOST_NAMED]).order_by("pk")
            names = ", ".join(item.number for item in items)
            message = _("Several services match: %(names)s. Choose one.")
            raise forms.ValidationError(message % {"names": names})
        return Item.objects.select_related("account").get(pk=found[0])


class GiveForm(forms.Form):
    """Units by hand."""

    units = AmountField(label=gettext_lazy("Units"), decimal_places=6)
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=200,
        help_text=gettext_lazy("Stands in the pool’s statement."),
    )
    days = forms.IntegerField(
        label=gettext_lazy("Good for so many days"),
        min_value=1,
        max_value=MOST_DAYS,
        required=False,
        help_text=gettext_lazy("Empty: until they are used up."),
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )
    begins_on = DayField(
        label=gettext_lazy("From"),
        required=False,
        help_text=gettext_lazy(
            "Empty: today. A day that is over changes what was billed: the next bill corrects it."
        ),
    )
    priority = forms.IntegerField(
        label=gettext_lazy("Priority"),
        min_value=0,
        max_value=MOST_PRIORITY,
        initial=DEFAULT_PRIORITY,
        help_text=gettext_lazy(
            "The lowest is drawn first; what orders bring has 100, if not told."
        ),
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )

    def ends_on(self, today: date) -> date | None:
        """The first day after."""
        days = self.cleaned_data["days"]
        begins = self.cleaned_data["begins_on"] or today
        try:
            return begins + timedelta(days=days) if days else None
        except OverflowError:
            return None


class NameForm(forms.Form):
    """Another name."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("Empty: that of its account and meter."),
    )


class EndForm(forms.Form):
    """When sharing ends."""

    ends_on = DayField(
        label=gettext_lazy("The first day on which it draws no more"),
        required=False,
        help_text=gettext_lazy("Empty: today."),
    )


class TakeBackForm(forms.Form):
    """Why units are taken back."""

    reason = forms.CharField(label=gettext_lazy("Why"), max_length=200)


class RefillForm(forms.Form):
    """A standing order."""

    below = AmountField(label=gettext_lazy("When less is left than"), decimal_places=6)
    product = forms.CharField(
        label=pgettext_lazy("top-up", "Order"),
        max_length=100,
        help_text=gettext_lazy(
            "The code of a product that brings units of the pool’s meter, once."
        ),
        widget=forms.TextInput({"autocomplete": "off", "list": "product-options"}),
    )
    quantity = AmountField(
        label=gettext_lazy("How many of it"), decimal_places=6, initial=Decimal(1)
    )
    most_a_month = forms.IntegerField(
        label=gettext_lazy("At most so many orders a month"),
        min_value=1,
        max_value=MOST_A_MONTH,
        initial=1,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )
