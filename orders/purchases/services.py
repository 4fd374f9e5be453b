"""Verbs of purchases: order of a vendor, expect it on another day, receive in parts, cancel."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import clock, events, fsm
from o2b.customers.models import Account
from o2b.errors import Invalid, Refused
from o2b.money import quantise
from orders.fulfilment.outcomes import Done, Failed, Outcome
from orders.fulfilment.services.hand import check_reason
from orders.fulfilment.services.scene import Scene
from orders.fulfilment.services.settle import settle
from orders.fulfilment.services.wake import wake, wake_those_behind
from orders.models import (
    FailureClass,
    Jeopardy,
    OrderLine,
    PurchaseOrder,
    PurchaseReceipt,
    Task,
    WaitsFor,
)

LONGEST_SERIAL = 120
FARTHEST = timedelta(days=730)
P = PurchaseOrder.State


class PurchaseNotOpen(Refused):
    code = "purchase_not_open"


class ReceiptInvalid(Invalid):
    code = "receipt_invalid"


class ExpectationInvalid(Invalid):
    code = "expectation_invalid"


@dataclass(frozen=True, slots=True)
class NewPurchase:
    """What is to be ordered for one task."""

    task_id: int
    line_id: int
    account_id: int
    vendor: str
    vendor_email: str
    item: str
    quantity: Decimal
    unit_cost: Decimal
    currency: str
    lead_days: int | None
    note: str = ""


@transaction.atomic
def order_of_vendor(*, new: NewPurchase, at: datetime) -> PurchaseOrder:
    """The order to a vendor for one task, written once; its task is late when the goods are."""
    # Lines are locked before their tasks: whoever writes this order's outcomes holds them too.
    OrderLine.objects.select_for_update(of=("self",), no_key=True).filter(pk=new.line_id).first()
    account = Account.objects.get(pk=new.account_id)
    expected = None
    if new.lead_days is not None:
        expected = clock.day(account, at) + timedelta(days=new.lead_days)
    purchase, is_new = PurchaseOrder.objects.get_or_create(
        task_id=new.task_id,
        defaults={
            "line_id": new.line_id,
            "account": account,
            "vendor": new.vendor,
            "vendor_email": new.vendor_email,
            "item": new.item,
            "quantity": new.quantity,
            "unit_cost": new.unit_cost,
            "currency": new.currency,
            "sent_at": at,
            "expected_on": expected,
            "note": new.note,
        },
    )
    if is_new:
        _set_clock(purchase, account)
        events.record("purchase.sent", purchase, at=at, vendor=new.vendor, item=new.item)
    return purchase


def _set_clock(purchase: PurchaseOrder, account: Account) -> None:
    """Amber on the day on which the goods are expected, red when it is over."""
    if purchase.expected_on is None:
        return
    zone = ZoneInfo(account.time_zone)
    begins = datetime.combine(purchase.expected_on, time(0), zone)
    ends = datetime.combine(purchase.expected_on + timedelta(days=1), time(0), zone)
    Task.objects.filter(pk=purchase.task_id).update(amber_at=begins, red_at=ends)


@transaction.atomic
def change_expected(
    *, purchase_id: int, expected_on: date, reason: str, at: datetime, by: int
) -> PurchaseOrder:
    """The vendor delivers on another day: the clock of its task goes by that day from now on."""
    why = check_reason(reason)
    _scene, purchase = _locked(purchase_id)
    _check_open(purchase)
    today = clock.day(purchase.account, at)
    if not today <= expected_on <= today + FARTHEST:
        message = _("Expect it from today on, within two years.")
        raise ExpectationInvalid(message, field="expected_on")
    if expected_on == purchase.expected_on:
        raise ExpectationInvalid(_("It is expected on that day."), field="expected_on")
    before, purchase.expected_on = purchase.expected_on, expected_on
    purchase.save(update_fields=["expected_on"])
    _set_clock(purchase, purchase.account)
    # Its clock begins anew: when that day passes too, it turns red once more.
    Task.objects.filter(pk=purchase.task_id).update(jeopardy=Jeopardy.GREEN, jeopardy_since=None)
    events.record(
        "purchase.put_off",
        purchase,
        at=at,
        actor_id=by,
        purchase=purchase.number,
        before=before.isoformat() if before else "",
        after=expected_on.isoformat(),
        reason=why,
    )
    return purchase


@transaction.atomic
def receive_goods(
    *,
    purchase_id: int,
    quantity: Decimal,
    on: date,
    at: datetime,
    by: int,
    serials: Sequence[str] = (),
) -> PurchaseReceipt:
    """So many arrived; with the last of them the task is done, and costs what they cost."""
    scene, purchase = _locked(purchase_id)
    _check_open(purchase)
    _check_quantity(purchase, quantity)
    _check_day(purchase, on, at)
    clean = _check_serials(purchase, quantity, serials)
    receipt = PurchaseReceipt.objects.create(
        purchase=purchase, quantity=quantity, serials=clean, on=on, at=at, by_id=by
    )
    purchase.received += quantity
    step = "receive_rest" if purchase.received == purchase.quantity else "receive_part"
    fsm.apply(
        purchase,
        step,
        at=at,
        refusal=PurchaseNotOpen,
        actor_id=by,
        facts={"quantity": f"{quantity.normalize():f}", "purchase": purchase.number},
    )
    if purchase.state == P.RECEIVED:
        _settle(scene, purchase, done_with(purchase, by=by), at, by)
    return receipt


@transaction.atomic
def cancel_purchase(*, purchase_id: int, reason: str, at: datetime, by: int) -> PurchaseOrder:
    """Call it off at the vendor's, who gets a letter; its task falls out, or goes with its line."""
    why = check_reason(reason)
    scene, purchase = _locked(purchase_id)
    call_off(purchase, reason=why, at=at, by=by)
    said = Failed(f"{purchase.number}: {why}", kind=FailureClass.PERSON)
    _settle(scene, purchase, said, at, by)
    return purchase


