"""Life cycles: `move()` obeys the declared law, many rows in one UPDATE, with its events."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_fsm import TransitionNotAllowed

from o2b import fsm
from o2b.errors import Refused
from o2b.models import Event
from quotes.models import Quote
from tests.factories import NOON, a_product, a_quote, a_sent_quote, an_account

pytestmark = pytest.mark.django_db


class NotNow(Refused):
    code = "not_now"


def test_move_takes_who_may_and_leaves_the_rest():
    account, product = an_account(), a_product()
    draft = a_quote(account=account, products=[product])
    sent = [a_sent_quote(account=account, products=[product]) for _ in range(2)]

    moved = fsm.move(Quote.objects.all(), "expire", at=NOON)

    assert [q.pk for q in moved] == [q.pk for q in sent]
    assert {q.state for q in moved} == {"expired"}
    assert list(Quote.objects.order_by("pk").values_list("pk", "state", "closed_at")) == [
        (draft.pk, "draft", None),
        *((q.pk, "expired", NOON) for q in sent),
    ]
    assert Event.objects.filter(name="quote.expired").count() == 2


def test_move_asks_the_same_number_of_queries_for_many():
    account, product = an_account(), a_product()
    counts = []
    for rows in (1, 5):
        for _ in range(rows):
            a_sent_quote(account=account, products=[product])
        with CaptureQueriesContext(
            connection,
        ) as queries:
            fsm.move(Quote.objects.all(), "expire", at=NOON)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_an_undeclared_transition_is_a_programming_error():
    with pytest.raises(LookupError, match="explode"):
        fsm.move(Quote.objects.all(), "explode", at=NOON)


def test_a_state_cannot_be_set_by_hand():
    with pytest.raises(AttributeError):
        Quote(state="draft").state = "sent"


def test_refresh_sees_the_state_that_another_process_wrote():
    quote = a_quote()
    fsm.move(Quote.objects.filter(pk=quote.pk), "withdraw", at=NOON)
    assert quote.state == "draft"

    quote.refresh_from_db()

    assert quote.state == "withdrawn"


def test_apply_refuses_by_the_services_own_name():
    quote = a_quote()
    with pytest.raises(NotNow, match="is draft, so one cannot expire it"):
        fsm.apply(quote, "expire", at=NOON, refusal=NotNow)
    with pytest.raises(TransitionNotAllowed):
        quote.expire(at=NOON)
    assert not Event.objects.filter(name="quote.expired").exists()
