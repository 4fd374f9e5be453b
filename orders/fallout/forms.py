"""What people fill in at the fallout desk: a rule; a task's parameters, one field a name."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from o2b.catalog.models import Product
from orders.fallout.parameters import LONGEST_NAME, LONGEST_VALUE, as_text, from_text
from orders.fulfilment import handlers
from orders.models import FailureClass, FalloutRule, Queue

ANY = ("", _("any"))
MORE = 1
ONE_LINE = 80


class RuleForm(forms.Form):
    """What a rule matches, and what it says then; what is left empty matches all."""

    handler = forms.ChoiceField(label=_("Handler"), required=False)
    failure_class = forms.ChoiceField(
        label=_("Class of failure"), required=False, choices=[ANY, *FailureClass.choices]
    )
    product = forms.ModelChoiceField(
        label=_("Product"),
        required=False,
        queryset=Product.objects.order_by("name"),
        to_field_name="code",
        empty_label=ANY[1],
    )
    says = forms.CharField(
        label=_("The failure says"),
        required=False,
        max_length=200,
        help_text=_("A part of the failure’s text."),
    )
    queue = forms.ModelChoiceField(
        label=_("Goes to the queue"),
        required=False,
        queryset=Queue.objects.order_by("name"),
        empty_label=_("the task’s own"),
    )
    remedy = forms.ChoiceField(label=_("What helps"), choices=FalloutRule.Remedy.choices)
    advice = forms.CharField(
        label=_("Advice"), required=False, max_length=300, widget=forms.Textarea({"rows": 2})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(name, name) for name in handlers.names()]
        self.fields["handler"].choices = [ANY, *names]  # type: ignore[attr-defined]

    @classmethod
    def of(cls, rule: FalloutRule) -> "RuleForm":
        names = ("handler", "failure_class", "product", "says", "queue", "remedy", "advice")
        return cls(initial={name: getattr(rule, name) for name in names})

    def rule(self) -> dict[str, Any]:
        """The arguments of save_rule."""
        said = dict(self.cleaned_data)
        return said | {"product": said["product"].code if said["product"] else ""}


class ValueField(forms.CharField):
    """A parameter's value: what has lines or is long gets room, as a text input loses newlines."""

    def __init__(self, *, name: str, value: str) -> None:
        long = "\n" in value or "\r" in value or len(value) > ONE_LINE
        super().__init__(
            label=name,
            required=False,
            max_length=max(LONGEST_VALUE, len(value)),
            initial=value,
            strip=False,
            widget=forms.Textarea({"rows": 6}) if long else forms.TextInput(),
        )

    def to_python(self, value: Any) -> Any:
        """Lines end as we keep them, whatever a browser sends."""
        return _one_newline(super().to_python(value) or "")


class ParametersForm(forms.Form):
    """Every parameter of a task as a text, and room for new ones; an emptied one is dropped."""

    def __init__(self, parameters: Mapping[str, Any], data: Any = None) -> None:
        super().__init__(data)
        self.before = dict(parameters)
        self.by_field = {f"value-{n}": name for n, name in enumerate(self.before)}
        for field, name in self.by_field.items():
            self.fields[field] = ValueField(name=name, value=as_text(self.before[name]))
        for n in range(MORE):
            self.fields[f"new-name-{n}"] = forms.CharField(
                label=_("New parameter"), required=False, max_length=LONGEST_NAME
            )
            self.fields[f"new-value-{n}"] = forms.CharField(
                label=_("Its value"), required=False, max_length=LONGEST_VALUE
            )

    def parameters(self) -> dict[str, Any]:
        """The parameters as they are wanted; each keeps its kind, an unchanged one its letter."""
        said = self.cleaned_data
        found = {
            name: self._value(before, said[field])
            for field, name in self.by_field.items()
            if (before := self.before[name]) == "" or said[field] != ""
        }
        added = [(said[f"new-name-{n}"], said[f"new-value-{n}"]) for n in range(MORE)]
        return found | {name: from_text(value) for name, value in added if name}

    @staticmethod
    def _value(before: Any, text: str) -> Any:
        return before if text == _one_newline(as_text(before)) else from_text(text, before)


def _one_newline(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
