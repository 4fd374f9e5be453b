"""What the kinds of work do when something happens: call off, revoke, mail, look for money."""

from collections.abc import Mapping, Sequence

from o2b import clock, events
from o2b.customers.models import Account
from o2b.models import Event
from o2b.people.models import Topic
from o2b.people.notices.services import tell
from orders.fulfilment import services as fulfilment
from orders.fulfilment.outcomes import Done, TryAgain
from orders.gateways.mail import send_letter
from orders.kinds.addresses import contact_of
from orders.licences import services as licences
from orders.licences.letters import key_letter
from orders.models import LicenceKey, OrderLine, PurchaseOrder, Task, WaitsFor
from orders.purchases.letters import cancellation_letter
from orders.visits import services as visits

AT_ONCE = 50
FOR_MONEY = (WaitsFor.PAYMENT, WaitsFor.CREDIT, WaitsFor.EVENT)


class NotMailed(Exception):
    """The mail server is away; the letter is owed still."""


@events.batch_reaction("orders.call_off_lines", at_once=AT_ONCE)
def call_off_lines(line_ids: list[int]) -> None:
    """Lines are given up: visits are called off, and what waits for goods looks at it."""
    machine_now = clock.now()
    for moment, lines in clock.by_moment(_accounts_of(line_ids)).items():
        visits.call_off_visits(line_ids=lines, at=moment)
        for_goods = Task.objects.filter(
            line__in=lines, state=Task.State.RUNNING, waits_for=WaitsFor.GOODS
        )
        ids = list(for_goods.values_list("pk", flat=True))
        fulfilment.nudge(task_ids=ids, at=moment, machine_now=machine_now)


@events.batch_reaction("orders.revoke_licences", at_once=AT_ONCE)
def revoke_licences(line_ids: list[int]) -> None:
    """Lines are cancelled, and their keys are void."""
    for moment, lines in clock.by_moment(_accounts_of(line_ids)).items():
        licences.revoke_keys(line_ids=lines, at=moment)


@events.reaction("orders.revoke_licences_of_item")
def revoke_licences_of_item(key: int) -> None:
    """An item has left service: its event names the order line (`order_line`) that began it."""
    told = Event.objects.filter(
        name="item.ended", subject_type="subscriptions.item", subject_id=key
    )
    newest = told.order_by("-id").first()
    if newest is None or "order_line" not in newest.facts:
        raise LookupError(f"item.ended of item {key} names no order_line")
    licences.revoke_keys(line_ids=[newest.facts["order_line"]], at=newest.at)


@events.outside_reaction("orders.mail_licences")
def mail_licences(owed: dict[int, list[int]], key: int) -> None:
    """Send the keys of one task to the account's contact; whom it concerns hears if that fails."""
    task = Task.objects.select_related(
        "account__customer", "account__test_clock", "account__legal_entity", "line__order"
    ).get(pk=key)
    at = clock.now(task.account)
    waiting = LicenceKey.objects.filter(
        task=task, mailed_at=None, state=LicenceKey.State.ISSUED
    ).order_by("number")
    keys = [each.key for each in waiting]
    to = contact_of(task.account)
    if not keys:
        events.done(owed[key])
    elif not to:
        reason = "the customer has no contact with an e-mail address"
        licences.note_not_mailed(task_id=key, reason=reason, at=at, owed=owed[key])
    else:
        _mail_keys(task, keys, to, owed[key])


def _mail_keys(task: Task, keys: Sequence[str], to: str, owed: Sequence[int]) -> None:
    at = clock.now(task.account)
    subject, text = key_letter(task, keys)
    sent = send_letter(key=f"licence-{task.pk}", to=to, subject=subject, text=text)
    if isinstance(sent, Done):
        licences.note_mailed(task_id=task.pk, to=to, owed=owed, at=at)
    elif isinstance(sent, TryAgain):
        licences.note_not_mailed(task_id=task.pk, reason=sent.reason, at=at)
        raise NotMailed(sent.reason)
    else:
        licences.note_not_mailed(task_id=task.pk, reason=sent.reason, at=at, owed=owed)


@events.outside_reaction("orders.mail_cancellation")
def mail_cancellation(owed: dict[int, list[int]], key: int) -> None:
    """Write to the vendor that an order is called off."""
    purchase = PurchaseOrder.objects.select_related(
        "account__legal_entity", "account__test_clock", "line"
    ).get(pk=key)
    if not purchase.vendor_email:
        events.done(owed[key])
        return
    subject, text = cancellation_letter(purchase)
    name = f"purchase-{purchase.task_id}-cancelled"
    sent = send_letter(key=name, to=purchase.vendor_email, subject=subject, text=text)
    if not isinstance(sent, Done):
        _tell_of_vendor(purchase, sent.reason)
    if isinstance(sent, TryAgain):
        raise NotMailed(sent.reason)
    events.done(owed[key])


def _tell_of_vendor(purchase: PurchaseOrder, reason: str) -> None:
    tell(
        user_ids=[purchase.account.advocate_id],
        topic=Topic.FALLOUT,
        key=f"purchase-cancellation-{purchase.pk}",
        title=f"{purchase.vendor} was not told that {purchase.number} is cancelled",
        text=reason,
        url=purchase.get_absolute_url(),
        tone="bad",
        at=clock.now(purchase.account),
    )


@events.batch_reaction("orders.look_at_payments", at_once=AT_ONCE)
def look_at_payments(account_ids: list[int]) -> None:
    """Money came: whatever of these accounts waits for it looks now."""
    machine_now = clock.now()
    accounts = Account.objects.select_related("test_clock").in_bulk(account_ids)
    for moment, keys in clock.by_moment(accounts).items():
        waiting = Task.objects.filter(
            account__in=keys, state=Task.State.RUNNING, waits_for__in=FOR_MONEY
        )
        ids = list(waiting.values_list("pk", flat=True))
        fulfilment.nudge(task_ids=ids, at=moment, machine_now=machine_now)


def _accounts_of(line_ids: Sequence[int]) -> Mapping[int, Account]:
    lines = OrderLine.objects.filter(pk__in=line_ids).select_related("account__test_clock")
    return {line.pk: line.account for line in lines}
