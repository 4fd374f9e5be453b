"""Forms of test clocks: a new one, how far it goes, whose account comes under it."""

from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from o2b.web.forms import DayField

DISTANCES = {"day": {"days": 1}, "week": {"days": 7}, "month": {"months": 1}}


class ClockForm(forms.Form):
    """What it is called and where it begins."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("What you try with it."))
    day = DayField(label=_("It begins on"))
    at = forms.TimeField(
        label=_("Time of day"),
        initial=time(12),
        input_formats=["%H:%M"],
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
        help_text=_("In UTC; each of its days begins and ends at this time."),
        error_messages={"invalid": _("This is no time of day; write it as HH:MM.")},
    )

    def now(self) -> datetime:
        """The moment that was said."""
        return datetime.combine(self.cleaned_data["day"], self.cleaned_data["at"], UTC)


class AdvanceForm(forms.Form):
    """By a day, a week, a month, or to a day at the same time of day."""

    by = forms.ChoiceField(choices=[(name, name) for name in DISTANCES], required=False)
    to = DayField(label=_("To the day"), required=False)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not self.errors and bool(said.get("by")) == bool(said.get("to")):
            self.add_error("to", _("Say how far the clock goes: by how much, or to which day."))
        return said

    def told(self, now: datetime) -> dict[str, Any]:
        """What was said, as the service takes it."""
        if by := self.cleaned_data["by"]:
            return dict(DISTANCES[by])
        day = self.cleaned_data["to"]
        return {"to": datetime.combine(day, now.astimezone(UTC).timetz())}


class WhoForm(forms.Form):
    """Which account is meant."""

    account = forms.CharField(
        label=_("Account"), max_length=200, help_text=_("Its number, or words of its name.")
    )


class PutForm(forms.Form):
    """The account's own number, typed by hand, so that no real account comes here by accident."""

    confirm = forms.CharField(label=_("Number of the account"), max_length=40)

    def __init__(self, *args: Any, reference: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["confirm"].help_text = format_html(
            gettext("Type {reference} to confirm."), reference=reference
        )
        self.fields["confirm"].widget.attrs["autocomplete"] = "off"
