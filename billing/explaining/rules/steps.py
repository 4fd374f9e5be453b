"""The steps between a list price and a billed amount: days, bounds, discounts, roundings."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from billing.rules.basis import Counted
from o2b.charging import AdjustmentOrder, ChargeTerms, DiscountKind, Model, Proration, Step, explain
from o2b.charging.daycount import running
from o2b.charging.facts import WHOLE
from o2b.charging.measuring import Measured
from o2b.charging.pricing import explain_list
from o2b.charging.pricing.adjustments import bounded, discounted, less
from o2b.charging.pricing.explained import sum_words, told
from o2b.charging.proration import (
    Days,
    There,
    beyond,
    dearest,
    own_days,
    price_of_most,
    running_totals,
    there_of,
    weighed,
)
from o2b.charging.sharing import Part, up_to
from o2b.charging.terms import plain
from o2b.money import EXACT, ROUNDING, quantise, sum_of
from o2b.periods import Period

MOST_EVENTS = 50  # that are told one by one

# Every label that these steps and the facts beside them may carry, for the translators.
LABELS = (
    "days",
    "delivered",
    "rounded",
    "share",
    "paid already",
    "pieces before",
    "billed before",
    "not served",
    "tax",
    "used",
    "covered by a pool",
    "events",
)

Pieces = Sequence[tuple[Decimal, Period]]


def pieces_told(
    terms: ChargeTerms,
    pieces: Pieces,
    *,
    full: Period,
    in_force: Sequence[ChargeTerms],
    amounts: Sequence[Decimal],
    part: Part | None = None,
    delivered: Sequence[Decimal] = (),
    paid: Sequence[int] = (),
) -> Iterator[Step]:
    """The last of some pieces of a period; `amounts` are those that `targets` gave.

    Who pays a part of it pays that of the sum, less that of the pieces before.
    """
    if paid:
        yield from _beyond(terms, pieces, full, in_force, delivered, paid)
    elif terms.proration is Proration.DAY:
        yield from _by_day(terms, pieces, full, in_force, delivered)
    else:
        there = there_of(pieces, delivered)
        most = dearest(in_force[0], there) if terms.proration is Proration.FULL else there[0]
        yield from _priced(in_force[0], *most)
    exact = running_totals(terms, pieces, full, in_force, delivered, paid=paid)[-1]
    reached = sum_of(amounts)
    if exact != reached:
        yield Step("rounded", told(exact), reached)
    before = sum_of(amounts[:-1])
    if part is not None:
        yield part_told(part, reached, terms.currency)
        reached, before = (part.of(each, terms.currency) for each in (reached, before))
    if len(pieces) > 1:
        last = EXACT.subtract(reached, before)
        yield Step("pieces before", f"{rounded_told(reached)} − {rounded_told(before)}", last)


def part_told(part: Part, total: Decimal, currency: str) -> Step:
    """What a payer has of a rounded total: a percent of it, or what those before leave."""
    upper, lower = (up_to(each, total, currency) for each in (part.upper, part.lower))
    if not part.lower or not part.percent:
        text = f"{plain(part.percent)} % × {rounded_told(total)}"
    else:
        text = f"{rounded_told(upper)} − {rounded_told(lower)}"
    return Step("share", text, EXACT.subtract(upper, lower))


def delivered_told(price: Decimal, part: Decimal) -> Step:
    """What a part that was delivered costs of the price of all that was promised."""
    return Step("delivered", f"{told(price)} × {plain(part)}", EXACT.multiply(price, part))


def _priced(terms: ChargeTerms, quantity: Decimal, there: Decimal) -> Sequence[Step]:
    """The price of as much as is delivered of a quantity."""
    steps = explain(terms, quantity)
    return steps if there == WHOLE else (*steps, delivered_told(steps[-1].result, there))


def _beyond(
    terms: ChargeTerms,
    pieces: Pieces,
    full: Period,
    in_force: Sequence[ChargeTerms],
    delivered: Sequence[Decimal],
    paid: Sequence[int],
) -> Iterator[Step]:
    """By the day, what each piece costs more than those before it that were paid whole."""
    reached, whole = running(
        own_days(pieces, paid),
        full=full,
        interval=terms.interval,
        conventions=terms.conventions,
    )
    totals = running_totals(terms, pieces, full, in_force, delivered, paid=paid)
    ahead = min(paid) - 1
    shares: list[Decimal] = []
    if ahead:
        yield from _by_day(terms, pieces[:ahead], full, in_force[:ahead], delivered[:ahead])
        shares.append(totals[ahead - 1])
    own, before = iter(reached[ahead:]), reached[ahead - 1] if ahead else 0
    had: list[There] = []
    for n, there in enumerate(there_of(pieces, delivered)[ahead:], start=ahead):
        if n + 1 in paid:
            had.append(there)
            continue
        steps = _priced(in_force[n], *there)
        yield from steps
        more = beyond(in_force[n], there, had)
        yield _less_paid(steps[-1].result, price_of_most(in_force[n], had), more)
        days = next(own)
        shares.append(_divided(EXACT.multiply(more, days - before), whole))
        yield Step("days", f"{told(more)} × {days - before} / {whole}", shares[-1])
        before = days
    if len(shares) > 1:
        yield Step("sum", sum_words(shares), totals[-1])


def _less_paid(amount: Decimal, had: Decimal, more: Decimal) -> Step:
    """What costs no more than what was paid brings none back."""
    words = f"{told(amount)} − {told(had) if had >= 0 else f'({told(had)})'}"
    if EXACT.subtract(amount, had) != more:
        words = f"{'max' if had >= 0 else 'min'}({words}, 0)"
    return Step("paid already", words, more)


def _by_day(
    terms: ChargeTerms,
    pieces: Pieces,
    full: Period,
    in_force: Sequence[ChargeTerms],
    delivered: Sequence[Decimal],
) -> Iterator[Step]:
    """Each piece at its price and its share of days; bounds are held against the sum."""
    bound = terms.minimum is not None or terms.maximum is not None
    served, whole = running(
        [days for _, days in pieces],
        full=full,
        interval=terms.interval,
        conventions=terms.conventions,
    )
    reached = weighed(served, delivered)
    shares: list[Decimal] = []
    scaled, before = Decimal(0), 0
    for (quantity, _), priced, days, there in zip(
        pieces, in_force, served, delivered or [WHOLE] * len(pieces), strict=True
    ):
        steps = _unbound(priced, quantity) if bound else explain(priced, quantity)
        yield from steps
        price, part = steps[-1].result, days - before
        before = days
        if there != WHOLE:
            yield delivered_told(price, there)
            price = EXACT.multiply(price, there)
        scaled = EXACT.fma(price, part, scaled)
        shares.append(_divided(EXACT.multiply(price, part), whole))
        if part != whole:
            yield Step("days", f"{told(price)} × {part} / {whole}", shares[-1])
    if len(shares) > 1:
        yield Step("sum", sum_words(shares), _divided(scaled, whole))
    if not bound:
        return
    yield from _bounds(terms, scaled, reached[-1], whole)
    if terms.conventions.order is AdjustmentOrder.COMMITMENT_FIRST:
        scaled = bounded(terms, scaled, scale=reached[-1])
        yield from _discounts(terms, scaled, reached[-1], whole)


def _unbound(terms: ChargeTerms, quantity: Decimal) -> Sequence[Step]:
    """A price before its minimum and maximum; less discounts, unless those come last."""
    steps = explain_list(terms, quantity)
    if terms.conventions.order is AdjustmentOrder.DISCOUNT_FIRST:
        return (*steps, *_discounts(terms, steps[-1].result, 1, 1))
    return steps


def usage_told(
    terms: ChargeTerms,
    each: Measured,
    covered: Decimal | None,
    events: Sequence[Counted],
    target: Decimal,
) -> Iterator[Step]:
    """A period of usage: its list price, then the share of discounts and bounds of its days."""
    if terms.model is Model.RATED and events:
        steps = list(_calls(terms, each, events))
    else:
        steps = list(
            explain_list(terms, each.quantity, each.events, included=covered, most=MOST_EVENTS)
        )
    yield from steps
    reached, whole = each.reached, each.whole
    scaled = EXACT.multiply(steps[-1].result, whole)
    if terms.conventions.order is AdjustmentOrder.DISCOUNT_FIRST:
        yield from _discounts(terms, scaled, reached, whole)
        scaled = discounted(terms, scaled, scale=reached)
        yield from _bounds(terms, scaled, reached, whole)
        scaled = bounded(terms, scaled, scale=reached)
    else:
        yield from _bounds(terms, scaled, reached, whole)
        scaled = bounded(terms, scaled, scale=reached)
        yield from _discounts(terms, scaled, reached, whole)
        scaled = discounted(terms, scaled, scale=reached)
    exact = _divided(scaled, whole)
    if exact != target:
        yield Step("rounded", told(exact), target)


def _calls(terms: ChargeTerms, each: Measured, events: Sequence[Counted]) -> Iterator[Step]:
    """Equal calls as one step; of very many only the first ones."""
    total = explain_list(terms, each.quantity, each.events, most=1)[-1].result
    shown: list[Decimal] = []
    for count, event in events[:MOST_EVENTS]:
        (one, *_) = explain_list(terms, event.value, (event,))
        text = one.arithmetic if count == 1 else f"{count} × ({one.arithmetic})"
        shown.append(EXACT.multiply(one.result, count))
        yield Step("call", text, shown[-1])
    if len(events) > MOST_EVENTS:
        shown.append(EXACT.subtract(total, sum_of(shown)))
        yield Step("further", "…", shown[-1])
    yield Step("sum", sum_words(shown), total)


def _discounts(terms: ChargeTerms, scaled: Decimal, reached: Days, whole: int) -> Iterator[Step]:
    """Each discount; fixed ones by the share of days. Amounts are told `whole` times."""
    left = scaled
    for discount in terms.discounts:
        before, left = left, less(left, discount, scale=reached)
        label, sign = ("surcharge", "+") if discount.value < 0 else ("discount", "−")
        value = plain(abs(discount.value))
        if discount.kind is DiscountKind.PERCENT:
            value += " %"
        else:
            value += _share(reached, whole)
        yield Step(label, f"{told(_divided(before, whole))} {sign} {value}", _divided(left, whole))
    final = discounted(terms, scaled, scale=reached)
    if final != left:
        yield Step(
            "not below zero", f"max({told(_divided(left, whole))}, 0)", _divided(final, whole)
        )


def _bounds(terms: ChargeTerms, scaled: Decimal, reached: Days, whole: int) -> Iterator[Step]:
    final = bounded(terms, scaled, scale=reached)
    if final == scaled:
        return
    label, bound, word = "minimum", terms.minimum, "max"
    if final < scaled or bound is None:
        label, bound, word = "maximum", terms.maximum, "min"
    if bound is not None:
        text = f"{word}({told(_divided(scaled, whole))}, {plain(bound)}{_share(reached, whole)})"
        yield Step(label, text, _divided(final, whole))


def _share(reached: Days, whole: int) -> str:
    return "" if reached == whole else f" × {plain(Decimal(reached))} / {whole}"


def _divided(scaled: Decimal, whole: int) -> Decimal:
    return ROUNDING.divide(scaled, Decimal(whole))


def rounded_told(amount: Decimal) -> str:
    """An amount that is rounded already, with the sign in front."""
    return f"({amount:f})" if amount < 0 else f"{amount:f}"


def tax_told(amount: Decimal, percent: Decimal, currency: str) -> Step:
    """Rate × amount, rounded."""
    exact = EXACT.multiply(amount, percent).scaleb(-2, context=EXACT)
    return Step("tax", f"{rounded_told(amount)} × {plain(percent)} %", quantise(exact, currency))
