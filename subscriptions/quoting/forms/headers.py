"""What a quote of changes says above its lines, and whose it is."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from o2b.web.forms import DayField
from quotes.forms import AccountForm


class AccountNamed(AccountForm):
    """Whose services are quoted, by number or name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["start_on"]


class HeaderForm(forms.Form):
    """Title, from when it counts, until when it can be accepted."""

    title = forms.CharField(label=_("Title"), required=False, max_length=200)
    start_on = DayField(
        label=_("Counts from"), help_text=_("From this day what is added and changed is billed.")
    )
    valid_until = DayField(
        label=_("Valid until"),
        required=False,
        help_text=_("At the latest the day from which it counts; empty: that day."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        described(self)


def described(form: forms.Form) -> None:
    """Tie each field to its help and to its error, which stands there even while it is empty."""
    for bound in form:
        if not bound.is_hidden:
            ids = [f"{bound.auto_id}_helptext"] if bound.help_text else []
            said = " ".join([*ids, f"{bound.auto_id}_error"])
            bound.field.widget.attrs["aria-describedby"] = said
