"""The form that promises another day."""

from django import forms
from django.utils.translation import gettext_lazy as _


class PromiseForm(forms.Form):
    """Which day, and why it is another one."""

    promised_on = forms.DateField(
        label=_("Promised day"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea({"rows": 3}))
