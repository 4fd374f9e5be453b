#!/usr/bin/env python3
"""Django's command line for O2B; finds or starts the embedded servers that a command needs."""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036  an older Python must get a sentence, not a traceback
    sys.exit("O2B needs Python 3.11 or newer; this is Python %d.%d." % sys.version_info[:2])  # noqa: UP031


def main() -> None:
    """Prepare the environment, then hand over to Django; trouble becomes one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "o2b.settings")
    try:
        from django.core.management import execute_from_command_line

        from o2b.servers import ServerTrouble, command_line
    except ImportError as missing:
        sys.exit(
            f"O2B's packages are not in this Python ({missing}): run `make .venv`, "
            "then .venv/bin/python manage.py."
        )
    try:
        with command_line.servers_for(sys.argv):
            execute_from_command_line(sys.argv)
    except ServerTrouble as trouble:
        sys.exit(f"O2B: {trouble}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
