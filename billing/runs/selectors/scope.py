"""Which accounts a shard is about, said in SQL for any table that has an account id."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from billing.families.selectors import accounts_in_families, accounts_of_shard
from billing.models import BillRun, Shard


@dataclass(frozen=True, slots=True)
class Scope:
    """A range of accounts of one legal entity, or some of them, or all but some (`without`)."""

    legal_entity_id: int
    first_account: int
    last_account: int
    only: Sequence[int] | None = None
    without: Sequence[int] = ()

    def within(self, column: str) -> str:
        """The condition on an account column; its values are `values`."""
        limits = f"{column} BETWEEN %(first)s AND %(last)s"
        if self.without:
            limits += f" AND {column} <> ALL(%(without)s)"
        return limits if self.only is None else f"{limits} AND {column} = ANY(%(only)s)"

    def read(self, table: str, column: str = "account_id") -> str:
        """The rows of these accounts in a table, read as a range before anything is joined.

        Postgres takes two ranges that are the same for independent of each other, expects a
        handful of rows where both hold, and looks them up one by one. OFFSET 0 keeps it from that.
        """
        return f"(SELECT * FROM {table} WHERE {self.within(column)} OFFSET 0)"

    def read_of(self, table: str, column: str, *, ids: str, which: str = "true") -> str:
        """The rows of a table without an account, of the ids that `ids` (SQL over `read`) tells.

        They are sorted first, and the index is walked once; a look-up for each costs four times
        as much. Where they are joined, what stands on the left has to be read by `read`, too.
        """
        return f"(SELECT * FROM {table} WHERE {column} = ANY(ARRAY({ids})) AND {which} OFFSET 0)"

    @property
    def values(self) -> dict[str, object]:
        return {
            "entity": self.legal_entity_id,
            "first": self.first_account,
            "last": self.last_account,
            "only": None if self.only is None else list(self.only),
            "without": list(self.without),
        }

    def narrowed(self, account_ids: Sequence[int]) -> "Scope":
        """These accounts of it alone."""
        return Scope(self.legal_entity_id, self.first_account, self.last_account, account_ids)


def scope_of(run: BillRun, shard: Shard) -> Scope:
    """The accounts of a shard; of those chosen for the run, its own alone.

    Families lie in shards of their own, which are lists; no other shard is about them.
    """
    only = run.account_ids
    first, last = shard.first_account, shard.last_account
    if only is not None:  # sorted
        only = only[bisect_left(only, first) : bisect_right(only, last)]
    if shard.families:
        only = accounts_of_shard(shard)
    elif run.families:
        of_families = accounts_in_families(run, first=first, last=last)
        if only is None:
            return Scope(run.legal_entity_id, first, last, None, of_families)
        only = sorted(set(only).difference(of_families))
    return Scope(run.legal_entity_id, first, last, only)
