"""What people fill in while they fulfil: evidence by what a task asks for, and reasons."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from orders.models import Task

KNOWN: dict[str, tuple[Any, int]] = {
    "version": (_("Version installed"), 10),
    "serial": (_("Serial number"), 120),
    "serials": (_("Serial numbers, one a line"), 1_300_000),
    "quantity": (_("Quantity delivered"), 20),
    "minutes": (_("Minutes worked"), 10),
}
OPTIONAL = ("serial", "minutes")
LONGEST = 2000


class EvidenceForm(forms.Form):
    """One field for each thing that the task wants; a serial and minutes may always be noted."""

    def __init__(self, task: Task, data: Any = None) -> None:
        super().__init__(data, prefix=f"t{task.pk}")
        self.task = task
        wanted = [name for name in task.wants if name != "file"]
        also = [
            n for n in OPTIONAL if n not in wanted and not (n == "serial" and "serials" in wanted)
        ]
        for name in [*wanted, *also]:
            # Whether a field is missing says the service, which knows the task's wants.
            self.fields[name] = _field(name)
        self.fields["minutes"].widget.attrs |= {"inputmode": "numeric"}
        if task.minutes:
            self.fields["minutes"].widget.attrs |= {"placeholder": str(task.minutes)}

    def evidence(self) -> dict[str, Any]:
        """The arguments of complete_task."""
        said = dict(self.cleaned_data)
        return {
            "version": said.pop("version", None),
            "serial": said.pop("serial", ""),
            "serials": said.pop("serials", "").splitlines(),
            "quantity": said.pop("quantity", None),
            "minutes": said.pop("minutes", None),
            "data": {name: value for name, value in said.items() if value},
        }


class PartForm(forms.Form):
    """One of several parts: how many, and which."""

    quantity = forms.CharField(label=_("Quantity of this part"), max_length=20, required=False)

    def __init__(self, task: Task, data: Any = None) -> None:
        super().__init__(data, prefix=f"p{task.pk}")
        self.fields["quantity"].widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}
        for name in ("version", "serial", "serials"):
            if name in task.wants:
                self.fields[name] = _field(name)

    def said(self) -> dict[str, Any]:
        """The arguments of record_part."""
        said = dict(self.cleaned_data)
        return said | {"serials": said.get("serials", "").splitlines()}


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        label=_("Reason"), max_length=LONGEST, widget=forms.Textarea({"rows": 3})
    )


def _field(name: str) -> forms.CharField:
    label, longest = KNOWN.get(name, (name.replace("_", " ").capitalize(), LONGEST))
    rows = forms.Textarea({"rows": 3, "autocomplete": "off"})
    widget = rows if name == "serials" else forms.TextInput({"autocomplete": "off"})
    return forms.CharField(
        label=label, max_length=longest, required=False, strip=True, widget=widget
    )
