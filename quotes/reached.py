"""Which open quotes a new version of a price book reaches: counted in SQL, the first compared."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from o2b.asks import Affected, Impact
from o2b.catalog.publications import MOST_EXAMPLES, Reach
from o2b.catalog.resolution import Asked, compare_publication, period_price
from o2b.charging.terms import from_canonical
from o2b.web.show import day_text
from quotes.models import Quote, QuoteLine
from quotes.selectors import wanted

UNSENT = (Quote.State.DRAFT, Quote.State.IN_APPROVAL, Quote.State.APPROVED)


def reached_quotes(reach: Reach, *, shown: bool) -> list[Impact]:
    """Open quotes by what becomes of them; without `shown` how many there are, and no more."""
    unsent = Quote.objects.filter(reach.accounts(), state__in=UNSENT, currency=reach.currency)
    lines = QuoteLine.objects.filter(
        quote=OuterRef("pk"), product_version__product__in=reach.products()
    )
    elsewhere = reach.decided_elsewhere(
        account="quote__account",
        customer="quote__account__customer",
        product="product_version__product",
    )
    unsent = unsent.filter(Exists(lines))
    in_time = unsent.filter(valid_until__gte=reach.version.valid_from)
    moves = Exists(lines.exclude(elsewhere))
    day = day_text(reach.version.valid_from)
    found = [
        *_moving(reach, in_time.filter(moves), _("takes the new price when it is sent"), shown),
        _kept(
            in_time.exclude(moves),
            _("a contract, or a book that goes before this one, decides its prices"),
            shown,
        ),
        _kept(
            unsent.filter(valid_until__lt=reach.version.valid_from),
            _("ends before %(day)s") % {"day": day},
            shown,
        ),
        _kept(
            Quote.objects.filter(
                Exists(
                    QuoteLine.objects.filter(
                        quote=OuterRef("pk"), book_version__book=reach.version.book_id
                    )
                ),
                state=Quote.State.SENT,
            ),
            _("was sent: its prices are a promise and stay"),
            shown,
        ),
    ]
    return [impact for impact in found if impact.total]


def _moving(reach: Reach, quotes: QuerySet[Quote], reason: str, shown: bool) -> list[Impact]:
    """Those whose price moves; those that cost the same stand apart where all were compared."""
    total = quotes.count()
    examples = list(_first(quotes)) if shown else []
    lines = _lines_of(examples)
    compared = compare_publication(
        version=reach.version,
        asked=[
            Asked(quote.account, [wanted(line) for line in lines[quote.pk]]) for quote in examples
        ],
        on=reach.on,
    )
    told = [
        Affected(
            kind="quote",
            title=quote.number,
            url=quote.get_absolute_url(),
            affected=not both.same,
            reason=_("costs the same") if both.same else reason,
            before=both.before,
            after=both.after,
            currency=quote.currency,
        )
        for quote, both in zip(examples, compared, strict=True)
    ]
    if total > len(told):
        return [Impact("quote", _("Quotes"), True, reason, total, told)]
    move = [each for each in told if each.affected]
    same = [each for each in told if not each.affected]
    return [
        Impact("quote", _("Quotes"), True, reason, len(move), move),
        Impact("quote", _("Quotes"), False, _("costs the same"), len(same), same),
    ]


def _kept(quotes: QuerySet[Quote], reason: str, shown: bool) -> Impact:
    examples = list(_first(quotes)) if shown else []
    lines = _lines_of(examples)
    told = []
    for quote in examples:
        costs = _promised(lines[quote.pk])
        told.append(
            Affected(
                "quote",
                quote.number,
                quote.get_absolute_url(),
                False,
                reason,
                costs,
                costs,
                quote.currency,
            )
        )
    return Impact("quote", _("Quotes"), False, reason, quotes.count(), told)


def _first(quotes: QuerySet[Quote]) -> QuerySet[Quote]:
    related = ("account__customer", "account__legal_entity")
    return quotes.select_related(*related).order_by("pk")[:MOST_EXAMPLES]


def _lines_of(quotes: Sequence[Quote]) -> dict[int, list[QuoteLine]]:
    found: dict[int, list[QuoteLine]] = defaultdict(list)
    lines = QuoteLine.objects.filter(quote__in=[quote.pk for quote in quotes])
    for line in lines.select_related("product_version__product", "terms").order_by("position"):
        found[line.quote_id].append(line)
    return found


def _promised(lines: Sequence[QuoteLine]) -> Decimal | None:
    """What the frozen Terms of the lines cost; None where nothing is promised yet."""
    total = Decimal(0)
    for line in lines:
        terms = from_canonical(line.terms.body) if line.terms else None
        costs = period_price(terms.charges, line.quantity) if terms else None
        if costs is None:
            return None
        total += costs
    return total
