"""What is asked when an order is put before others, or begins on another day."""

from django import forms
from django.utils.translation import gettext_lazy as _

from o2b.web.forms import DayField
from orders.models import Priority

LONGEST = 2000


class PriorityForm(forms.Form):
    """How urgent it is; why may be said."""

    priority = forms.TypedChoiceField(label=_("Priority"), choices=Priority.choices, coerce=int)
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST, required=False)


class PoNumberForm(forms.Form):
    """How the customer calls the order; empty: not at all."""

    po_number = forms.CharField(label=_("Purchase order"), max_length=60, required=False)


class WorkFromForm(forms.Form):
    """The day on which work begins, and why it is another one."""

    work_from = DayField(
        label=_("Work from"), required=False, help_text=_("Empty: work begins now.")
    )
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST)
