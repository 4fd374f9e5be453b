"""The forms of a rule: what is watched, by which meter, at which thresholds."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from subscriptions.models import AlertOf, UsageAlert
from subscriptions.usage.alerts.rules import read_thresholds


class ThresholdsForm(forms.Form):
    """What can be changed of a rule."""

    thresholds = forms.CharField(
        label=gettext_lazy("Tell at"),
        required=False,
        max_length=300,
        help_text=gettext_lazy(
            "Up to ten numbers with spaces between, such as 50 80 100: percents, units, or an"
            " amount in the currency of the account."
        ),
        widget=forms.TextInput({"inputmode": "text", "autocomplete": "off"}),
    )
    active = forms.BooleanField(
        label=gettext_lazy("Switched on"),
        required=False,
        initial=True,
        help_text=gettext_lazy("Switched off it tells nothing, and no wider rule does instead."),
    )

    def clean_thresholds(self) -> list[Decimal]:
        try:
            return read_thresholds(self.cleaned_data["thresholds"])
        except ValueError as exc:
            message = _("“%(word)s” is no number; write numbers with spaces between.")
            raise forms.ValidationError(message % {"word": str(exc)[:40]}) from exc

    def told(self) -> dict[str, Any]:
        """What was said, as the services take it."""
        return {
            "thresholds": self.cleaned_data["thresholds"],
            "active": self.cleaned_data["active"],
        }


class AlertForm(ThresholdsForm):
    """A new rule."""

    field_order = ("of", "meter", "thresholds", "active")

    of = forms.ChoiceField(label=gettext_lazy("What is watched"), choices=AlertOf.choices)
    meter = forms.ChoiceField(
        label=gettext_lazy("Meter"),
        required=False,
        help_text=gettext_lazy("Amounts and units need one; percents may be of every meter."),
    )

    def __init__(self, *args: Any, meters: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("every meter")), *((code, code) for code in meters)]
        self.fields["meter"].choices = choices  # type: ignore[attr-defined]

    def told(self) -> dict[str, Any]:
        said = self.cleaned_data
        return super().told() | {"of": said["of"], "meter_code": said["meter"]}


def written(thresholds: Sequence[Decimal]) -> str:
    """Thresholds as the form shows them."""
    return " ".join(f"{each.normalize():f}" for each in thresholds)


def initial_of(rule: UsageAlert) -> dict[str, Any]:
    """A rule as the form shows it."""
    return {"thresholds": written(rule.thresholds), "active": rule.active}
