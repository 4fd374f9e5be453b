"""What needs no database: who is named with @, and what kind of file it is."""

from orders.work.rules.kinds import TYPES, kind_of
from orders.work.rules.mentions import names_in

__all__ = ["TYPES", "kind_of", "names_in"]
