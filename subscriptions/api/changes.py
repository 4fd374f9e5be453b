"""How the API speaks of changes: what is asked, what it would bring, what was told so far."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework import serializers

from o2b.api.fields import Amount, Asked, Exact, Facts, Key, KeyOrReference, Link, Plain, State
from o2b.customers.references import account_named
from orders.models import Order
from subscriptions.changes.wishes import When, Wish
from subscriptions.changes.words import fact_words
from subscriptions.models import ORDERED, Act, SuspensionBilling

LARGEST = 2**31 - 1


class ChangeAsked(Asked):
    """One change of one item; what the act does not need is left out. Prices are never sent."""

    item = Key(help_text="An item of this subscription.")
    act = serializers.ChoiceField(choices=ORDERED)
    when = serializers.ChoiceField(
        choices=[(when.value, when.value) for when in When],
        required=False,
        help_text="now, unless a day is told.",
    )
    on = serializers.DateField(
        required=False,
        allow_null=True,
        default=None,
        help_text="The first day on which it holds; it may have passed.",
    )
    revision = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=LARGEST,
        help_text="The item's revision that was looked at; another one by now refuses the change.",
    )
    product = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=100,
        help_text="terms: the code of the product; left out, the same at the price of that day.",
    )
    version = serializers.IntegerField(
        required=False, min_value=1, max_value=32767, help_text="replace: the product's version."
    )
    quantity = Exact(required=False, help_text="How many in all.")
    characteristics = Facts(required=False)
    billing = serializers.ChoiceField(
        choices=SuspensionBilling.choices,
        required=False,
        default="",
        allow_blank=True,
        help_text="suspend: how it is billed meanwhile.",
    )
    fee_product = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=100
    )
    to_account = KeyOrReference(required=False)
    withdraws = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LARGEST,
        help_text="withdraw: the revision of the change that is taken back.",
    )
    waive_notice = serializers.BooleanField(required=False, default=False)
    deliver = serializers.BooleanField(
        required=False,
        default=False,
        help_text="terms, replace, quantity, move: deliver it first, by the product's plan; "
        "it holds from its delivery, or from its own day if that is later.",
    )
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Order nothing; answer what it would bring."
    )

    def validate(self, said: dict[str, Any]) -> dict[str, Any]:
        """Refuse what the act does not know, and a day beside words that name another one."""
        for name, value in said.items():
            if name not in (*ANY_ACT, *OF_ACT[said["act"]]) and not _is_nothing(value):
                text = _("“%(act)s” does not know this; leave it out.") % {"act": said["act"]}
                raise serializers.ValidationError({name: [text]})
        if said["on"] and said.get("when", When.ON) != When.ON:
            text = _("Name a day, or say when; not both.")
            raise serializers.ValidationError({"on": [text]})
        if said["fee_product"] and said["billing"] != SuspensionBilling.FEE:
            text = _("Only what is billed by a holding fee has one.")
            raise serializers.ValidationError({"fee_product": [text]})
        return said


# What any act may say besides its own; that nothing is delivered for an act is for the service.
ANY_ACT = ("item", "act", "revision", "reason", "deliver", "dry_run")
DAY = ("when", "on")
OF_ACT = {
    Act.TERMS: (*DAY, "product", "quantity", "characteristics", "waive_notice"),
    Act.REPLACE: (*DAY, "version"),
    Act.QUANTITY: (*DAY, "quantity"),
    Act.SUSPEND: (*DAY, "billing", "fee_product"),
    Act.RESUME: DAY,
    Act.MOVE: (*DAY, "characteristics"),
    Act.TRANSFER: (*DAY, "to_account"),
    Act.END: (*DAY, "waive_notice"),
    # It holds from the day of what is taken back.
    Act.WITHDRAW: ("withdraws",),
}


def _is_nothing(value: Any) -> bool:
    """What is sent, and says no more than if it were left out."""
    return value is False or value in (None, "", {})


def wish_of(asked: dict[str, Any]) -> Wish:
    """What was asked, for a service to judge; the account is named here."""
    told = {name: value for name, value in asked.items() if name not in APART}
    if "to_account" in asked:
        told["to_account_id"] = account_named(asked["to_account"], field="to_account").pk
    when = asked.get("when") or (When.ON if asked["on"] else When.NOW)
    act = Act(asked["act"])
    kind = Order.Kind.PRICE_CHANGE if act == Act.TERMS and not asked["product"] else None
    return Wish(item_id=asked["item"], act=act, when=When(when), kind=kind, **told)


APART = {"item", "act", "when", "to_account", "dry_run"}  # of a wish they are called otherwise


class FactOutput(serializers.Serializer):
    """One change that was told of a service; it stands on the first item of its chain."""

    id = serializers.IntegerField()
    item = serializers.IntegerField(source="item_id")
    revision = serializers.IntegerField()
    act = State(name="ChangeAct", choices=Act.choices)
    on = serializers.DateField()
    text = serializers.SerializerMethodField(help_text="In words.")
    product = serializers.CharField(
        source="order_line.product_version.product.code", help_text="What it is afterwards."
    )
    version = serializers.IntegerField(source="order_line.product_version.number")
    quantity = Plain(source="order_line.quantity")
    terms_digest = serializers.CharField(source="terms.digest", default=None, allow_null=True)
    billing = serializers.CharField()
    to_account = serializers.CharField(source="account.reference", default=None, allow_null=True)
    withdraws = serializers.IntegerField(source="withdraws.revision", default=None, allow_null=True)
    is_withdrawn = serializers.BooleanField(source="is_gone")
    reason = serializers.CharField()
    order = serializers.IntegerField(source="order_line.order_id")
    order_url = Link("api-order-detail", key="order_line.order_id")
    by = serializers.CharField(
        source="order_line.order.placed_by.username", default=None, allow_null=True
    )
    recorded_at = serializers.DateTimeField()

    def get_text(self, fact: Any) -> str:
        return fact_words(fact)


class ChangedOutput(serializers.Serializer):
    """The change order, and the facts that it told; none yet of what is delivered first."""

    url = serializers.SerializerMethodField()
    order = serializers.IntegerField(source="order.pk")
    number = serializers.CharField(source="order.number")
    kind = State(name="OrderKind", choices=Order.Kind.choices, source="order.kind")
    is_delivered_first = serializers.BooleanField(
        help_text="Its changes hold once its lines are completed."
    )
    changes = FactOutput(many=True)

    def get_url(self, changed: Any) -> str:
        return reverse("api-order-detail", args=[changed["order"].pk])


class SideOutput(serializers.Serializer):
    """What an item is before or after a change."""

    product = serializers.CharField(source="version.product.code")
    version = serializers.IntegerField(source="version.number")
    quantity = Plain()
    in_use = serializers.BooleanField()
    billed = serializers.BooleanField()
    monthly = Amount(source="monthly.amount", currency="monthly.currency")


class BillLineOutput(serializers.Serializer):
    """One amount of a bill; below zero it is given back. `to` is the first day outside.

    What corrects a period that was billed leaves of it the days of the line.
    """

    name = serializers.CharField()
    account = serializers.CharField(source="account.reference", default=None, allow_null=True)
    from_ = serializers.DateField(source="since")
    to = serializers.DateField(source="end", allow_null=True)
    corrects_from = serializers.DateField(source="corrects.start", default=None, allow_null=True)
    corrects_to = serializers.DateField(source="corrects.end", default=None, allow_null=True)
    amount = Amount(source="amount.amount", currency="amount.currency")
    tax = Amount(
        source="tax.amount",
        currency="amount.currency",
        allow_null=True,
        help_text="Null where the seller charges none.",
    )

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python."""
        fields = super().get_fields()
        return {name.rstrip("_"): field for name, field in fields.items()}


