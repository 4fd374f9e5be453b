"""Which facts can hold together: a change that contradicts what is known is refused, and why."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from django.utils.translation import gettext as _

from o2b.errors import Invalid, Refused
from o2b.web.show import day_text
from subscriptions.rules.facts import Act, Fact, standing_facts

# What one day can be told once: the version and its Terms, how many, whether it is in use, whose.
SUBJECTS: dict[Act, str] = {
    Act.TERMS: "what",
    Act.REPLACE: "what",
    Act.QUANTITY: "quantity",
    Act.SUSPEND: "use",
    Act.RESUME: "use",
    Act.MOVE: "place",
    Act.TRANSFER: "account",
    Act.END: "end",
}


class TwoChangesADay(Refused):
    code = "two_changes_a_day"


class BeforeStart(Refused):
    code = "before_start"


class AfterEnd(Refused):
    code = "after_end"


class EndedAlready(Refused):
    code = "ended_already"


class SuspendedAlready(Refused):
    code = "suspended_already"


class NotSuspended(Refused):
    code = "not_suspended"


class PricedFromAnother(Refused):
    code = "priced_from_another"


class QuantityZero(Invalid):
    code = "quantity_invalid"


class SameAccount(Refused):
    code = "same_account"


class TransferCycle(Refused):
    code = "transfer_cycle"


def check_facts(facts: Sequence[Fact], *, field: str = "on") -> None:
    """Refuse facts that cannot all hold; `field` is where the day of the newest was given."""
    ordered = standing_facts(list(facts))
    start = next(fact for fact in ordered if fact.act is Act.START)
    _check_days(ordered, start.on, field)
    _check_once_a_day(ordered, field)
    _check_use(ordered, field)
    _check_accounts(ordered, start)
    if any(fact.quantity is not None and fact.quantity <= 0 for fact in ordered):
        raise QuantityZero(
            _("A quantity above 0; to take all of it away, end the service."), field="quantity"
        )


def _check_days(ordered: Sequence[Fact], started: date, field: str) -> None:
    early = next((fact for fact in ordered if fact.on < started), None)
    if early is not None:
        told = {"on": day_text(early.on), "start": day_text(started)}
        message = _("On %(on)s it was not in service yet; it started on %(start)s.")
        raise BeforeStart(message % told, field=field)
    ends = [fact for fact in ordered if fact.act is Act.END]
    if len(ends) > 1:
        message = _("It ends on %(day)s already; take that back first.")
        raise EndedAlready(message % {"day": day_text(ends[0].on)}, field=field)
    # Nobody asks for the start nor for a part of a delivery: they are facts, and cost nothing then.
    asked = [f for f in ordered if f.act not in (Act.START, Act.PART, Act.END)]
    late = next((f for f in asked if ends and f.on >= ends[0].on), None)
    if late is not None:
        told = {"end": day_text(ends[0].on), "on": day_text(late.on)}
        message = _("It ends on %(end)s, so nothing can change on %(on)s; take one of both back.")
        raise AfterEnd(message % told, field=field)


def _check_once_a_day(ordered: Sequence[Fact], field: str) -> None:
    seen: set[tuple[date, str]] = set()
    for fact in ordered:
        about = {SUBJECTS[fact.act]} if fact.act in SUBJECTS else set()
        if fact.act is Act.TERMS and fact.quantity is not None:
            about.add("quantity")
        for subject in about:
            if (fact.on, subject) in seen:
                message = _("Another change of the same kind holds from %(day)s; name another day.")
                raise TwoChangesADay(message % {"day": day_text(fact.on)}, field=field)
            seen.add((fact.on, subject))


def _check_use(ordered: Sequence[Fact], field: str) -> None:
    suspended: date | None = None
    for fact in ordered:
        if fact.act is Act.SUSPEND:
            if suspended is not None:
                message = _("It is suspended from %(day)s on already.")
                raise SuspendedAlready(message % {"day": day_text(suspended)}, field=field)
            suspended = fact.on
        elif fact.act is Act.RESUME:
            if suspended is None:
                message = _("On %(day)s it is not suspended; there is nothing to resume.")
                raise NotSuspended(message % {"day": day_text(fact.on)}, field=field)
            suspended = None


def _check_accounts(ordered: Sequence[Fact], start: Fact) -> None:
    had = [start.account]
    for fact in ordered:
        if fact.act is not Act.TRANSFER:
            continue
        if fact.account == had[-1]:
            message = _("That account has it already; name another one.")
            raise SameAccount(message, field="to_account")
        if fact.account in had:
            message = _("That account had it before, transferring it back is a circle; order anew.")
            raise TransferCycle(message, field="to_account")
        had.append(fact.account)


def priced_from_another(
    before: Sequence[Fact], after: Sequence[Fact], product_of: Mapping[int, int]
) -> Fact | None:
    """The first fact that would come upon another service than the one that it was told of.

    A version is told of its product, a price alone of the product and its Terms; another product
    at its own price is told of nothing.
    """
    was = {fact.key: (version, terms) for fact, version, terms in _comes_upon(before)}
    for fact, version, terms in _comes_upon(after):
        if fact.key not in was:
            continue
        product, its_terms = product_of[was[fact.key][0]], was[fact.key][1]
        own = fact.product_version
        if fact.act is Act.TERMS and own is not None and product_of[own] != product:
            continue
        if product_of[version] != product or (own is None and terms != its_terms):
            return fact
    return None


def _comes_upon(facts: Sequence[Fact]) -> Iterator[tuple[Fact, int, int]]:
    """Each fact that says what the service is, with the version and the Terms before it."""
    standing = standing_facts(list(facts))
    start = next(fact for fact in standing if fact.act is Act.START)
    assert start.product_version is not None
    assert start.terms is not None
    version, terms = start.product_version, start.terms
    for fact in standing:
        if SUBJECTS.get(fact.act) != "what":
            continue
        yield fact, version, terms
        version = fact.product_version or version
        if fact.act is Act.TERMS:
            terms = fact.terms or terms
