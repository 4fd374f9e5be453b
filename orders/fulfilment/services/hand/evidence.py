"""What may stand as evidence of a task: everything that it wants, and nothing but the promise."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _

from o2b.catalog.models import ProductVersion
from o2b.catalog.quantities import check_quantity
from orders.fulfilment.services import refusals as no
from orders.fulfilment.services.hand.checks import LONGEST_TEXT
from orders.models import Approval, Evidence, OrderLine, Task, TaskFile

LONGEST_SERIAL = 120
MOST_SERIALS = 10_000
MOST_MINUTES = 100_000


@dataclass
class Said:
    """What a person says of a delivery, as it came in."""

    version: int | str | None = None
    serial: str = ""
    serials: Sequence[str] = ()
    quantity: Decimal | str | None = None
    minutes: int | str | None = None
    data: dict[str, Any] = field(default_factory=dict)

    def given(self) -> dict[str, Any]:
        known = {
            "version": self.version,
            "serial": self.serial.strip(),
            "serials": list(self.serials),
            "quantity": self.quantity,
        }
        return self.data | known


@dataclass(frozen=True)
class Shown:
    """What stands as evidence."""

    version: ProductVersion
    serial: str
    serials: tuple[str, ...]
    quantity: Decimal
    minutes: int | None
    data: dict[str, Any]


def check_complete(task: Task, said: Said, *, is_whole: bool = True) -> Shown:
    """Evidence that completes a task; every fault is refused by its field.

    `is_whole`: all that is left of the quantity; else a part, which need not show everything yet.
    """
    serials = _checked_serials(said)
    if is_whole:
        _refuse_open_items(task)
        _refuse_missing(task, said)
    left = left_of(task)
    quantity = _checked_quantity(task.line, said.quantity, left, is_whole=is_whole)
    _check_count(task, serials, quantity)
    return Shown(
        version=_checked_version(task.line, said.version),
        serial=_checked_serial(said.serial) or next(iter(serials), ""),
        serials=serials,
        quantity=quantity,
        minutes=_checked_minutes(said.minutes),
        data=_checked_data(said.data),
    )


def check_mended(task: Task, said: Said) -> Shown:
    """What was delivered in the end, as a whole, by a task that is done."""
    given = said.given()
    for name in {"version", "serial"} & set(task.wants):
        if given[name] in (None, ""):
            raise no.EvidenceMissing(_("%(field)s is missing.") % {"field": name}, field=name)
    return Shown(
        version=_checked_version(task.line, said.version),
        serial=_checked_serial(said.serial),
        serials=(),
        quantity=_checked_quantity(task.line, said.quantity, task.line.quantity, is_whole=True),
        minutes=None,
        data={},
    )


def left_of(task: Task) -> Decimal:
    """How much of a line's quantity a task has not delivered in parts yet."""
    parts = Evidence.objects.filter(task=task, is_part=True).order_by()
    accepted: Decimal = parts.aggregate(all=Sum("quantity"))["all"] or Decimal(0)
    return task.line.quantity - accepted


def _refuse_open_items(task: Task) -> None:
    open_ = [text for n, text in enumerate(task.checklist) if n not in task.ticked]
    if open_:
        message = _("Not ticked off yet: %(items)s.")
        raise no.ChecklistOpen(message % {"items": "; ".join(open_)}, field="checklist")


def _refuse_missing(task: Task, said: Said) -> None:
    given = said.given()
    for name in task.wants:
        if name == "file":
            missing = not TaskFile.objects.filter(task=task).exists()
        else:
            missing = given.get(name) in (None, "", [])
        if missing:
            raise no.EvidenceMissing(_("%(field)s is missing.") % {"field": name}, field=name)


