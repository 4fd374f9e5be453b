"""Whose fault a database error is: the data's, which parks an account, or the server's."""

from django.db import DatabaseError, InterfaceError, OperationalError

# Connection lost; rolled back (deadlock); no room or memory; a lock not to be had; cancelled or
# shut down; the system; its settings; its own faults. None of them says anything of an account.
OF_THE_SERVER = ("08", "40", "53", "55", "57", "58", "F0", "XX")


def is_of_the_server(exc: DatabaseError) -> bool:
    """Whether the same statement may well succeed later: then nobody is to blame for it."""
    code = getattr(exc.__cause__, "pgcode", None)
    if code is None:
        return isinstance(exc, (InterfaceError, OperationalError))
    return bool(code.startswith(OF_THE_SERVER))
