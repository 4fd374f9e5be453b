"""Inputs that browsers know how to show: days, amounts, whole numbers."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from o2b.errors import Refused


class DayInput(forms.DateInput):
    """The browser's own calendar; always sends and shows YYYY-MM-DD."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class DecimalInput(forms.TextInput):
    """A text field with a phone's number keys: no spinner, no wheel that changes a price."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"inputmode": "decimal", "autocomplete": "off", **(attrs or {})})


class DayField(forms.DateField):
    """A day as the browser's calendar sends it."""

    widget = DayInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%d"], **kwargs)
        self.error_messages["invalid"] = _("This is no day; write it as YYYY-MM-DD.")


class AmountField(forms.DecimalField):
    """An amount of money or a quantity; never NaN, never more digits than the database holds."""

    widget = DecimalInput

    def __init__(self, *, max_digits: int = 18, decimal_places: int = 2, **kwargs: Any) -> None:
        super().__init__(max_digits=max_digits, decimal_places=decimal_places, **kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {}


def show_refusal(form: forms.BaseForm, refusal: Refused) -> None:
    """Put a service's refusal beside the field at fault, or at the head of the form."""
    form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