def _checked_version(line: OrderLine, version: int | str | None) -> ProductVersion:
    """The promised version, or one that the advocate approved instead."""
    promised = line.product_version
    if version in (None, ""):
        return promised
    number = str(version).strip().lower().removeprefix("v")
    if number == str(promised.number):
        return promised
    granted = Approval.objects.filter(
        kind=Approval.Kind.SUBSTITUTION, line=line, state=Approval.State.GRANTED
    )
    for one in granted.select_related("to_version__product"):
        if one.to_version is not None and number == str(one.to_version.number):
            return one.to_version
    message = _("Version %(promised)s was promised, not %(version)s.")
    told = {"promised": promised.number, "version": str(version)[:20]}
    raise no.EvidenceWrong(message % told, field="version")


def _checked_serial(serial: str) -> str:
    if len(serial) > LONGEST_SERIAL or "\0" in serial:
        message = _("A text of up to %(longest)s characters.")
        raise no.EvidenceWrong(message % {"longest": LONGEST_SERIAL}, field="serial")
    return serial.strip()


def _checked_serials(said: Said) -> tuple[str, ...]:
    """Each of several pieces; none twice."""
    found = tuple(filter(None, (serial.strip() for serial in said.serials)))
    if any(len(one) > LONGEST_SERIAL or "\0" in one for one in found):
        message = _("A text of up to %(longest)s characters.")
        raise no.EvidenceWrong(message % {"longest": LONGEST_SERIAL}, field="serials")
    if len(found) > MOST_SERIALS:
        message = _("At most %(most)s serial numbers.")
        raise no.EvidenceWrong(message % {"most": MOST_SERIALS}, field="serials")
    twice = next((one for n, one in enumerate(found) if one in found[:n]), None)
    if twice is not None:
        message = _("%(serial)s is there twice.")
        raise no.EvidenceWrong(message % {"serial": twice}, field="serials")
    return found


def _check_count(task: Task, serials: Sequence[str], quantity: Decimal) -> None:
    """As many serials as pieces, where the task asks for them."""
    if "serials" in task.wants and len(serials) != quantity:
        message = _("%(quantity)s pieces need as many serial numbers, not %(n)s.")
        told = {"quantity": f"{quantity.normalize():f}", "n": len(serials)}
        raise no.EvidenceWrong(message % told, field="serials")
    known = Evidence.objects.filter(task=task, is_part=True, serials__overlap=list(serials))
    if serials and known.exists():
        message = _("One of these serial numbers came with an earlier part.")
        raise no.EvidenceWrong(message, field="serials")


def _checked_quantity(
    line: OrderLine, quantity: Decimal | str | None, left: Decimal, *, is_whole: bool
) -> Decimal:
    if quantity in (None, ""):
        if not is_whole:
            missing = _("%(field)s is missing.") % {"field": "quantity"}
            raise no.EvidenceMissing(missing, field="quantity")
        return left
    delivered = check_quantity(line.product_version.product, quantity, field="quantity")
    if delivered > left or (is_whole and delivered != left):
        promised = _("%(promised)s were promised, not %(delivered)s.")
        rest = _("%(promised)s are left to deliver, not %(delivered)s.")
        told = {"promised": f"{left.normalize():f}", "delivered": f"{delivered:f}"}
        message = promised if left == line.quantity else rest
        raise no.EvidenceWrong(message % told, field="quantity")
    return delivered


def _checked_minutes(minutes: int | str | None) -> int | None:
    """Minutes worked; None leaves what the plan says."""
    if minutes is None or minutes == "":
        return None
    text = str(minutes).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= MOST_MINUTES):
        message = _("Minutes are a whole number up to %(most)s.")
        raise no.EvidenceWrong(message % {"most": MOST_MINUTES}, field="minutes")
    return int(text)


def _checked_data(data: dict[str, Any]) -> dict[str, Any]:
    for name, value in data.items():
        if len(str(value)) > LONGEST_TEXT or "\0" in f"{name}{value}":
            message = _("A text of up to %(longest)s characters.")
            raise no.EvidenceWrong(message % {"longest": LONGEST_TEXT}, field=name)
    return data
