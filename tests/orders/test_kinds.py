"""Kinds of work: waits, payments, credit, approvals and letters, each by the account's clock."""

import smtplib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.core.mail.backends import locmem
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b import events
from o2b.models import Event, Outbox, TestClock
from orders import services
from orders.fulfilment import handlers
from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Done, Failed, TryAgain
from orders.kinds.contract import sample_job
from orders.kinds.parameters import number_of
from orders.models import Approval, Attempt, Evidence, Queue, Task, WorkCalendar
from orders.tasks import kinds
from tests.factories import a_sent_quote, monthly, setup_fee
from tests.orders.build import LATER, NOON, a_placed_order, a_product, a_user, an_account, states
from tests.orders.kinds_build import a_contact, again, first, run, standing, step
from tests.orders.test_acceptance import at_once

pytestmark = pytest.mark.django_db

FRIDAY = datetime(2026, 1, 30, 12, tzinfo=UTC)


def faults(handler, **parameters):
    found = handlers.find(handler)
    assert found
    return found.faults(parameters)


# waits


@pytest.mark.parametrize(
    ("parameters", "until"),
    [
        ({"until": "2026-02-03"}, datetime(2026, 2, 2, 23, tzinfo=UTC)),
        ({"days": 2}, datetime(2026, 1, 31, 23, tzinfo=UTC)),
        ({"days": "=1 + 1"}, datetime(2026, 1, 31, 23, tzinfo=UTC)),
        # Friday; Saturday and Sunday do not count.
        ({"working_days": 1}, datetime(2026, 2, 1, 23, tzinfo=UTC)),
        ({"working_days": 6}, datetime(2026, 2, 8, 23, tzinfo=UTC)),
    ],
)
def test_a_wait_ends_when_its_day_begins_where_the_account_lives(parameters, until):
    account = an_account(time_zone="Europe/Berlin")
    order = a_placed_order(account=account, tasks=[step("wait", parameters=parameters)])
    task = run(order, FRIDAY)
    assert (task.state, task.waits_for, task.resume_at) == ("running", "date", until)
    assert run(order, until - timedelta(seconds=1)).state == "running"
    assert Attempt.objects.filter(task=task).count() == 1
    assert run(order, until).state == "done"
    assert states(order) == (["completed"], ["done"])


@pytest.mark.parametrize("parameters", [{"until": "2026-01-30"}, {"days": 0}, {"working_days": 0}])
def test_a_wait_for_a_day_that_has_come_is_none(parameters):
    order = a_placed_order(tasks=[step("wait", parameters=parameters)])
    assert run(order, FRIDAY).state == "done"


def test_working_days_are_those_of_the_steps_queue():
    calendar = WorkCalendar.objects.create(
        code="six", name="Six days", hours={d: [["08:00", "12:00"]] for d in ("fri", "sat", "mon")}
    )
    Queue.objects.create(code="crew", name="Crew", calendar=calendar)
    plan = [step("wait", queue="crew", parameters={"working_days": 2})]
    order = a_placed_order(tasks=plan)
    assert run(order, FRIDAY).resume_at == datetime(2026, 2, 2, tzinfo=UTC)


def test_holidays_of_the_sellers_country_do_not_count():
    order = a_placed_order(tasks=[step("wait", parameters={"working_days": 1})])
    before_easter = datetime(2026, 4, 2, 12, tzinfo=UTC)  # Thursday; Good Friday to Easter Monday
    assert run(order, before_easter).resume_at == datetime(2026, 4, 7, tzinfo=UTC)


def test_a_wait_obeys_the_accounts_test_clock():
    told = TestClock.objects.create(name="t", now=NOON)
    order = a_placed_order(
        account=an_account(test_clock=told), tasks=[step("wait", parameters={"days": 30})]
    )
    services.advance_order(order_id=order.pk, worker="w")
    assert first(order).resume_at == datetime(2026, 3, 2, tzinfo=UTC)
    Outbox.objects.all().delete()
    machine = datetime(2030, 1, 1, tzinfo=UTC)
    assert services.wake_due(machine_now=machine) == 0
    TestClock.objects.update(now=datetime(2026, 3, 2, tzinfo=UTC))
    assert services.wake_due(machine_now=machine) == 1
    services.advance_order(order_id=order.pk, worker="w")
    assert first(order).state == "done"