class MonthOutput(serializers.Serializer):
    """What one month of service comes to before and after."""

    month = serializers.DateField(source="start")
    before = Plain()
    after = Plain()
    difference = Plain()


class TaxAmount(Amount):
    """An amount that is null where the seller charges no tax."""

    def __init__(self, *, source: str) -> None:
        super().__init__(currency="because_total.currency", source=source, allow_null=True)


class ChangePreviewOutput(serializers.Serializer):
    """What a change would bring; nothing is written, usage is not foretold.

    Amounts are net; tax and gross are beside them, null where the seller charges no tax.
    """

    on = serializers.DateField()
    revision = serializers.IntegerField()
    currency = serializers.CharField(source="because_total.currency")
    before = SideOutput(allow_null=True)
    after = SideOutput(allow_null=True)
    because = BillLineOutput(many=True, help_text="What is given back and charged because of it.")
    because_total = Amount(source="because_total.amount", currency="because_total.currency")
    because_tax = TaxAmount(source="because_tax.amount")
    because_gross = TaxAmount(source="because_gross.amount")
    next_bill_on = serializers.DateField(source="next_on", allow_null=True)
    next_bill = BillLineOutput(many=True)
    next_bill_total = Amount(source="next_total.amount", currency="next_total.currency")
    next_bill_tax = TaxAmount(source="next_tax.amount")
    next_bill_gross = TaxAmount(source="next_gross.amount")
    months = MonthOutput(many=True)
    months_difference = Amount(source="months_total.amount", currency="months_total.currency")
    leaving_fee = Amount(
        source="leaving_fee.amount",
        currency="because_total.currency",
        allow_null=True,
        help_text="What leaving the agreed term earlier costs, billed once.",
    )
    leaving_fee_on = serializers.DateField(allow_null=True)
    is_delivered_first = serializers.BooleanField(source="deliver")
    warnings = serializers.ListField(child=serializers.CharField())
