"""A new version of a quote is offered by what is on sale now, and asked for what that asks for."""

from datetime import date
from typing import Any

import pytest

from o2b.catalog.characteristics import CharacteristicInvalid
from o2b.catalog.models import ProductVersion
from o2b.catalog.services import publish_product_version
from quotes.inputs import LineInput
from quotes.models import Quote
from quotes.services import draft_quote, revise_quote, send_quote
from tests.factories import LONG_AGO, NOON, a_product, a_user, an_account, monthly

pytestmark = pytest.mark.django_db

SPEED = {"name": "speed", "type": "integer", "minimum": 10, "maximum": 1000}


def revised(second: list[dict[str, Any]]) -> Quote:
    """A quote for speed 500, of whose product another version has been published since."""
    first = a_product(code="fibre", characteristics=[SPEED], charges=[monthly("49.90")])
    account = an_account()
    draft = draft_quote(
        account_id=account.pk,
        owner_id=account.advocate_id,
        valid_until=date(2026, 12, 31),
        lines=[LineInput("fibre", 1, {"speed": 500})],
        at=NOON,
    )
    sent = send_quote(quote_id=draft.pk, at=NOON)
    version = ProductVersion.objects.create(product=first.product, number=2, characteristics=second)
    publish_product_version(version_id=version.pk, at=LONG_AGO)
    return revise_quote(quote_id=sent.pk, owner_id=a_user().pk, at=NOON)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ([SPEED | {"maximum": 100}], "at most 100"),
        ([SPEED, {"name": "term", "type": "integer", "required": True}], "term is missing"),
        ([{"name": "rate", "type": "integer"}], "no characteristic “speed”"),
    ],
)
def test_what_the_version_on_sale_does_not_allow_is_not_sent(
    second: list[dict[str, Any]], words: str
) -> None:
    quote = revised(second)
    with pytest.raises(CharacteristicInvalid, match=words) as caught:
        send_quote(quote_id=quote.pk, at=NOON)
    assert (caught.value.field or "").startswith("lines[0].characteristics")
    quote.refresh_from_db()
    assert (quote.state, quote.lines.get().terms_id) == ("draft", None)


def test_a_default_of_the_version_on_sale_is_filled_in() -> None:
    quote = revised([SPEED, {"name": "term", "type": "integer", "default": 12}])
    assert quote.lines.get().characteristics == {"speed": 500, "term": 12}
    send_quote(quote_id=quote.pk, at=NOON)
