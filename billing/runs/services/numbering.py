"""Numbers: a block for each shard on approval, in account order, from the series of the year."""

from collections.abc import Sequence

from django.db.models import Count

from billing.models import BillRun, DraftInvoice, Invoice, NumberSeries, Shard
from billing.runs.copying import Numbering
from o2b.customers.bookkeeping import series_prefix
from o2b.customers.models import LegalEntity

CREDIT_NOTE = Invoice.Kind.CREDIT_NOTE


def lock_numbers(legal_entity_id: int) -> NumberSeries:
    """The row where all meet who open, approve or reverse for a seller."""
    entity = LegalEntity.objects.get(pk=legal_entity_id)
    _series(entity, year=0, kind="")
    return NumberSeries.objects.select_for_update().get(
        legal_entity_id=legal_entity_id, year=0, kind=""
    )


def number_shards(run: BillRun, shards: Sequence[Shard]) -> None:
    """The only place that takes numbers: blocks in account order, none too many."""
    lock_numbers(run.legal_entity_id)
    books = run.legal_entity.bookkeeping
    year = run.on.year if books.numbers_by_year else 0
    own = books.credit_note_prefix and books.credit_note_prefix != run.legal_entity.number_prefix
    main = _series(run.legal_entity, year=year, kind="")
    credit = _series(run.legal_entity, year=year, kind=CREDIT_NOTE) if own else None
    credits_ = _credits(shards) if credit else {}
    for shard in shards:
        of_credit = credits_.get(shard.pk, 0)
        shard.first_number = main.next_number
        main.next_number += shard.invoices - of_credit
        if credit is not None:
            shard.first_credit = credit.next_number
            credit.next_number += of_credit
    Shard.objects.bulk_update(shards, ["first_number", "first_credit"], 500)
    for series in filter(None, (main, credit)):
        series.save(update_fields=["next_number"])
    run.series, run.credit_series = main, credit
    run.save(update_fields=["series", "credit_series"])


def numbering_of(run: BillRun, shard: Shard) -> Numbering:
    """How the documents of a shard are numbered, as it was settled on approval."""
    main, credit = run.series, run.credit_series
    if main is None or shard.first_number is None:
        raise LookupError(f"{run} has no numbers yet")
    if credit is None or shard.first_credit is None:
        return Numbering(main.prefix, main.digits, shard.first_number)
    return Numbering(
        main.prefix,
        main.digits,
        shard.first_number,
        credit.prefix,
        credit.digits,
        shard.first_credit,
    )


def _series(entity: LegalEntity, *, year: int, kind: str) -> NumberSeries:
    """The series, begun with its first document."""
    books = entity.bookkeeping
    prefix = books.credit_note_prefix if kind else entity.number_prefix
    series, _made = NumberSeries.objects.get_or_create(
        legal_entity=entity,
        year=year,
        kind=kind,
        defaults={"prefix": series_prefix(prefix, year), "digits": books.number_digits},
    )
    return series


def _credits(shards: Sequence[Shard]) -> dict[int, int]:
    rows = DraftInvoice.objects.filter(
        shard_id__in=[shard.pk for shard in shards], kind=CREDIT_NOTE
    )
    return dict(rows.order_by().values_list("shard_id").annotate(n=Count("pk")))
