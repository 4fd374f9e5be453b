"""Whether the database is there to work in; an empty one is migrated first."""

from django.core.management import call_command
from django.db import connection

from o2b.models import Outbox


def ensure_migrated() -> None:
    """Migrate a database in which O2B has never been; leave every other one as it is."""
    if Outbox._meta.db_table not in connection.introspection.table_names():
        call_command("migrate", verbosity=0, interactive=False)
