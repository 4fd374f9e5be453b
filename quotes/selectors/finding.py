"""Which quotes there are: lists, one quote, what is due, what happened."""

from datetime import date, datetime, timedelta

from django.db.models import Count, DateField, DateTimeField, F, Func, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce

from o2b.catalog.models import ProductVersion
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.succession import successors_of
from o2b.models import Event
from quotes.models import Quote, QuoteLine


def quotes_for_list() -> QuerySet[Quote]:
    """Every quote with what a list shows of it."""
    return Quote.objects.select_related("account__customer", "owner")


def quotes_of_account(account_id: int) -> QuerySet[Quote]:
    """The quotes of one account, the newest first."""
    return Quote.objects.filter(account=account_id).select_related("owner").order_by("-pk")


def waiting_of(*, user_id: int, today: date) -> dict[str, int]:
    """How many drafts and open offers a rep has, and how many of these end within a week."""
    soon = Q(state=Quote.State.SENT, valid_until__lte=today + timedelta(days=7))
    counted = Quote.objects.filter(owner=user_id).aggregate(
        drafts=Count("pk", filter=Q(state=Quote.State.DRAFT)),
        sent=Count("pk", filter=Q(state=Quote.State.SENT)),
        ending=Count("pk", filter=soon),
    )
    return dict(counted)


def products_on_sale() -> list[ProductVersion]:
    """The newest published version of each product, by family and name."""
    versions = ProductVersion.objects.filter(state=Lifecycle.PUBLISHED).select_related("product")
    newest = {version.product_id: version for version in versions.order_by("number")}
    return sorted(newest.values(), key=lambda v: (v.product.family, v.product.name))


def some_are_retired() -> bool:
    """Whether there is a retired product that a legacy form could name."""
    return _retired().exists()


def retired_products() -> list[tuple[ProductVersion, ProductVersion]]:
    """The products that are sold no more, each with what takes its place, by name."""
    versions = _retired().select_related("product").order_by("product_id", "-number")
    newest = list(versions.distinct("product_id"))
    successors = successors_of(newest)
    found = [(old, successors[old.pk]) for old in newest if old.pk in successors]
    return sorted(found, key=lambda both: both[0].product.name)


def _retired() -> QuerySet[ProductVersion]:
    retired = ProductVersion.objects.filter(state=Lifecycle.RETIRED, successor__isnull=False)
    return retired.exclude(product__versions__state=Lifecycle.PUBLISHED)


def past_validity(*, at: datetime) -> QuerySet[Quote]:
    """Sent quotes whose last day is over where their account lives; `moment` is its clock."""
    moment = Coalesce(F("account__test_clock__now"), Value(at), output_field=DateTimeField())
    local = Func(F("account__time_zone"), moment, function="timezone", output_field=DateTimeField())
    return (
        Quote.objects.filter(state=Quote.State.SENT)
        .annotate(moment=moment, their_day=Cast(local, DateField()))
        .filter(valid_until__lt=F("their_day"))
    )


def get_quote(quote_id: int) -> Quote:
    """One quote with the account it is for; a missing one is a 404."""
    related = ("account__customer", "account__legal_entity", "account__test_clock", "owner")
    return Quote.objects.select_related(*related).get(pk=quote_id)


def lines_of(quote: Quote) -> list[QuoteLine]:
    """The lines in order, with everything that pages show of them."""
    related = ("product_version__product", "terms", "book_version__book", "contract")
    return list(quote.lines.select_related(*related).order_by("position"))


def history_of(quote: Quote) -> QuerySet[Event]:
    """What happened to a quote, newest first."""
    happened = Event.objects.filter(subject_type="quotes.quote", subject_id=quote.pk)
    return happened.select_related("actor").order_by("-id")
