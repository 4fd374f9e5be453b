"""One service on its way into the next term: its line, its fact, the commitment that follows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from o2b.customers.models import Account
from orders.changing.services import ChangeLine
from orders.models import LineAction, OrderLine
from subscriptions.changes.snapshots import line_of
from subscriptions.commitments.rules import term_after
from subscriptions.commitments.selectors import renewal_of
from subscriptions.commitments.services.pricing import Repriced
from subscriptions.models import Act, Commitment, PriceMove, Renewal, RenewalDue
from subscriptions.rules.checks import SUBJECTS
from subscriptions.rules.facts import standing_facts
from subscriptions.rules.timeline import Span
from subscriptions.timelines.chains import Chain
from subscriptions.timelines.services import NewFact

R = Renewal


def agreed_for(chain: Chain, day: date) -> bool:
    """Whether another product or price was agreed for that very day: it stays."""
    facts = standing_facts(chain.facts)
    return any(f.on == day and SUBJECTS.get(f.act) == "what" for f in facts)


@dataclass(slots=True)
class Renewing:
    """One service to be renewed from a day on, and what becomes of its price."""

    due: RenewalDue
    chain: Chain
    account: Account
    now: Span
    on: date
    moves: PriceMove | None = None
    repriced: Repriced | Exception | None = None
    terms_id: int | None = None

    @property
    def running(self) -> Commitment:
        return self.due.commitment

    @property
    def renewal(self) -> str:
        """What comes now."""
        return renewal_of(self.running, self.account)

    @property
    def ends(self) -> bool:
        return self.renewal == R.END

    @property
    def uplift(self) -> Decimal | None:
        return self.running.uplift_percent if self.renewal == R.UPLIFT else None

    @property
    def asks_price(self) -> bool:
        """Whether its price may move: not where another one was agreed for that very day."""
        kinds = (R.UPLIFT, R.CURRENT)
        if self.renewal not in kinds and self.moves is None:
            return False
        return not agreed_for(self.chain, self.on)

    @property
    def action(self) -> str:
        if self.ends:
            return LineAction.END
        return LineAction.TERMS if self.terms_id is not None else LineAction.COMMIT

    def line(self, digests: Mapping[int, str]) -> ChangeLine:
        """The line of its order."""
        found = line_of(self.chain, self.now, action=self.action, on=self.on, digests=digests)
        if self.terms_id is None:
            return found
        priced = self.repriced
        assert isinstance(priced, Repriced)
        return replace(
            found,
            terms_id=self.terms_id,
            book_version_id=priced.book_version_id,
            contract_id=priced.contract_id if self.uplift is None else found.contract_id,
        )

    def fact(self, line_id: int) -> NewFact | None:
        """What the service is told: another price, its end, or nothing."""
        if self.ends:
            return NewFact(Act.END, self.on, line_id)
        if self.terms_id is None:
            return None
        return NewFact(Act.TERMS, self.on, line_id, terms_id=self.terms_id)

    def next_term(self, line: OrderLine) -> Commitment:
        """The next term under the same words; from month to month it has no end."""
        running = self.running
        ends_on, anchor = None, running.anchor_day
        if self.renewal != R.MONTHLY:
            assert running.months is not None
            ends_on, anchor = term_after(
                self.on,
                months=running.months,
                anchor_day=running.anchor_day,
                due_on=self.due.due_on,
            )
        return Commitment(
            item=self.chain.root,
            number=running.number + 1,
            starts_on=self.on,
            ends_on=ends_on,
            months=running.months,
            anchor_day=anchor,
            renewal=self.renewal,
            uplift_percent=self.uplift or 0,
            notice_days=running.notice_days,
            leaving_fee=running.leaving_fee,
            leaving_value=running.leaving_value,
            order_line=line,
        )
