"""Whether the numbers of all series are without a gap, and whose are still to be written."""

from dataclasses import dataclass

from o2b.sql import ask

# A number that belongs to an approved shard which is not final yet is on its way, and no gap.
GAPS = """
WITH written AS (
    SELECT series.id AS series_id, bill.serial
        FROM billing_numberseries AS series
        JOIN billing_invoice AS bill ON bill.legal_entity_id = series.legal_entity_id
            AND bill.number = series.prefix || lpad(bill.serial::text,
                greatest(series.digits, length(bill.serial::text)), '0')
), waiting AS (
    SELECT CASE WHEN own THEN run.credit_series_id ELSE run.series_id END AS series_id,
           CASE WHEN own THEN shard.first_credit ELSE shard.first_number END
               - 1 + row_number() OVER (PARTITION BY shard.id, own) AS serial
        FROM billing_shard AS shard
        JOIN billing_billrun AS run ON run.id = shard.run_id AND run.series_id IS NOT NULL
        JOIN billing_draftinvoice AS draft ON draft.shard_id = shard.id
        CROSS JOIN LATERAL (SELECT run.credit_series_id IS NOT NULL
            AND draft.kind = 'credit_note' AS own) AS told
        WHERE shard.state = 'drafted' AND shard.first_number IS NOT NULL
), given AS (
    SELECT series_id, serial FROM written
    UNION ALL SELECT series_id, serial FROM waiting
    UNION ALL SELECT id, next_number FROM billing_numberseries
), ordered AS (
    SELECT series_id, serial,
           lag(serial, 1, 0::bigint) OVER (PARTITION BY series_id ORDER BY serial) AS before
        FROM given
)
SELECT series.prefix, ordered.before + 1, ordered.serial - 1, seller.code
    FROM ordered
    JOIN billing_numberseries AS series ON series.id = ordered.series_id
    JOIN customers_legalentity AS seller ON seller.id = series.legal_entity_id
    WHERE ordered.serial <> ordered.before + 1
    ORDER BY seller.code, series.prefix, ordered.serial
"""

# Whatever hands out numbers beside the series would be seen here.
STRANGE = """
SELECT bill.number, bill.serial, bill.serial, seller.code FROM billing_invoice AS bill
    JOIN customers_legalentity AS seller ON seller.id = bill.legal_entity_id
    WHERE NOT EXISTS (
        SELECT FROM billing_numberseries AS series
            WHERE series.legal_entity_id = bill.legal_entity_id
                AND bill.number = series.prefix || lpad(bill.serial::text,
                    greatest(series.digits, length(bill.serial::text)), '0')
    )
    ORDER BY seller.code, bill.number LIMIT 1000
"""


@dataclass(frozen=True, slots=True)
class NumberFault:
    """Numbers of a seller that are missing, given twice, or of no series."""

    seller: str
    prefix: str
    first: int
    last: int
    kind: str

    @property
    def text(self) -> str:
        """One line for a terminal."""
        which = f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"
        if self.kind == "strange":
            return f"{self.seller}: {self.prefix} is of no series"
        return f"{self.seller}: {self.prefix} {self.kind} {which}"


def faults_of_numbers() -> list[NumberFault]:
    """Every gap in a series, every number given twice or beyond the next one; none is the law."""
    found = [
        NumberFault(seller, prefix, first, last, "lacks")
        if first <= last
        else NumberFault(seller, prefix, last + 1, last + 1, "has twice or ahead")
        for prefix, first, last, seller in ask(GAPS)
    ]
    return found + [
        NumberFault(seller, number, first, last, "strange")
        for number, first, last, seller in ask(STRANGE)
    ]
