"""What a promise says that a charge should bill; computed from the Terms' own text."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from billing.rules.metering import UsageOf, stored_quantity, with_usage
from o2b.charging import (
    Billed,
    ChargeFacts,
    ChargeTerms,
    CompiledCharge,
    LineTerms,
    Segment,
    StartRule,
    compile_charge,
    draft,
)
from o2b.charging.begun import Begun
from o2b.charging.sharing import Sharing
from o2b.periods import FOREVER, Period
from o2b.promise import Difference, Promise, compare

# Of several differences of one account the first of these is why it is parked.
CODES = (
    "version",
    "quantity",
    "terms",
    "missing",
    "unexpected",
    "amount",
    "product",
)


class Promised:
    """Terms as their text says; `sound` if their rows say the same, `is_one` of one charge.

    `each_part`: what is delivered in parts is paid in parts; they are no `is_one`.
    """

    __slots__ = (
        "charges",
        "compiled",
        "each_part",
        "is_one",
        "sound",
        "start_rule",
        "trouble",
    )

    def __init__(
        self, terms: LineTerms | None, rows: Sequence[ChargeTerms], trouble: str = ""
    ) -> None:
        self.charges = {} if terms is None else {each.key: each for each in terms.charges}
        self.compiled = {key: compile_charge(each) for key, each in self.charges.items()}
        self.start_rule = None if terms is None else terms.start_rule
        self.trouble = trouble or ("" if terms is None else _differences(terms.charges, rows))
        self.sound = not self.trouble
        self.each_part = self.start_rule is StartRule.EACH_PART
        self.is_one = self.sound and len(self.charges) == 1 and not self.each_part

    def started_on(self, start_on: str, was_there: str, delivered_on: str) -> date | None:
        """The first day of service by the start rule; None while nothing was delivered.

        An agreed day counts from the delivery on, unless it says that the service `was_there`
        ("true") before it was ordered. Days are ISO texts, "" where there is none.
        """
        if not delivered_on:
            return None
        delivered = date.fromisoformat(delivered_on)
        if self.start_rule is not StartRule.ON_DATE or not start_on:
            return delivered
        agreed = date.fromisoformat(start_on)
        return agreed if was_there == "true" or agreed > delivered else delivered


def _differences(promised: Sequence[ChargeTerms], rows: Sequence[ChargeTerms]) -> str:
    """Where the rows that drafting reads differ from the text that was promised."""
    if tuple(promised) == tuple(rows):
        return ""
    found = {each.key: each for each in rows}
    for said in promised:
        is_ = found.get(said.key)
        if is_ is None:
            return f"the charge {said.key} is gone"
        for name in ChargeTerms.__dataclass_fields__:
            if getattr(said, name) != getattr(is_, name):
                return f"{said.key}: {name} {_text(is_, name)} instead of {_text(said, name)}"
    return "charges were added or moved"


def _text(terms: ChargeTerms, name: str) -> str:
    value = getattr(terms, name)
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def expected(
    compiled: CompiledCharge,
    *,
    started_on: date,
    anchor_day: int,
    segments: Sequence[Segment],
    billed_through: date | None,
    billed: tuple[Billed, ...] | None,
    until: date,
    usage: UsageOf | None = None,
    sharing: Sharing | None = None,
    begun: tuple[Begun, ...] = (),
) -> str:
    """The lines of one charge as one text, as Postgres writes what was drafted."""
    facts = ChargeFacts(
        0, compiled, started_on, anchor_day, tuple(segments), billed_through, billed, begun=begun
    )
    if sharing is not None:
        facts = facts._replace(sharing=sharing)
    if usage is not None:
        facts, until = with_usage(facts, usage), min(until, usage.until)
    return ";".join(
        f"{each.full_period.start}|{each.full_period.end}|{each.period.start}|{each.period.end}"
        f"|{each.segment}|{each.revision}|{stored_quantity(each.quantity):.6f}|{each.amount:.4f}"
        for each in draft([facts], until=until)
    )


def open_segment(started_on: date, quantity: Decimal) -> Segment:
    """In service from a day on."""
    return Segment(Period(started_on, FOREVER), quantity)


def delivered_by(
    segments: Sequence[Segment], parts: Sequence[tuple[date, Decimal]], *, once: bool = False
) -> list[Segment]:
    """The days, each with how much was delivered by then; days before the first part are none.

    `parts` are (day, how much in all), in order; what is there stays. What is owed `once` goes by
    all that came so far, on the first of its days.
    """
    steps: list[tuple[date, Decimal]] = []
    for on, fraction in parts:
        if fraction > (steps[-1][1] if steps else 0):
            steps.append((on, fraction))
    if once:
        return [each._replace(delivered=steps[-1][1]) for each in segments] if steps else []
    ends = [on for on, _ in steps[1:]] + [FOREVER]
    found = []
    for each in segments:
        for (on, fraction), end in zip(steps, ends, strict=False):
            first, last = max(each.period.start, on), min(each.period.end, end)
            if first < last:
                found.append(each._replace(period=Period(first, last), delivered=fraction))
    return found


def differences(key: str, promised: str, drafted: str) -> list[Difference]:
    """Tell two such texts apart: lines missing, not promised, of another amount or quantity."""
    told = compare(
        Promise(amounts=_amounts(key, promised)), Promise(amounts=_amounts(key, drafted))
    )
    if told or promised == drafted:
        return told
    return [Difference("amount", promised, drafted, f"{key}: promised {promised}, not {drafted}")]


def in_words(difference: Difference, name: str) -> tuple[str, str]:
    """What was promised of the charge of that name, and what was drafted."""
    start = difference.key[1] if difference.key else ""
    promised = "nothing" if difference.promised is None else difference.promised
    actual = "nothing" if difference.actual is None else difference.actual
    return f"{promised} for {name} from {start}", str(actual)


def _amounts(key: str, text: str) -> dict[tuple[str, date, int], Decimal]:
    found: dict[tuple[str, date, int], Decimal] = {}
    for line in text.split(";") if text else ():
        start, _, _, _, segment, _, _, amount = line.split("|")
        found[key, date.fromisoformat(start), int(segment)] = Decimal(amount)
    return found
