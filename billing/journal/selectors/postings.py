"""Postings for a list: a month, one partition, with seller, account and document of each."""

from datetime import date
from typing import Any

from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat

from billing.models import Posting
from o2b.customers.models import Account, LegalEntity
from o2b.periods import add_months


def postings_with_sellers() -> QuerySet[Any]:
    """Every posting, with the code of its legal entity as `seller`."""
    seller = LegalEntity.objects.filter(pk=OuterRef("legal_entity_id")).order_by()
    return Posting.objects.annotate(seller=Subquery(seller.values("code")[:1]))


def postings_for_list(*, month: date | None = None) -> QuerySet[Any]:
    """The postings of a month (None: of all), the newest day last."""
    rows = postings_with_sellers().select_related("invoice")
    if month is not None:
        rows = rows.filter(on__gte=month, on__lt=add_months(month, 1))
    account = Account.objects.filter(pk=OuterRef("account_id")).order_by()
    return rows.annotate(
        reference=Subquery(account.values("reference")[:1]),
        document=Coalesce(
            "invoice__number",
            Concat(Value("P-"), Cast("payment_id", CharField()), output_field=CharField()),
            output_field=CharField(),
        ),
    )
