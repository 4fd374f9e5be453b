"""Open a price book with its first draft."""

from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from o2b import events
from o2b.catalog.models import PriceBook, PriceBookVersion
from o2b.catalog.services.refusals import ValueInvalid
from o2b.currencies import is_tender
from o2b.customers.models import Account


@transaction.atomic
def create_price_book(
    *,
    code: str,
    name: str,
    currency: str,
    valid_from: date,
    by: int,
    at: datetime,
    segment: str = "",
    is_default: bool = False,
    account: Account | None = None,
) -> PriceBookVersion:
    """A price book with its first version, a draft without prices.

    It is for an account, which is refused if it is closed or pays in another currency; or for a
    segment, or the default one.
    """
    if account is not None:
        # Nobody closes it meanwhile, and nobody else opens its book.
        account = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    book = PriceBook(
        code=code,
        name=name,
        currency=currency,
        segment=segment,
        is_default=is_default,
        account=account,
    )
    _save_checked(book)
    if not is_tender(currency, at.date()):
        message = _("%(code)s was retired: it is no currency any more.")
        raise ValueInvalid(message % {"code": currency}, field="currency")
    draft = PriceBookVersion.objects.create(
        book=book, number=1, valid_from=valid_from, prepared_by_id=by, created_at=at
    )
    events.record("price_book_version.drafted", draft, at=at, actor_id=by, number=1)
    return draft


def _save_checked(book: PriceBook) -> None:
    """Save a new book, or refuse it by the field at fault."""
    try:
        book.full_clean()
    except ValidationError as exc:
        field, messages = next(iter(exc.message_dict.items()))
        if field == "__all__":
            message = _("There is a default book in %(currency)s already.")
            told = {"currency": book.currency}
            raise ValueInvalid(message % told, field="is_default") from exc
        raise ValueInvalid(messages[0], field=field) from exc
    book.save()
