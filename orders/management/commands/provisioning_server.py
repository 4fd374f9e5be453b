"""manage.py provisioning_server: a provisioning system for the demo, and to rehearse failures."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders.gateways.provisioning import secret
from orders.gateways.rehearsal import BEHAVIOURS, Memory, RehearsalServer


class Command(BaseCommand):
    help = (
        "A provisioning system to rehearse with; O2B_PROVISIONING_URL names it to the workers. "
        f"A product's parameter or characteristic “behaviour” makes it: {', '.join(BEHAVIOURS)}."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8020, help="0 takes a free one")
        parser.add_argument(
            "--fail-rate", type=float, default=0.0, help="share of requests answered 503 (0 to 1)"
        )
        parser.add_argument(
            "--call-back", type=float, default=2.0, help="seconds until “async” calls back"
        )
        parser.add_argument("--slow", type=float, default=2.0, help="seconds that “slow” takes")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 <= options["fail_rate"] <= 1:
            raise CommandError("--fail-rate lies between 0 and 1")
        memory = Memory(
            fail_rate=options["fail_rate"],
            slow_seconds=options["slow"],
            async_seconds=options["call_back"],
            secret=secret(),
        )
        try:
            server = RehearsalServer(options["port"], memory=memory)
        except (OSError, OverflowError) as exc:
            raise CommandError(f"port {options['port']} cannot be used: {exc}") from exc
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: threading.Thread(target=server.stop).start())
        self.stdout.write(f"provisioning server on {server.url}")
        self.stdout.flush()
        server.serve_forever(poll_interval=0.1)