def test_what_was_reckoned_first_stands():
    order = a_placed_order(tasks=[step("wait", parameters={"days": 3})])
    until = run(order, FRIDAY).resume_at
    assert again(order, FRIDAY + timedelta(days=2)).resume_at == until


def test_a_wait_for_an_event_of_the_order_or_of_the_account():
    plan = [step("wait", parameters={"event": "order.commented"})]
    order, other = a_placed_order(tasks=plan), a_placed_order(tasks=plan)
    events.record("order.commented", order, at=NOON)  # before it began to wait
    for each in (order, other):
        task = run(each, LATER)
        assert (task.state, task.waits_for, task.due_at) == (
            "running",
            "event",
            LATER + timedelta(seconds=300),
        )
    events.record("order.commented", order, at=LATER + timedelta(seconds=1))
    later = LATER + timedelta(seconds=300)
    assert (run(order, later).state, run(other, later).state) == ("done", "running")
    told = Evidence.objects.get(task=first(order)).data
    assert told == {"event": "order.commented", "event_at": "2026-02-01T12:00:01+00:00"}
    Event.objects.create(
        name="order.commented",
        subject_type="x",
        subject_id=1,
        account_id=other.account_id,
        at=later,
    )
    assert again(other, later).state == "done"


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({}, "one of until, days, working_days, event"),
        ({"days": 1, "until": "2026-01-01"}, "one of until, days, working_days, event"),
        ({"days": -1}, "days: a whole number from 0 to 3650"),
        ({"days": 1.5}, "days: a whole number from 0 to 3650"),
        ({"until": "soon"}, "until: a day, such as 2026-11-30"),
        ({"event": "no.such"}, "event: a name of o2b/flow.py"),
        ({"days": 1, "x": 1}, "x is no parameter of it"),
    ],
)
def test_what_a_wait_cannot_be(parameters, fault):
    assert fault in faults("wait", **parameters)
    assert faults("wait", days="=quantity * 2") == []


def test_nonsense_that_an_expression_gives_falls_out():
    order = a_placed_order(tasks=[step("wait", parameters={"until": "=product"})])
    task = run(order)
    assert (task.state, task.failure_class) == ("fallout", "set_up")
    assert task.failure == "until: a day, such as 2026-11-30"


# payments


def a_priced_order(*steps, account=None):
    """One line at 99.00 once and 49.90 a month."""
    product = a_product(tasks=list(steps), charges=[monthly(), setup_fee()])
    quote = a_sent_quote(account=account or an_account(), products=[product])
    return services.place_order(quote_id=quote.pk, by="Ann Hall", at=NOON)


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ({"what": "deposit", "amount": "100"}, "100.00"),
        ({"what": "deposit", "amount": "=quantity * 100"}, "100.00"),
        ({"what": "deposit", "percent": 50}, "74.45"),
    ],
)
def test_a_deposit_is_waited_for(parameters, wanted):
    order = a_priced_order(step("payment", parameters=parameters))
    almost = str(Decimal(wanted) - Decimal("0.01"))
    task = run(order, of=standing(credit=almost))
    assert (task.state, task.waits_for) == ("running", "payment")
    assert task.failure == f"deposit: {almost} of {wanted} EUR received"
    assert again(order, of=standing(credit=wanted)).state == "done"
    assert Evidence.objects.get().data == {"deposit": wanted, "currency": "EUR"}


def test_money_is_there_once():
    account = an_account()
    plan = [
        step("payment", parameters={"what": "deposit", "amount": 100}),
        step("wait", "then", parameters={"days": 9}, after=["step"]),
    ]
    orders = [a_priced_order(*plan, account=account) for _ in range(2)]
    assert [run(order, of=standing(credit="150")).state for order in orders] == ["done", "running"]
    assert again(orders[1], of=standing(credit="200")).state == "done"


