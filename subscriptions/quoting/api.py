"""REST of quotes against what is in service: draft one, look at what it brings."""

from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from o2b import clock
from o2b.api.fields import Amount, Asked, Exact, Facts, Key, KeyOrReference, Plain, State
from o2b.api.idempotency import once
from o2b.api.lines import DiscountedLineAsked
from o2b.api.views import Verbs
from o2b.asks import held_by
from o2b.customers.references import account_named
from quotes.api.inputs import line_inputs
from quotes.api.outputs import QuoteOutput
from quotes.models import Quote, QuoteLine
from quotes.selectors import get_quote
from subscriptions.models import Renewal
from subscriptions.quoting import refusals as no
from subscriptions.quoting.delta import BillPart, Delta
from subscriptions.quoting.drafting import ChangeDraft, draft_changes
from subscriptions.quoting.inputs import CHANGING, ChangeInput, PriceOf
from subscriptions.quoting.planning import MOST_CHANGES
from subscriptions.quoting.selectors import delta_of, delta_of_draft

LARGEST = 2**31 - 1


class QuotedChangeAsked(Asked):
    """What is offered for one service; what the action does not need is left out."""

    item = Key(help_text="A service of the account.")
    action = serializers.ChoiceField(choices=[(str(action), str(action)) for action in CHANGING])
    on = serializers.DateField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Left out: the day of the quote; a renewal begins where the running term ends.",
    )
    product = serializers.CharField(required=False, allow_blank=True, default="", max_length=60)
    quantity = Exact(required=False, help_text="How many in all.")
    characteristics = Facts(required=False)
    price = serializers.ChoiceField(
        choices=[(str(price), str(price)) for price in PriceOf],
        default=str(PriceOf.AGREED),
        help_text="agreed: the price stays; current: contract and price list of the day.",
    )
    discount_percent = Exact(required=False, default=0)
    months = serializers.IntegerField(
        required=False, min_value=-LARGEST, max_value=LARGEST, help_text="renew: for how long."
    )
    to = serializers.DateField(required=False, help_text="co_term: the first day after the term.")
    renewal = serializers.ChoiceField(
        choices=Renewal.choices,
        required=False,
        allow_blank=True,
        default="",
        help_text="renew: what comes when it ends; left out, as the running term says.",
    )
    uplift_percent = Exact(required=False)
    notice_days = serializers.IntegerField(required=False, min_value=-LARGEST, max_value=LARGEST)
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)


class ChangeQuoteAsked(Asked):
    """An offer against what is in service; prices are never sent."""

    account = KeyOrReference()
    start_on = serializers.DateField(help_text="From this day it counts.")
    valid_until = serializers.DateField(
        required=False,
        help_text="The last day on which it can be accepted, at most the day from which it counts.",
    )
    title = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    changes = QuotedChangeAsked(  # type: ignore[call-arg]
        many=True, required=False, default=list, max_length=MOST_CHANGES
    )
    lines = DiscountedLineAsked(  # type: ignore[call-arg]
        many=True, required=False, default=list, max_length=MOST_CHANGES
    )
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Draft nothing; answer what it would bring."
    )


class PlainOrNull(Plain):
    """Tax; null where the seller charges none, and on quotes sent before bills had tax."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)


class QuotedSideOutput(serializers.Serializer):
    """A service before or after."""

    product = serializers.CharField()
    version = serializers.IntegerField()
    quantity = Plain()
    monthly = Plain()
    monthly_tax = PlainOrNull()


class DeltaLineOutput(serializers.Serializer):
    """What becomes of one service."""

    action = State(name="QuoteLineAction", choices=QuoteLine.Action.choices)
    item = serializers.CharField(help_text="Its number; empty for what is added.")
    on = serializers.DateField()
    before = QuotedSideOutput(allow_null=True)
    after = QuotedSideOutput(allow_null=True)
    notes = serializers.ListField(child=serializers.CharField())


class BillPartOutput(serializers.Serializer):
    """One amount of the first bill; below zero it is given back. `to` is the first day outside."""

    name = serializers.CharField()
    since = serializers.DateField()
    to = serializers.SerializerMethodField()
    amount = Plain()
    tax = PlainOrNull()

    def get_to(self, part: BillPart) -> str:
        return ((part.last or part.since) + timedelta(days=1)).isoformat()


class DeltaMonthOutput(serializers.Serializer):
    month = serializers.DateField(source="start")
    before = Plain()
    after = Plain()
    difference = Plain()


class DeltaOutput(serializers.Serializer):
    """What a quote brings, without usage; once sent, as the customer was shown.

    Amounts are net. Tax, at the rates of the first bill's day, is beside those of a month, of what
    is due once and of the first bill; null where the seller charges none.
    """

    currency = serializers.CharField()
    on = serializers.DateField()
    lines = DeltaLineOutput(many=True)
    monthly_before = Plain()
    monthly_after = Plain()
    monthly_difference = Amount(source="monthly.amount", currency="currency")
    monthly_tax_before = PlainOrNull()
    monthly_tax_after = PlainOrNull()
    once = Amount(currency="currency")
    once_tax = Amount(currency="currency", allow_null=True)
    first_bill_on = serializers.DateField(allow_null=True)
    first_bill = BillPartOutput(many=True)
    first_bill_total = Amount(source="first_total.amount", currency="currency")
    first_bill_tax = Amount(source="first_tax", currency="currency", allow_null=True)
    first_bill_gross = Amount(source="first_gross.amount", currency="currency")
    first_bill_difference = Amount(
        source="first_more.amount",
        currency="currency",
        help_text="How much more it is than without the quote.",
    )
    months = DeltaMonthOutput(many=True)
    months_difference = Amount(source="months_total.amount", currency="currency")


class ChangeQuoteViewSet(Verbs):
    """Offers against what is in service."""

    queryset: QuerySet[Quote] = Quote.objects.all()
    doors: ClassVar[dict[str, str]] = {
        "draft": "quotes.edit_quote",
        "delta": "quotes.view_quote",
    }
    pagination_class = None
    filter_backends = ()

    @extend_schema(request=ChangeQuoteAsked, responses={200: DeltaOutput, 201: QuoteOutput})
    @once
    def draft(self, request: Request) -> Response:
        """Draft a quote against what is in service; it is sent and accepted as every quote is."""
        asked = self.asked(ChangeQuoteAsked)
        account = account_named(asked["account"])
        draft = ChangeDraft(
            account_id=account.pk,
            valid_until=asked.get("valid_until") or asked["start_on"],
            start_on=asked["start_on"],
            changes=[_input(change) for change in asked["changes"]],
            lines=line_inputs(asked["lines"]),
            title=asked["title"],
        )
        at, already = clock.now(account), held_by(account.pk)
        delta = delta_of_draft(draft, at=at, already=already)  # refuses as sending would
        if asked["dry_run"]:
            return _told(delta)
        quote = draft_changes(draft, owner_id=self.user_id, at=at, already=already)
        shown = QuoteOutput(get_quote(quote.pk), context=self.get_serializer_context())
        return Response(shown.data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=DeltaOutput)
    def delta(self, request: Request, pk: str) -> Response:
        """What a quote of changes brings: first bill, monthly difference, the next 36 months."""
        quote = get_quote(self.key())
        if not quote.is_change:
            message = _("%(quote)s changes nothing that is in service.")
            raise no.NotAChangeQuote(message % {"quote": quote})
        return _told(delta_of(quote))


def _input(asked: dict[str, Any]) -> ChangeInput:
    return ChangeInput(item_id=asked.pop("item"), **asked)


def _told(delta: Delta) -> Response:
    return Response(DeltaOutput(delta).data)
