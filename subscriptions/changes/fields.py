"""A characteristic of a product as a field of a form."""

from typing import Any

from django import forms
from django.utils.html import escape

from quotes.forms.lines import Choice


def field_for(choice: Choice) -> forms.Field:
    """A choice where the product offers some, else a line of text; the service judges both."""
    hint = escape(choice.hint)
    if choice.options:
        options = [("", "—"), *choice.options]
        return forms.ChoiceField(
            label=choice.label, choices=options, required=False, help_text=hint
        )
    label = f"{choice.label} ({choice.unit})" if choice.unit else choice.label
    field = forms.CharField(label=label, max_length=500, required=False, help_text=hint)
    field.widget.attrs |= {"inputmode": choice.keyboard, "autocomplete": "off"}
    return field


def said(value: Any) -> str:
    """A stored characteristic as a field shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
