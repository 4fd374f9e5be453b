"""Rates that come late change what calls of past days draw: their pools are looked at again."""

from o2b.sql import ask
from subscriptions.pools.services.keeping import revise_pools

# Pools that somebody draws from by calls of the deck, where a day of the version is over for them.
DECKED = """
SELECT DISTINCT drawer.pool_id
    FROM catalog_ratedeckversion AS deck_version
    JOIN catalog_ratedeck AS deck ON deck.id = deck_version.deck_id
    JOIN catalog_termscharge AS priced ON priced.details #>> '{call,deck}' = deck.code
    JOIN subscriptions_itemversion AS version
        ON version.terms_id = priced.terms_id AND upper_inf(version.recorded) AND version.billed
    JOIN subscriptions_item AS item ON item.id = version.item_id
    JOIN subscriptions_poolservice AS drawer
        ON drawer.service_id = COALESCE(item.root_id, item.id)
    JOIN customers_account AS account ON account.id = item.account_id
    LEFT JOIN o2b_testclock AS clock ON clock.id = account.test_clock_id
    WHERE deck_version.id = %s
      AND deck_version.starts_on
          < (COALESCE(clock.now, statement_timestamp()) AT TIME ZONE account.time_zone)::date
"""


def revise_of_deck(*, version_id: int) -> None:
    """Who shares a pool with calls of a deck is billed anew where the version has days behind it.

    A call without a rate counts the seconds that it took, one with a rate those of its
    increments. In a transaction; nothing where no day of the version is over.
    """
    pools = [pk for (pk,) in ask(DECKED, [version_id])]
    if pools:
        revise_pools(pools)