def test_a_deposit_is_counted_on_until_its_line_is_billed():
    """The money stays unallocated until the invoice: another order must not count on it."""
    account = an_account()
    plan = [step("payment", parameters={"what": "deposit", "amount": 100})]
    one, other = [a_priced_order(*plan, account=account) for _ in range(2)]
    assert run(one, of=standing(credit="100")).state == "done"
    line = one.lines.get()
    assert (line.state, line.delivered_on) == ("completed", LATER.date())
    task = run(other, of=standing(credit="100"))
    assert (task.state, task.failure) == ("running", "deposit: 0.00 of 100.00 EUR received")
    for day in (LATER.date() - timedelta(days=1), LATER.date()):
        assert again(other, of=standing(credit="100", billed_on=day)).state == "running"
    tomorrow = LATER.date() + timedelta(days=1)
    assert again(other, of=standing(credit="100", billed_on=tomorrow)).state == "done"


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_count_on_the_same_money():
    account = an_account()
    plan = [step("payment", parameters={"what": "deposit", "amount": 100})]
    orders = iter([a_priced_order(*plan, account=account) for _ in range(4)])
    at_once(4, lambda: run(next(orders), of=standing(credit="150")))
    assert Evidence.objects.count() == 1
    found = Task.objects.order_by().values_list("state", flat=True)
    assert sorted(found) == ["done", "running", "running", "running"]


def test_two_lines_of_one_order_count_on_the_same_money_once():
    plan = [step("payment", parameters={"what": "deposit", "amount": 100})]
    order = a_placed_order(tasks=plan, lines=2)
    run(order, of=standing(credit="150"))
    assert states(order)[1] == ["done", "running"]


def test_the_first_bill_is_waited_for_and_payment_wakes_the_order():
    order = a_priced_order(step("payment", parameters={"what": "first_bill"}))
    other = a_priced_order(step("payment", parameters={"what": "first_bill"}))
    for each in (order, other):
        assert run(each, of=standing()).failure == "the first bill is not paid yet"
    Outbox.objects.all().delete()
    kinds.look_at_payments(key=order.account_id)
    assert list(Outbox.objects.values_list("task", "key")) == [("orders.advance_order", order.pk)]
    task = run(order, datetime(2100, 1, 1, tzinfo=UTC), of=standing(has_paid_a_bill=True))
    assert task.state == "done"


@pytest.mark.parametrize("handler", ["payment", "credit_check"])
def test_nobody_tells_how_the_account_stands(handler):
    parameters = {"what": "first_bill"} if handler == "payment" else {}
    order = a_placed_order(tasks=[step(handler, parameters=parameters)])
    task = run(order, of=None)
    assert (task.state, task.failure) == ("fallout", "nobody tells how the account stands")


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({}, "what is missing"),
        ({"what": "gold"}, "what: deposit or first_bill"),
        ({"what": "deposit"}, "a deposit is an amount, or a percent of the order"),
        (
            {"what": "deposit", "amount": 1, "percent": 1},
            "a deposit is an amount, or a percent of the order",
        ),
        ({"what": "deposit", "percent": 101}, "percent: a percentage, above 0 up to 100"),
        ({"what": "deposit", "amount": "NaN"}, "amount: an amount, such as 49.90"),
    ],
)
def test_what_a_payment_cannot_be(parameters, fault):
    assert fault in faults("payment", **parameters)


# credit


@pytest.mark.parametrize(
    ("parameters", "of", "reason"),
    [
        ({}, {"owed": "100000"}, ""),
        ({}, {"owed": "51.10", "limit": Decimal(200)}, ""),
        (
            {},
            {"owed": "51.11", "limit": Decimal(200)},
            "200.01 EUR would be owed, 200.00 EUR may be",
        ),
        ({"limit": 100}, {"limit": Decimal(200)}, "148.90 EUR would be owed, 100.00 EUR may be"),
        ({}, {"overdue": "0.01"}, "0.01 EUR are overdue"),
        ({"overdue_allowed": "5"}, {"overdue": "5"}, ""),
        ({}, {"owed": "-500", "limit": Decimal("148.90")}, ""),
    ],
)
def test_credit_is_checked(parameters, of, reason):
    order = a_priced_order(step("credit_check", parameters=parameters))
    task = run(order, of=standing(**of))
    assert (task.state, task.failure) == (("running", reason) if reason else ("done", ""))
    assert Approval.objects.count() == bool(reason)


