"""Quotes against what is in service: what is offered is what is ordered and billed, to the cent."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from billing.models import InvoiceLine, PromiseFact
from o2b.asks import held_by
from o2b.errors import Refused
from orders.acceptance.services import place_order
from orders.models import LineAction, Order, OrderLine
from quotes.inputs import LineInput
from quotes.models import Quote, QuoteLine
from quotes.services import revise_quote, send_quote
from subscriptions.commitments.services import Commit, commit
from subscriptions.models import Act, Commitment, Item, QuotedChange, QuotedDelta, Renewal
from subscriptions.quoting.delta import body_of, from_body
from subscriptions.quoting.drafting import ChangeDraft, draft_changes, edit_changes
from subscriptions.quoting.inputs import ChangeInput, kept, read
from subscriptions.quoting.selectors import delta_of, delta_of_draft, quote_parts
from tests.factories import a_meter, a_product, a_user, monthly, reprice, setup_fee
from tests.quotes.test_inputs_rules import amended
from tests.subscriptions.serving import a_line_in_service, told, written

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lived")]
D = Decimal
FIRST_OF_MARCH = date(2026, 3, 1)


def its_life(world):
    """1 × 30.00 a month in advance since 1 January, billed for February; it is 10 February."""
    return a_line_in_service(world)


@pytest.fixture
def item(world):
    return world.given


def a_draft(world, *changes, lines=(), **given):
    days = {"valid_until": world.today + timedelta(days=5), "start_on": FIRST_OF_MARCH} | given
    return ChangeDraft(world.account.pk, changes=changes, lines=lines, **days)


def drafted(world, *changes, **given):
    return draft_changes(
        a_draft(world, *changes, **given), owner_id=a_user("sales").pk, at=world.now
    )


def sent(world, *changes, **given):
    quote = drafted(world, *changes, **given)
    return send_quote(quote_id=quote.pk, at=world.now)


def ordered(world, quote):
    order = place_order(quote_id=quote.pk, by="Dr. P. Hall", at=world.now)
    world.settle()
    return order


def brings(world, *changes, **given):
    return delta_of_draft(a_draft(world, *changes, **given), at=world.now)


def billed_on(world, day):
    """The lines of the next run, as (from, to, amount)."""
    before = set(InvoiceLine.objects.values_list("pk", flat=True))
    world.on(day)
    run = world.bill(day)
    assert (run.state, world.parked()) == ("finalised", [])
    fresh = InvoiceLine.objects.exclude(pk__in=before)
    return sorted((f"{li.served_from}", f"{li.served_to}", f"{li.amount:.2f}") for li in fresh)


def foreseen(delta):
    day = timedelta(days=1)
    return sorted(
        (f"{part.since}", f"{(part.last or part.since) + day}", f"{part.amount:.2f}")
        for part in delta.first_bill
    )


def test_an_upgrade_and_an_addition_are_offered_ordered_and_billed_as_shown(world, item):
    a_product(code="line-50", name="Line 50", charges=[monthly("50.00"), setup_fee("7.00")])
    a_product(code="mail", name="Mail", charges=[monthly("5.00"), setup_fee("3.00")])
    quote = sent(
        world,
        ChangeInput(item.pk, "change", product="line-50"),
        lines=[LineInput(product="mail", quantity="2")],
    )

    delta = delta_of(quote)
    assert (delta.monthly.amount, delta.once) == (D("30.00"), D("13.00"))
    assert (quote.monthly_total, quote.one_time_total) == (D("30.00"), D("13.00"))
    assert delta.first_bill_on == FIRST_OF_MARCH
    assert (delta.first_total.amount, delta.first_more.amount) == (D("73.00"), D("43.00"))
    assert [len(delta.months), delta.months_total.amount] == [36, D("1063.00")]
    assert [(line.action, line.item) for line in delta.lines] == [
        ("change", item.number),
        ("add", ""),
    ]

    world.on("2026-02-12")
    order = ordered(world, quote)

    assert (order.kind, order.quote_id) == (Order.Kind.CHANGE, quote.pk)
    lines = list(order.lines.order_by("position").values_list("action", "state"))
    assert sorted(lines) == [("start", "completed"), ("terms", "completed")]
    promised = dict(quote.lines.values_list("pk", "terms_id"))
    assert dict(order.lines.values_list("quote_line", "terms_id")) == promised
    assert billed_on(world, "2026-03-01") == foreseen(delta)
    facts = PromiseFact.objects.filter(promise__order_id=order.pk)
    assert set(facts.values_list("kind", flat=True)) >= {"quoted", "ordered"}


def test_the_price_that_was_sent_is_ordered_whatever_the_book_says_by_then(world, item):
    quote = sent(world, ChangeInput(item.pk, "change", quantity="3", price="current"))
    reprice(item.product_version, charges=[monthly("99.00")])

    ordered(world, quote)

    lines = billed_on(world, "2026-03-01")
    assert [line[2] for line in lines] == ["90.00"]


def test_a_discount_needs_a_quote_and_gets_one(world, item):
    quote = sent(
        world, ChangeInput(item.pk, "renew", months=12, discount_percent="10", price="current")
    )

    order = ordered(world, quote)

    assert order.kind == Order.Kind.RENEW
    actions = list(order.lines.order_by("position").values_list("action", flat=True))
    assert actions == [LineAction.TERMS, LineAction.COMMIT]
    term = Commitment.objects.get()
    assert (term.starts_on, term.ends_on) == (FIRST_OF_MARCH, date(2027, 3, 1))
    assert [line[2] for line in billed_on(world, "2026-03-01")] == ["27.00"]


def test_more_of_it_at_the_price_that_was_agreed(world, item):
    reprice(item.product_version, charges=[monthly("99.00")])
    quote = sent(world, ChangeInput(item.pk, "change", quantity="3"))

    assert delta_of(quote).monthly.amount == D("60.00")
    order = ordered(world, quote)

    assert order.lines.get().action == LineAction.QUANTITY
    assert [line[2] for line in billed_on(world, "2026-03-01")] == ["90.00"]


def test_a_renewal_follows_the_term_that_runs_in_its_words(world, item):
    agreed = Commit(
        item.pk,
        12,
        renewal=Renewal.UPLIFT,
        uplift_percent="5",
        notice_days=30,
        starts_on=date(2026, 1, 1),
    )
    commit(account_id=world.account.pk, wishes=[agreed], at=world.now, actor_id=None)
    quote = sent(world, ChangeInput(item.pk, "renew", months=24))

    delta = delta_of(quote)
    assert (delta.monthly.amount, delta.monthly_after, delta.first_bill_on) == (0, D("30.00"), None)
    assert "5" not in delta.lines[0].notes  # words, not figures alone
    ordered(world, quote)

    term = Commitment.objects.order_by("-number").first()
    assert (term.starts_on, term.ends_on) == (date(2027, 1, 1), date(2029, 1, 1))
    assert (term.renewal, term.uplift_percent, term.notice_days) == ("uplift", D(5), 30)
    assert term.order_line.quote_line.quote == quote


def test_services_end_together(world, item):
    agreed = Commit(item.pk, 12, starts_on=date(2026, 1, 1))
    commit(account_id=world.account.pk, wishes=[agreed], at=world.now, actor_id=None)
    quote = sent(world, ChangeInput(item.pk, "co_term", to=date(2027, 6, 1)))

    order = ordered(world, quote)

    assert order.lines.get().action == LineAction.COMMIT
    assert Commitment.objects.order_by("-number").first().ends_on == date(2027, 6, 1)


def test_an_end_with_its_fee(world, item):
    agreed = Commit(
        item.pk, 12, leaving_fee="fixed", leaving_value="100", starts_on=date(2026, 1, 1)
    )
    commit(account_id=world.account.pk, wishes=[agreed], at=world.now, actor_id=None)
    quote = sent(world, ChangeInput(item.pk, "end"))

    delta = delta_of(quote)
    assert (delta.monthly.amount, delta.once) == (D("-30.00"), D("100.00"))
    order = ordered(world, quote)

    assert order.kind == Order.Kind.CANCEL
    assert [line[2] for line in billed_on(world, "2026-03-01")] == ["100.00"]
    assert foreseen(delta) == [("2026-03-01", "2026-03-02", "100.00")]


def test_a_service_that_changed_meanwhile_refuses_the_whole_offer(world, item):
    quote = sent(world, ChangeInput(item.pk, "change", quantity="3"))
    told(world, item, Act.QUANTITY, quantity="2")
    before = written()

    with pytest.raises(Refused) as no:
        place_order(quote_id=quote.pk, by="Dr. P. Hall", at=world.now)

    assert (no.value.code, no.value.field) == ("changed_meanwhile", "changes[0].item")
    assert (written(), Quote.objects.get(pk=quote.pk).state) == (before, "sent")


def test_a_fee_that_changed_meanwhile_refuses_it_too(world, item):
    quote = sent(world, ChangeInput(item.pk, "end"))
    agreed = Commit(
        item.pk, 12, leaving_fee="fixed", leaving_value="100", starts_on=date(2026, 1, 1)
    )
    commit(account_id=world.account.pk, wishes=[agreed], at=world.now, actor_id=None)

    with pytest.raises(Refused) as no:
        place_order(quote_id=quote.pk, by="Dr. P. Hall", at=world.now)

    assert (no.value.code, no.value.field) == ("changed_meanwhile", "changes[0].fee")


def test_it_cannot_be_accepted_after_the_day_from_which_it_counts(world, item):
    quote = sent(world, ChangeInput(item.pk, "change", quantity="3"), valid_until=FIRST_OF_MARCH)
    world.on("2026-03-02")

    with pytest.raises(Refused) as no:
        place_order(quote_id=quote.pk, by="Dr. P. Hall", at=world.now)

    assert no.value.code == "quote_expired"


def test_the_next_version_keeps_what_was_wanted(world, item):
    quote = sent(world, ChangeInput(item.pk, "change", quantity="3"))
    before = delta_of(quote)
    new = revise_quote(quote_id=quote.pk, owner_id=quote.owner_id, at=world.now)

    assert (new.kind, new.start_on) == (Quote.Kind.CHANGE, FIRST_OF_MARCH)
    assert delta_of(new) == before
    send_quote(quote_id=new.pk, at=world.now)
    ordered(world, Quote.objects.get(pk=new.pk))
    assert [line[2] for line in billed_on(world, "2026-03-01")] == ["90.00"]


def test_a_draft_is_edited(world, item):
    quote = drafted(world, ChangeInput(item.pk, "change", quantity="3"))
    edit_changes(
        a_draft(world, ChangeInput(item.pk, "end"), title="Less"), quote_id=quote.pk, at=world.now
    )

    quote.refresh_from_db()
    assert (quote.title, quote.lines.get().action) == ("Less", "end")
    assert QuotedChange.objects.get().asked["action"] == "end"


def test_what_a_draft_keeps_is_read_as_it_was(world, item):
    change = ChangeInput(
        item.pk, "renew", on=FIRST_OF_MARCH, months=3, uplift_percent=D("2.5"), quantity="2"
    )
    line = QuoteLine(pk=1)
    again = read(QuotedChange(line=line, item_id=item.pk, asked=kept(change)))
    assert (again.on, again.months, D(again.uplift_percent)) == (FIRST_OF_MARCH, 3, D("2.5"))


def test_what_was_shown_stays_what_it_was(world, item):
    quote = sent(world, ChangeInput(item.pk, "change", quantity="3"))
    shown = delta_of(quote)

    assert from_body(body_of(shown)) == shown
    assert from_body(QuotedDelta.objects.get(quote=quote).body) == shown
    ordered(world, quote)
    assert delta_of(Quote.objects.get(pk=quote.pk)) == shown
    (part,) = quote_parts(quote.pk)
    assert part.part["delta"] == shown


@pytest.mark.parametrize(
    ("change", "given", "code", "field"),
    [
        ({"action": "add"}, {}, "action_invalid", "changes[0].action"),
        ({"action": "change"}, {}, "nothing_changes", "changes[0].product"),
        ({"action": "change", "quantity": "1"}, {}, "nothing_changes", "changes[0].product"),
        ({"action": "change", "quantity": "0"}, {}, "quantity_invalid", "changes[0].quantity"),
        ({"action": "change", "quantity": "x"}, {}, "quantity_invalid", "changes[0].quantity"),
        ({"action": "change", "product": "nope"}, {}, "product_unknown", "changes[0].product"),
        (
            {"action": "change", "discount_percent": "101"},
            {},
            "discount_invalid",
            "changes[0].discount_percent",
        ),
        ({"action": "change", "price": "cheap"}, {}, "price_invalid", "changes[0].price"),
        ({"action": "renew"}, {}, "months_invalid", "changes[0].months"),
        ({"action": "renew", "months": 0}, {}, "months_invalid", "changes[0].months"),
        (
            {"action": "renew", "months": 1, "renewal": "never"},
            {},
            "renewal_invalid",
            "changes[0].renewal",
        ),
        ({"action": "co_term"}, {}, "day_invalid", "changes[0].to"),
        ({"action": "co_term", "to": date(2027, 1, 1)}, {}, "no_commitment", "changes[0].item"),
        ({"action": "end", "on": date(2026, 2, 20)}, {}, "day_invalid", "changes[0].on"),
        ({"action": "end", "on": date(3000, 2, 20)}, {}, "day_invalid", "changes[0].on"),
        ({"action": "end"}, {"start_on": date(2026, 2, 9)}, "start_invalid", "start_on"),
        (
            {"action": "end"},
            {"valid_until": date(2026, 3, 2)},
            "validity_invalid",
            "valid_until",
        ),
        (
            {"action": "end"},
            {"valid_until": date(2026, 2, 9)},
            "validity_invalid",
            "valid_until",
        ),
    ],
)
def test_refused(world, item, change, given, code, field):
    before = (*written(), Quote.objects.count())
    with pytest.raises(Refused) as no:
        brings(world, ChangeInput(item.pk, **change), **given)
    assert (no.value.code, no.value.field) == (code, field)
    assert (*written(), Quote.objects.count()) == before


def test_nothing_twice_and_nobody_elses(world, item):
    asked = ChangeInput(item.pk, "change", quantity="3")
    with pytest.raises(Refused) as no:
        drafted(world, asked, asked)
    assert (no.value.code, no.value.field) == ("service_twice", "changes[1].item")
    with pytest.raises(Refused) as no:
        drafted(world)
    assert (no.value.code, no.value.field) == ("no_lines", "changes")
    other = world.an_account()
    with pytest.raises(Refused) as no:
        draft_changes(
            ChangeDraft(other.pk, FIRST_OF_MARCH, FIRST_OF_MARCH, [asked]),
            owner_id=a_user("sales").pk,
            at=world.now,
        )
    assert (no.value.code, no.value.field) == ("item_unknown", "changes[0].item")
    assert not Quote.objects.filter(kind="change").exists()


def test_the_notice_counts_from_the_last_day_of_the_offer(world, item):
    agreed = Commit(item.pk, 12, notice_days=16, starts_on=date(2026, 1, 1))
    commit(account_id=world.account.pk, wishes=[agreed], at=world.now, actor_id=None)
    with pytest.raises(Refused) as no:
        drafted(world, ChangeInput(item.pk, "end"))  # open until 15 February, then 14 days
    assert (no.value.code, no.value.field) == ("notice_too_short", "changes[0].on")
    drafted(world, ChangeInput(item.pk, "end"), valid_until=date(2026, 2, 12))


def test_several_services_of_which_one_is_wrong(world, item):
    world.sell(products=[a_product(code="mail", charges=[monthly("5.00")])])
    mail = Item.objects.exclude(pk=item.pk).get()
    good = ChangeInput(item.pk, "renew", months=12)
    with pytest.raises(Refused) as no:
        brings(world, good, ChangeInput(mail.pk, "change", product="nope"))
    assert (no.value.code, no.value.field) == ("product_unknown", "changes[1].product")


def test_a_plain_quote_knows_nothing_of_it(world, item):
    assert quote_parts(world.quote().pk) == []
    assert OrderLine.objects.get().quote_line.action == "add"


def test_no_discount_is_no_new_price(world, item):
    reprice(item.product_version, charges=[monthly("99.00")])
    quote = sent(world, ChangeInput(item.pk, "change", quantity="3", discount_percent="0.00"))
    assert ordered(world, quote).lines.get().action == LineAction.QUANTITY


def test_what_has_not_begun_cannot_change(world, item):
    Item.objects.filter(pk=item.pk).update(anchor_on=None)
    with pytest.raises(Refused) as no:
        drafted(world, ChangeInput(item.pk, "end"))
    assert (no.value.code, no.value.field) == ("before_start", "changes[0].item")


def test_a_draft_knows_what_the_account_has(world, item):
    mail = a_product(code="mail", name="Mail", charges=[monthly("5.00")])
    amended(mail, rules=[("requires", item.product_version)])
    line = LineInput(product="mail", quantity="1")
    draft = a_draft(world, ChangeInput(item.pk, "change", quantity="3"), lines=[line])
    already = held_by(world.account.pk)
    quote = draft_changes(draft, owner_id=a_user("sales").pk, at=world.now, already=already)

    (part,) = quote_parts(quote.pk)
    assert part.part["delta"].monthly.amount == D("65.00")


def test_another_grant_is_named(world, item):
    a_meter("data", unit="GB")
    grant = {"units": "100", "meter": "data", "rollover": "20"}
    a_product(code="plan", charges=[monthly("50.00", details={"grant": grant})])
    delta = brings(world, ChangeInput(item.pk, "change", product="plan", quantity="2"))
    (line,) = delta.lines
    assert line.notes == (
        "Before: brings nothing into a pool. From then on: brings 200 GB into the pool of Data, in "
        "each period; up to 20 roll over for 1 period.",
    )
