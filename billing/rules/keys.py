"""A charge as one text, so that equal ones are found equal; and what it says, for drafting."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from billing.rules.sharing import read_sharing
from o2b.charging import Billed, ChargeFacts, CompiledCharge, Segment
from o2b.charging.begun import Begun
from o2b.charging.facts import WHOLE
from o2b.periods import FOREVER, Period


def terms_charge_of(key: str) -> int:
    """Its id."""
    return int(key.partition("|")[0])


def facts_of(
    keys: Sequence[str], compiled: CompiledCharge, billed: tuple[Billed, ...] | None
) -> ChargeFacts:
    """What `key` says, as drafting wants it."""
    segments = []
    for key in keys:
        _, quantity, started, anchor, through, begins, ends, *more = key.split("|")
        if not begins:
            continue
        span = Period(date.fromisoformat(begins), date.fromisoformat(ends) if ends else FOREVER)
        there = next((Decimal(each[1:]) for each in more if each.startswith("=")), WHOLE)
        segments.append(Segment(span, Decimal(quantity), "on" not in more, there))
    facts = ChargeFacts(
        0,
        compiled,
        date.fromisoformat(started),
        int(anchor),
        tuple(segments),
        date.fromisoformat(through) if through else None,
        billed,
    )
    for told in more:
        if told.startswith("~"):
            facts = facts._replace(begun=_read_begun(told[1:]))
        elif told.startswith("/"):
            facts = facts._replace(sharing=read_sharing(told[1:]))
    return facts


def with_begun(key: str, begun: Sequence[Begun]) -> str:
    """The key that also says which days others had; the parts of a payer stay the last.

    Days say how much was delivered where that is not all.

    >>> year = Begun(Period(date(2025, 1, 1), date(2026, 1, 1)), Decimal(2), True)
    >>> with_begun("7|1|2025-01-01|1||2026-01-01||/0:100", [year])
    '7|1|2025-01-01|1||2026-01-01||~2025-01-01:2026-01-01:2:w|/0:100'
    >>> with_begun("7|1|2025-01-01|1||2026-01-01|", [year._replace(delivered=Decimal("0.5"))])
    '7|1|2025-01-01|1||2026-01-01||~2025-01-01:2026-01-01:2:w:0.5'
    """
    head, slash, parts = key.partition("|/")
    told = ",".join(map(_text_of, begun))
    return f"{head}|~{told}{slash}{parts}"


def _text_of(each: Begun) -> str:
    how = "w" if each.whole else "d"
    text = f"{each.period.start}:{each.period.end}:{each.quantity:f}:{how}"
    return text if each.delivered == WHOLE else f"{text}:{each.delivered:f}"


def _read_begun(text: str) -> tuple[Begun, ...]:
    found = []
    for each in text.split(","):
        start, end, quantity, how, *part = each.split(":")
        days = Period(date.fromisoformat(start), date.fromisoformat(end))
        there = Decimal(part[0]) if part else WHOLE
        found.append(Begun(days, Decimal(quantity), how == "w", there))
    return tuple(found)
