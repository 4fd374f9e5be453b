"""The line that a plan is tried with: how many, of which kind, and what else is in the order."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from o2b.catalog.characteristics import check_characteristics
from o2b.catalog.forms.simulator import C, field_of
from o2b.catalog.models import DeliveryPlan, ProductVersion
from o2b.catalog.plans.faults import each_of
from o2b.catalog.plans.links import PARENT, PARTS, Around, beyond
from o2b.catalog.quantities import check_quantity
from o2b.errors import Refused
from o2b.web.forms import AmountField


class DryRun(forms.Form):
    """A line of the product's version, and the lines beside it that the plan refers to."""

    quantity = AmountField(
        label=_("Quantity"), max_digits=18, decimal_places=6, initial="1", min_value=0
    )
    parent = forms.ChoiceField(label=_("Within the bundle"), required=False)
    beside = forms.MultipleChoiceField(
        label=_("Also in the order"), required=False, widget=forms.CheckboxSelectMultiple
    )
    characteristics: dict[str, Any]

    def __init__(
        self,
        data: QueryDict | None,
        *,
        plan: DeliveryPlan,
        version: ProductVersion | None,
        around: Around,
    ) -> None:
        super().__init__(data)
        self.plan, self.version, self.characteristics = plan, version, {}
        self.initial = {"quantity": "1"}
        code = plan.product.code
        bundles = sorted(around.bundles.get(code, ()))
        others = self._others(plan, around) - {code}
        parent, beside = self.fields["parent"], self.fields["beside"]
        parent.choices = [("", _("none")), *((each, each) for each in bundles)]  # type: ignore[attr-defined]
        beside.choices = [(each, each) for each in sorted(others)]  # type: ignore[attr-defined]
        self.initial["beside"] = sorted(others)
        if not bundles:
            del self.fields["parent"]
        if not others:
            del self.fields["beside"]
        for spec in self.specs:
            self.fields[f"{C}{spec['name']}"] = field_of(spec)
            self.initial[f"{C}{spec['name']}"] = spec.get("default")

    @staticmethod
    def _others(plan: DeliveryPlan, around: Around) -> set[str]:
        scopes = {ref.partition("/")[0] for at in each_of(plan.tasks) for ref in beyond(at.said)}
        named = scopes - {PARENT, PARTS}
        parts = set(around.parts.get(plan.product.code, ())) if PARTS in scopes else set()
        return {code for code in named | parts if code in around.neighbours}

    @property
    def specs(self) -> list[dict[str, Any]]:
        return list(self.version.characteristics) if self.version else []

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if "quantity" in said:
            try:
                check_quantity(self.plan.product, said["quantity"])
            except Refused as fault:
                self.add_error("quantity", fault.message)
        given = {
            spec["name"]: value
            for spec in self.specs
            if (value := self.data.get(f"{C}{spec['name']}", "").strip())
        }
        try:
            self.characteristics = check_characteristics(self.specs, given, field="c")
        except Refused as fault:
            name = f"{C}{(fault.field or '').partition('.')[2]}"
            self.add_error(name if name in self.fields else None, fault.message)
        return said
