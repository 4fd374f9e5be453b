"""What every change asks: from when, and why."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from o2b.catalog.models import ProductVersion
from o2b.errors import Refused
from o2b.web.forms import DayField
from subscriptions.changes.asking import place_of
from subscriptions.changes.desk import Desk
from subscriptions.changes.services import LONGEST_REASON
from subscriptions.changes.wishes import When, Wish

NAMED = "c-"  # before the name of a characteristic
WITHOUT_NOTICE = gettext_lazy("Without the notice that was agreed")


class ChangeForm(forms.Form):
    """From when it holds, and why; each act adds what it needs, and says so in `first`."""

    first: Sequence[str] = ()
    is_deliverable: ClassVar[bool] = False

    when = forms.ChoiceField(
        label=gettext_lazy("From when"), widget=forms.RadioSelect, initial=When.NOW
    )
    on = DayField(
        label=gettext_lazy("Day"),
        required=False,
        help_text=gettext_lazy("The first day on which it holds; it may have passed already."),
    )
    deliver = forms.BooleanField(
        label=gettext_lazy("Deliver it first"),
        required=False,
        help_text=gettext_lazy(
            "By the plan of the product; it holds from its delivery, not before the day above."
        ),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.Textarea({"rows": 2}),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        desk: Desk,
        on_sale: Sequence[ProductVersion] = (),
        asked_by: int | None = None,
        may_waive: bool = False,
    ) -> None:
        super().__init__(data)
        self.desk, self.on_sale = desk, on_sale
        self.asked_by, self.may_waive = asked_by, may_waive
        self.fields["when"].choices = list(desk.days())  # type: ignore[attr-defined]
        if not self.is_deliverable:
            del self.fields["deliver"]
        self.prepare()
        self.order_fields([*self.first, "when", "on", "deliver", "reason"])

    def prepare(self) -> None:
        """Offer what this service can become."""

    def told(self) -> dict[str, Any]:
        """What the act wants to know, as a wish has it."""
        return {}

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("on") and found.get("when") not in (When.ON, None):
            self.add_error("on", _("Choose “On this day” for it to count, or leave it empty."))
        return found

    @property
    def wish(self) -> Wish:
        """What was said, for a service to judge."""
        assert self.desk.deed is not None
        found = self.cleaned_data
        return Wish(
            item_id=self.desk.item.pk,
            act=self.desk.deed.act,
            kind=self.desk.deed.kind,
            when=When(found.get("when") or When.NOW),
            on=found.get("on"),
            reason=found.get("reason", ""),
            deliver=found.get("deliver", False),
            **self.told(),
        )

    def blame(self, refusal: Refused) -> None:
        """Put a refusal beside the field at fault, or at the head of the form."""
        place = place_of(refusal)
        name = place.replace("characteristics.", NAMED, 1)
        shown = name in self.fields and not self.fields[name].widget.is_hidden
        self.add_error(name if shown else None, refusal.message)

    @property
    def asked(self) -> list[forms.BoundField]:
        """The fields of the act, without those that describe its product."""
        return [field for field in self if not field.name.startswith(NAMED)]

    @property
    def described_fields(self) -> list[forms.BoundField]:
        """What describes the product; the page renews them when another one is chosen."""
        return [field for field in self if field.name.startswith(NAMED)]

    def forgive(self) -> None:
        """Say nothing of what nobody has filled in yet."""
        self.errors.clear()

    def carried(self) -> Iterator[tuple[str, str]]:
        """What was said, to be said again when it is confirmed; also what was emptied."""
        for name in self.fields:
            if name in self.data:
                yield name, self.data[name]
