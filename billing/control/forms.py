"""What people fill in at the desk of a run: a reason, an owner, the rules of a legal entity."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from billing.control.selectors import people
from billing.models import RunRules
from o2b.people.models import User
from o2b.web.forms import AmountField


class ReasonForm(forms.Form):
    """Why accounts leave a run."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
        help_text=gettext_lazy("Whoever mends it reads this."),
    )


class OwnerForm(forms.Form):
    """Who looks into a parked account."""

    owner = forms.ModelChoiceField(
        queryset=User.objects.none(), label=gettext_lazy("Owner"), empty_label=None
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = people()  # type: ignore[attr-defined]


class RulesForm(forms.Form):
    """Fuses stop an account; rules mark it, for people to look at."""

    most_lines_a_charge = forms.IntegerField(
        label=gettext_lazy("Fuse: lines of one charge"), min_value=1, max_value=2**31 - 1
    )
    most_lines = forms.IntegerField(
        label=gettext_lazy("Fuse: lines of one account"), min_value=1, max_value=2**31 - 1
    )
    most_amount = AmountField(
        label=gettext_lazy("Fuse: amount of one document"),
        min_value=0,
        required=False,
        help_text=gettext_lazy("With tax, invoice or credit note; empty: no limit."),
    )
    most_jump = AmountField(
        label=gettext_lazy("Fuse: times the last bill"),
        max_digits=8,
        min_value=1,
        required=False,
        help_text=gettext_lazy("Like 10: ten times what it was, net; empty: no limit."),
    )
    jump_above = AmountField(
        label=gettext_lazy("… and larger by more than"),
        min_value=0,
        help_text=gettext_lazy("So that a small bill may grow as it likes."),
    )
    outlier_percent = AmountField(
        label=gettext_lazy("Outlier: changed by more than %"), max_digits=8, min_value=0
    )
    outlier_amount = AmountField(label=gettext_lazy("… and by more than"), min_value=0)
    marks_credits = forms.BooleanField(
        label=gettext_lazy("Credit notes are outliers"), required=False
    )
    marks_missing = forms.BooleanField(
        label=gettext_lazy("Accounts that get no bill any more are outliers"), required=False
    )
    advocate_hours = forms.IntegerField(
        label=gettext_lazy("Hours that approval waits for advocates"),
        min_value=0,
        max_value=720,
        help_text=gettext_lazy("0: it does not wait; they are told all the same."),
    )
    rehearsal_days = forms.IntegerField(
        label=gettext_lazy("Days that a rehearsal is kept"), min_value=1, max_value=365
    )

    @staticmethod
    def of(rules: RunRules) -> dict[str, Any]:
        """What stands in the fields at first."""
        return {name: _plain(getattr(rules, name)) for name in RulesForm.base_fields}


def _plain(value: Any) -> Any:
    """An amount without the zeros that the database keeps."""
    return f"{value.normalize():f}" if hasattr(value, "normalize") else value


def chosen_accounts(said: list[str]) -> list[int]:
    """Keys of accounts as a form sends them; what is no key is left out."""
    keys = (each for each in said if each.isascii() and each.isdigit() and len(each) < 19)
    return sorted({int(each) for each in keys})
