"""What people fill in beside a task: comments, files, questions to a second person."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from orders.models import Priority

LONGEST = 2000


def _why(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=LONGEST, required=False, widget=forms.Textarea({"rows": 3})
    )


class CommentForm(forms.Form):
    """Something said; @name makes somebody hear of it."""

    prefix = "comment"
    text = _why(_("Comment"))


class FileForm(forms.Form):
    """One file kept as evidence."""

    prefix = "kept"
    file = forms.FileField(label=_("File"), help_text=_("Image, PDF, text or CSV, up to 10 MB."))


class SkipForm(forms.Form):
    """Why a step is to be left out."""

    prefix = "skip"
    reason = _why(_("Why can it be left out?"))


class SubstituteForm(forms.Form):
    """Which version is to be delivered instead, and why."""

    prefix = "instead"
    version = forms.CharField(label=_("Version to deliver instead"), max_length=10, required=False)
    reason = _why(_("Why another version?"))


class NoteForm(forms.Form):
    """A word with work that goes back into its queue."""

    prefix = "back"
    note = _why(_("Note for whoever comes next"))


class GivenForm(forms.Form):
    """To whom a task is given."""

    prefix = "given"
    to = forms.ChoiceField(label=_("Give to"), required=False)

    def __init__(self, people: Any, data: Any = None) -> None:
        super().__init__(data)
        choices = [(one.pk, str(one)) for one in people]
        self.fields["to"].choices = choices  # type: ignore[attr-defined]


class PriorityForm(forms.Form):
    """What comes first."""

    prefix = "first"
    priority = forms.TypedChoiceField(label=_("Priority"), choices=Priority.choices, coerce=int)


class AnswerForm(forms.Form):
    """The answer to a question."""

    answer = _why(_("Answer"))
