"""What is filled in about a visit: when and who, how long it was, why nobody was there."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from o2b.people.models import User
from o2b.web.forms import DayField
from orders.models import Appointment
from orders.visits import selectors
from orders.visits.services import LONGEST_TEXT, MOST_MINUTES, Slot


class TimeInput(forms.TimeInput):
    """The browser's own clock; sends and shows HH:MM."""

    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class ArrangeForm(forms.Form):
    """Day and time where the customer lives, how long, who goes, where to."""

    day = DayField(label=_("Day"))
    begins_at = forms.TimeField(label=_("Time"), widget=TimeInput, input_formats=["%H:%M"])
    minutes = forms.IntegerField(
        label=_("Minutes"),
        min_value=1,
        max_value=MOST_MINUTES,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )
    with_whom = forms.ModelChoiceField(
        label=_("Who goes there"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("nobody yet"),
    )
    place = forms.CharField(
        label=_("Place"),
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea({"rows": 2}),
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea({"rows": 2}),
    )

    def __init__(self, visit: Appointment, data: Any = None) -> None:
        self.zone = ZoneInfo(visit.account.time_zone)
        begins = visit.begins_at.astimezone(self.zone) if visit.begins_at else None
        super().__init__(
            data,
            initial={
                "day": begins.date() if begins else None,
                "begins_at": begins.time() if begins else None,
                "minutes": visit.minutes,
                "with_whom": visit.with_whom_id,
                "place": visit.place,
                "note": visit.note,
            },
        )
        people = self.fields["with_whom"]
        people.queryset = selectors.travellers(visit.queue)  # type: ignore[attr-defined]
        self.fields["begins_at"].help_text = visit.account.time_zone.replace("_", " ")

    def slot(self) -> Slot:
        said = self.cleaned_data
        person = said["with_whom"]
        return Slot(
            begins_at=datetime.combine(said["day"], said["begins_at"], self.zone),
            minutes=said["minutes"],
            with_whom_id=person.pk if person else None,
            place=said["place"].strip(),
            note=said["note"].strip(),
        )


class KeptForm(forms.Form):
    """How long it took."""

    minutes = forms.IntegerField(
        label=_("Minutes it took"),
        min_value=0,
        max_value=MOST_MINUTES,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )


class MissedForm(forms.Form):
    """Why nobody was there."""

    reason = forms.CharField(
        label=_("Reason"), max_length=LONGEST_TEXT, widget=forms.Textarea({"rows": 3})
    )