def test_bad_credit_waits_for_money():
    order = a_priced_order(step("credit_check"))
    task = run(order, of=standing(overdue="10"))
    assert task.waits_for == "credit"
    asked = Approval.objects.get()
    assert (asked.kind, asked.task, asked.reason, asked.state) == (
        "step",
        task,
        "10.00 EUR are overdue",
        "asked",
    )
    assert again(order, of=standing(overdue="9")).state == "running"
    assert again(order, of=standing()).state == "done"
    asked.refresh_from_db()
    assert asked.state == "withdrawn"


@pytest.mark.parametrize(("answer", "state"), [("grant", "done"), ("refuse", "fallout")])
def test_bad_credit_waits_for_somebody_who_approves(answer, state):
    order, chief = a_priced_order(step("credit_check")), a_user()
    run(order, of=standing(overdue="10"))
    asked = Approval.objects.get()
    getattr(asked, answer)(at=LATER, by=chief.pk, answer="known to me")
    asked.save()
    assert again(order, of=standing(overdue="10")).state == state


def test_bad_credit_falls_out_if_the_plan_says_so():
    order = a_priced_order(step("credit_check", parameters={"on_bad": "fallout"}))
    task = run(order, of=standing(overdue="10"))
    assert (task.state, task.failure_class) == ("fallout", "refused")
    assert not Approval.objects.exists()


def test_credit_and_deposits_of_many_lines_are_looked_up_once():
    def counted(lines):
        plan = [
            step("credit_check", "credit", parameters={"limit": 100_000}),
            step("payment", "deposit", parameters={"what": "deposit", "percent": 1}),
        ]
        order, asked = a_placed_order(tasks=plan, lines=lines), []

        def standing_of(account_id):
            asked.append(account_id)
            return standing(credit="100000")

        with CaptureQueriesContext(connection) as made:
            services.advance_order(
                order_id=order.pk, at_of=lambda _: LATER, worker="w", standing_of=standing_of
            )
        assert states(order) == (["completed"] * lines, ["done"] * 2 * lines)
        assert asked == [order.account_id]
        return len(made)

    assert counted(1) == counted(9)


def test_a_job_that_breaks_takes_nothing_from_the_others(monkeypatch):
    def one(job):
        if job.quantity == 2:
            raise LookupError("two")
        return Done()

    def many(jobs):
        return {job.task_id: one(job) for job in jobs}

    monkeypatch.setitem(handlers.HANDLERS, "mine", Handler(run=one, run_many=many, instant=True))
    jobs = [replace(sample_job("mine", at=NOON), task_id=n, quantity=Decimal(n)) for n in (1, 2, 3)]
    found = handlers.run_all(jobs)
    assert [type(found[n]) for n in (1, 2, 3)] == [Done, TryAgain, Done]
    assert found[2].reason == "LookupError: two"


# approvals


@pytest.mark.parametrize("of_whom", ["advocate", "anyone"])
def test_an_approval_is_asked_once_and_obeyed(of_whom):
    plan = [step("approval", parameters={"reason": "Is the mast allowed?", "of_whom": of_whom})]
    order = a_placed_order(tasks=plan)
    task = run(order)
    assert (task.state, task.waits_for, task.failure) == (
        "running",
        "approval",
        "Is the mast allowed?",
    )
    again(order)
    asked = Approval.objects.get()
    assert asked.of_whom_id == (order.account.advocate_id if of_whom == "advocate" else None)
    assert Event.objects.get(name="approval.asked").order_id == order.pk
    asked.grant(at=LATER, by=order.account.advocate_id, answer="yes")
    asked.save()
    assert again(order).state == "done"
    shown = Evidence.objects.get()
    assert shown.data == {"approved_by": str(order.account.advocate), "answer": "yes"}
    assert shown.by_id == order.account.advocate_id


def test_a_refusal_falls_out_and_a_retry_asks_anew():
    order = a_placed_order(tasks=[step("approval", parameters={"reason": "May we?"})])
    run(order)
    asked, chief = Approval.objects.get(), a_user()
    asked.refuse(at=LATER, by=chief.pk, answer="not on Sundays")
    asked.save()
    task = again(order)
    assert (task.state, task.failure) == ("fallout", f"refused by {chief}: not on Sundays")
    services.retry_task(task_id=task.pk, user_id=chief.pk, at=LATER)
    assert run(order).state == "running"
    assert list(Approval.objects.order_by("pk").values_list("state", flat=True)) == [
        "refused",
        "asked",
    ]


