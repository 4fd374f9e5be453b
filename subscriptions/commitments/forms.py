"""What people fill in about the term of a service: the term itself, what comes then, one end."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from o2b.errors import Refused
from subscriptions.models import LeavingFee, Renewal


class Blamed(forms.Form):
    """A form that shows a refusal beside the field that is at fault, or above all."""

    def blame(self, refusal: Refused) -> None:
        field = refusal.field if refusal.field in self.fields else None
        self.add_error(field, refusal.message)


class CommitForm(Blamed):
    """A term, and what comes when it ends."""

    starts_on = forms.DateField(
        label=_("From"),
        required=False,
        widget=forms.DateInput({"type": "date"}),
        help_text=_("Empty: today."),
    )
    months = forms.IntegerField(label=_("Months"), initial=12)
    renewal = forms.ChoiceField(label=_("When it ends, it"), choices=Renewal.choices)
    uplift_percent = forms.DecimalField(label=_("Uplift in percent"), required=False)
    notice_days = forms.IntegerField(label=_("Days of notice"), initial=30, required=False)
    leaving_fee = forms.ChoiceField(label=_("Leaving earlier costs"), choices=LeavingFee.choices)
    leaving_value = forms.DecimalField(
        label=_("Percent, or amount"),
        required=False,
        help_text=_("Where leaving earlier costs a percentage or a fixed amount."),
    )

    def words(self) -> dict[str, Any]:
        """The arguments of a Commit."""
        told = {name: value for name, value in self.cleaned_data.items() if value is not None}
        return told | {"notice_days": self.cleaned_data["notice_days"] or 0}


class RenewalForm(Blamed):
    """What comes when the term that runs ends."""

    renewal = forms.ChoiceField(label=_("When it ends, it"), choices=Renewal.choices)
    uplift_percent = forms.DecimalField(label=_("Uplift in percent"), required=False)
    months = forms.IntegerField(
        label=_("Months of a renewal"), required=False, help_text=_("Empty: as before.")
    )
    waive_notice = forms.BooleanField(label=_("Without its notice"), required=False)

    def __init__(self, *args: Any, may_waive: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_waive:
            del self.fields["waive_notice"]

    def words(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if value is not None}


class CoTermForm(Blamed):
    """One end for the terms of several services."""

    to = forms.DateField(
        label=_("They all end on"),
        widget=forms.DateInput({"type": "date"}),
        help_text=_("The first day after the terms; none of them ends earlier by it."),
    )
    items = forms.TypedMultipleChoiceField(
        label=_("Services"), coerce=int, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, services: Iterable[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = list(services)
        self.fields["items"].choices = choices  # type: ignore[attr-defined]
        self.fields["items"].initial = [pk for pk, _words in choices]
