"""What customers and we fill in: a question, its answer, a complaint and what becomes of it."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from o2b.people.models import User
from orders.care.selectors import who_hears
from orders.care.services import LONGEST_NAME, LONGEST_TEXT


def _name(**given: Any) -> forms.CharField:
    return forms.CharField(
        max_length=LONGEST_NAME, widget=forms.TextInput({"autocomplete": "name"}), **given
    )


def _text(label: Any, rows: int = 4, **given: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=LONGEST_TEXT, widget=forms.Textarea({"rows": rows}), **given
    )


class QuestionForm(forms.Form):
    """The customer asks something."""

    name = _name(label=_("Your name"))
    text = _text(_("Your question"))


class AnswerForm(forms.Form):
    """What we answer; the customer reads it on their page."""

    text = _text(_("Answer"), help_text=_("The customer reads it on the page of the order."))


class _AboutALine(forms.Form):
    """Something about one line is not as promised."""

    line = forms.TypedChoiceField(label=_("What is it about?"), coerce=int)

    def __init__(self, *given: Any, lines: Sequence[tuple[int, str]], **more: Any) -> None:
        super().__init__(*given, **more)
        field = self.fields["line"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(lines)


class CustomersComplaintForm(_AboutALine):
    """The customer complains on the page of the order."""

    name = _name(label=_("Your name"))
    text = _text(_("What is not as it should be?"))


class ComplaintForm(_AboutALine):
    """One of us takes a complaint down."""

    name = _name(label=_("Who complains?"), required=False)
    text = _text(
        _("What is not as it was promised?"),
        help_text=_("The customer reads it on the page of the order."),
    )


class HandOverForm(forms.Form):
    """Who owns the complaint from now on."""

    to = forms.ModelChoiceField(
        User.objects.none(), label=_("Hand over to"), empty_label=_("Choose…")
    )

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        field = self.fields["to"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = who_hears()


class ResolveForm(forms.Form):
    """What was done about it."""

    resolution = _text(
        _("How it was resolved"), help_text=_("The customer reads it on the page of the order.")
    )


class ReopenForm(forms.Form):
    """Why it is not settled after all."""

    reason = _text(_("Why is it open again?"), rows=3)