def call_off(
    purchase: PurchaseOrder, *, reason: str, at: datetime, by: int | None = None
) -> PurchaseOrder:
    """Cancel an open purchase that this transaction holds locked; nothing of its task."""
    facts: dict[str, object] = {"reason": reason, "purchase": purchase.number}
    fsm.apply(purchase, "cancel", at=at, refusal=PurchaseNotOpen, actor_id=by, facts=facts)
    return purchase


@transaction.atomic
def call_off_for_task(*, task_id: int, reason: str, at: datetime) -> PurchaseOrder | None:
    """Cancel what was ordered for a task, if it is open still; None when nothing was ordered."""
    rows = PurchaseOrder.objects.select_for_update(of=("self",), no_key=True).select_related("line")
    purchase = rows.filter(task=task_id).first()
    if purchase and purchase.state in (P.SENT, P.PARTLY):
        call_off(purchase, reason=reason, at=at)
    return purchase


def done_with(purchase: PurchaseOrder, *, by: int | None = None) -> Done:
    """What its task came to: every serial that arrived, and what it cost."""
    receipts = PurchaseReceipt.objects.filter(purchase=purchase).order_by("pk")
    serials = [serial for receipt in receipts for serial in receipt.serials]
    cost = quantise(purchase.unit_cost * purchase.quantity, purchase.currency)
    return Done(
        serials=tuple(serials),
        data={"purchase": purchase.number},
        by_id=by,
        costs=(("purchase", cost, purchase.number),),
    )


def _locked(purchase_id: int) -> tuple[Scene, PurchaseOrder]:
    """The line with its tasks, then the purchase."""
    line_id = PurchaseOrder.objects.values_list("line_id", flat=True).get(pk=purchase_id)
    scene = Scene.of_line(line_id)
    rows = PurchaseOrder.objects.select_for_update(of=("self",), no_key=True).select_related(
        "account", "line"
    )
    return scene, rows.get(pk=purchase_id)


def _settle(
    scene: Scene, purchase: PurchaseOrder, said: Outcome, at: datetime, by: int | None
) -> None:
    task = scene.tasks[purchase.task_id]
    if task.state != Task.State.RUNNING or task.waits_for != WaitsFor.GOODS:
        return
    settle(scene, {task.pk: said}, at=at, machine_now=at, actor_id=by)
    wake(scene, at=at, actor_id=by)
    wake_those_behind(scene, at=at, actor_id=by)


def _check_open(purchase: PurchaseOrder) -> None:
    if purchase.state not in (P.SENT, P.PARTLY):
        message = _("%(purchase)s is %(state)s; nothing more is received for it.")
        told = {"purchase": purchase.number, "state": purchase.get_state_display()}
        raise PurchaseNotOpen(message % told)


def _check_quantity(purchase: PurchaseOrder, quantity: Decimal) -> None:
    if quantity <= 0:
        raise ReceiptInvalid(_("More than zero arrived."), field="quantity")
    left = purchase.quantity - purchase.received
    if quantity > left:
        message = _("Only %(left)s are still to come.")
        raise ReceiptInvalid(message % {"left": f"{left.normalize():f}"}, field="quantity")


def _check_day(purchase: PurchaseOrder, on: date, at: datetime) -> None:
    if on > clock.day(purchase.account, at):
        raise ReceiptInvalid(_("This day is still to come."), field="on")
    if on < clock.day(purchase.account, purchase.sent_at):
        raise ReceiptInvalid(_("It was not ordered yet on this day."), field="on")


def _check_serials(purchase: PurchaseOrder, quantity: Decimal, serials: Sequence[str]) -> list[str]:
    clean = [serial.strip() for serial in serials if serial.strip()]
    if any(len(serial) > LONGEST_SERIAL or not serial.isprintable() for serial in clean):
        message = _("A serial number has up to %(longest)s characters.")
        raise ReceiptInvalid(message % {"longest": LONGEST_SERIAL}, field="serials")
    if len(clean) > quantity:
        raise ReceiptInvalid(_("These are more serial numbers than pieces."), field="serials")
    counts = Counter(clean)
    counts.update(serial for receipt in purchase.receipts.all() for serial in receipt.serials)
    twice = {serial for serial in clean if counts[serial] > 1}
    if twice:
        message = _("%(serial)s is there twice.")
        raise ReceiptInvalid(message % {"serial": min(twice)}, field="serials")
    return clean
