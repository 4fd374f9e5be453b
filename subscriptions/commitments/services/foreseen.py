"""What moves of prices mean for the customer: each service, its price before and after."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from o2b.catalog.models import ProductVersion, Terms
from o2b.catalog.resolution import period_price
from o2b.charging import LineTerms, from_canonical
from o2b.customers.models import Account
from o2b.periods import FOREVER
from o2b.web.show import day_text, money_text
from subscriptions.commitments.services.pricing import Repriced, Repricing, reprice
from subscriptions.models import PriceMove, RenewalDue
from subscriptions.rules.prices import in_force_on, lasting, rise_days
from subscriptions.rules.timeline import span_on
from subscriptions.timelines.chains import chains_of


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One service that moves: what a full period costs before and after; None if none is known."""

    move: PriceMove
    item: str
    product: str
    currency: str
    on: date
    before: Decimal | None
    after: Decimal | None
    answer: Repriced | Exception
    steps: tuple[tuple[date, Decimal | None], ...] = ()

    @property
    def text(self) -> str:
        """'S-3.7 Line 30: €30.00 → €33.00, 1 Mar 2026'; later steps of the price follow."""
        before, after = (money_text(each, self.currency) for each in (self.before, self.after))
        told = [f"{self.item} {self.product}: {before} → {after}, {day_text(self.on)}"]
        told += [
            f"→ {money_text(price, self.currency)}, {day_text(on)}" for on, price in self.steps
        ]
        return "; ".join(told)


def foresee(moves: Sequence[PriceMove], accounts: dict[int, Account]) -> list[Foreseen]:
    """Each move that has a day of service left, in order; as many queries for many as for one."""
    chains = chains_of({move.item_id for move in moves})
    due = RenewalDue.objects.in_bulk(list(chains))
    asking: list[tuple[PriceMove, Repricing]] = []
    for move in moves:
        chain, on = chains[move.item_id], move.moves_on
        if move.at_renewal and move.item_id in due:
            on = max(on, due[move.item_id].due_on)
        now = span_on(chain.spans, on)
        if now is not None:
            asking.append((move, Repricing(chain, accounts[move.account_id], now, on)))
    versions = ProductVersion.objects.select_related("product").in_bulk(
        {each.now.product_version for _move, each in asking}
    )
    bodies = {
        pk: from_canonical(body)
        for pk, body in Terms.objects.filter(
            pk__in={each.now.terms for _move, each in asking}
        ).values_list("pk", "body")
    }
    answers = reprice([each for _move, each in asking])
    found = []
    for (move, each), answer in zip(asking, answers, strict=True):
        body = bodies[each.now.terms]
        before, steps = _prices(body, each)
        after = before
        if isinstance(answer, Repriced) and answer.resolution:
            after, steps = _prices(answer.resolution.terms, each)
        found.append(
            Foreseen(
                move=move,
                item=each.chain.item_of(each.account.pk).number,
                product=str(versions[each.now.product_version].product),
                currency=body.currency,
                on=each.on,
                before=before,
                after=None if isinstance(answer, Exception) else after,
                answer=answer,
                steps=() if isinstance(answer, Exception) else steps,
            )
        )
    return found


def _prices(
    terms: LineTerms, each: Repricing
) -> tuple[Decimal | None, tuple[tuple[date, Decimal | None], ...]]:
    """What a full period costs on the day that is foreseen, and by each step after it."""
    began_on = each.chain.root.anchor_on or each.on
    charges = lasting(terms.charges)
    days = rise_days(terms, on=each.on, until=FOREVER, began_on=began_on)
    costs = [
        (day, period_price(in_force_on(charges, day, began_on=began_on), each.now.quantity))
        for day in days
    ]
    return costs[0][1], tuple(costs[1:])
