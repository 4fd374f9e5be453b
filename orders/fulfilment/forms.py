"""What people fill in while they fulfil: evidence by what a task asks for, and reasons."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from orders.models import Task

KNOWN: dict[str, tuple[Any, int]] = {
    "version": (_("Version installed"), 10),
    "serial": (_("Serial number"), 120),
    "quantity": (_("Quantity delivered"), 20),
}
LONGEST = 2000


class EvidenceForm(forms.Form):
    """One field for each thing that the task wants; a serial may always be noted."""

    def __init__(self, task: Task, data: Any = None) -> None:
        super().__init__(data, prefix=f"t{task.pk}")
        self.task = task
        for name in [*task.wants, *({"serial"} - set(task.wants))]:
            label, longest = KNOWN.get(name, (name.replace("_", " ").capitalize(), LONGEST))
            # Whether a field is missing says the service, which knows the task's wants.
            self.fields[name] = forms.CharField(
                label=label, max_length=longest, required=False, strip=True
            )

    def evidence(self) -> dict[str, Any]:
        """The arguments of complete_task."""
        said = dict(self.cleaned_data)
        return {
            "version": said.pop("version", None),
            "serial": said.pop("serial", ""),
            "quantity": said.pop("quantity", None),
            "data": {name: value for name, value in said.items() if value},
        }


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        label=_("Reason"), max_length=LONGEST, widget=forms.Textarea({"rows": 3})
    )