# letters

LETTER = {
    "to": "contact",
    "subject": "{order}: {step}",
    "text": "Dear {customer}, {quantity} × {product}.",
}


def test_a_letter_is_written_with_what_the_order_knows():
    order = a_placed_order(tasks=[step("email", parameters=LETTER)])
    a_contact(order, "first@acme.example")
    a_contact(order, "signs@acme.example", signs=True)
    task = run(order)
    assert task.state == "done"
    letter = mail.outbox[0]
    line = order.lines.get()
    assert (letter.to, letter.subject) == (["signs@acme.example"], f"{order.number}: Step")
    assert letter.body == (
        f"Dear {order.account.customer.name}, 1 × {line.product_version.product.name}."
    )
    assert letter.extra_headers["Message-ID"] == f"<task-{task.pk}@localhost>"
    assert task.request == {
        "to": "signs@acme.example",
        "subject": f"{order.number}: Step",
        "message_id": f"<task-{task.pk}@localhost>",
    }


def test_a_letter_to_the_advocate_or_to_an_address():
    account = an_account(advocate=a_user(email="rita@o2b.example"))
    plan = [
        step("email", "a", parameters=LETTER | {"to": "advocate"}),
        step("email", "b", parameters=LETTER | {"to": "=lower('OPS@acme.example')"}),
    ]
    order = a_placed_order(account=account, tasks=plan)
    run(order)
    assert sorted(letter.to[0] for letter in mail.outbox) == [
        "ops@acme.example",
        "rita@o2b.example",
    ]


def test_nobody_to_write_to():
    order = a_placed_order(tasks=[step("email", parameters=LETTER)])
    task = run(order)
    assert (task.state, task.failure_class) == ("fallout", "set_up")
    assert task.failure == "there is no e-mail address of the contact"
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("fault", "state", "kind"),
    [
        (ConnectionRefusedError("no"), "ready", "unreachable"),
        (smtplib.SMTPServerDisconnected("gone"), "ready", "unreachable"),
        (TimeoutError("slow"), "ready", "timeout"),
        (smtplib.SMTPDataError(451, b"later"), "ready", "overloaded"),
        (smtplib.SMTPDataError(554, b"spam"), "fallout", "refused"),
        (smtplib.SMTPAuthenticationError(535, b"who?"), "fallout", "set_up"),
        (smtplib.SMTPRecipientsRefused({"a@b": (550, b"unknown")}), "fallout", "refused"),
        (smtplib.SMTPRecipientsRefused({"a@b": (450, b"grey")}), "ready", "overloaded"),
    ],
)
def test_faults_of_the_mail_server_have_their_class(monkeypatch, fault, state, kind):
    def broken(self, messages):
        raise fault

    monkeypatch.setattr(locmem.EmailBackend, "send_messages", broken)
    order = a_placed_order(tasks=[step("email", parameters=LETTER)])
    a_contact(order)
    task = run(order)
    assert (task.state, task.failure_class) == (state, kind)
    assert (task.request or {})["to"] == "ann@acme.example"


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({}, "to is missing"),
        (LETTER | {"to": "nobody"}, "to: contact, advocate, or an e-mail address"),
        (LETTER | {"subject": "a\nb"}, "subject: one line"),
        (LETTER | {"text": "{password}"}, "{password} is no word that is filled in"),
    ],
)
def test_what_a_letter_cannot_be(parameters, fault):
    assert fault in faults("email", **parameters)
    assert faults("email", **LETTER) == []


def test_exact_numbers():
    assert [number_of(value) for value in (1, "1.5", 1.5, True, None, "x", "NaN", [])] == [
        Decimal(1),
        Decimal("1.5"),
        Decimal("1.5"),
        None,
        None,
        None,
        None,
        None,
    ]


def test_activation_takes_no_parameters():
    assert faults("activation", speed=1) == ["speed is no parameter of it"]
    assert isinstance(handlers.run(sample_job("activation", at=NOON)), Done)
    assert isinstance(handlers.run(sample_job("vendor_order", at=NOON)), Failed)
