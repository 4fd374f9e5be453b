"""manage.py up: the whole house on this machine, from migration to web, until Ctrl-C."""

import os
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand

from o2b.people.demo import PASSWORD, PEOPLE
from o2b.servers import ServerTrouble, ensure
from o2b.servers.crew import Crew, undisturbed, until_signalled
from o2b.servers.home import Home
from o2b.servers.probe import answers
from o2b.servers.valkey import free_port, is_free

LOCALHOST = "127.0.0.1"
WEB_SECONDS = 60
QUEUES = ("fulfilment", "billing", "default")
APPROVER = "tomas"  # of the demo's two in finance


class Command(BaseCommand):
    help = "Start everything: migrate, web, workers, beat. Ctrl-C stops all of it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="load the demo carrier first")
        parser.add_argument("--no-serve", action="store_true", help="do all but serve, then end")
        parser.add_argument("--host", default=LOCALHOST)
        parser.add_argument("--port", type=int, default=int(os.environ.get("O2B_PORT", "8000")))
        parser.add_argument(
            "--workers", type=int, default=max(os.cpu_count() or 2, 2), help="Celery processes"
        )

    def handle(self, **options: Any) -> None:
        serve, host, port = not options["no_serve"], options["host"], options["port"]
        if serve and not is_free(port, host):
            raise ServerTrouble(f"port {port} is taken; choose another one with O2B_PORT.")
        crew = Crew(os.environ | self._environment(demo=options["demo"], port=port))
        said = ""
        with until_signalled():
            try:
                self._tell("Migrating ...")
                call_command("migrate", verbosity=0, interactive=False)
                self._start(crew, workers=options["workers"], demo=options["demo"])
                if serve:
                    self._serve(crew, host=host, port=port, demo=options["demo"])
                if options["demo"]:
                    self._tell("Loading the demo ...")
                    said = crew.run("manage.py", "load_demo")
                if serve:
                    self._welcome(host=host, port=port, demo=options["demo"], said=said)
                    crew.watch(also=_Mender())
            finally:
                with undisturbed():
                    self._tell("Stopping ...")
                    crew.stop()
        if not serve and said:
            self.stdout.write(said, ending="")

    def _environment(self, *, demo: bool, port: int) -> dict[str, str]:
        """What every process of this house is told; what the owner has set stands."""
        ours = {"O2B_PUBLIC_URL": f"http://localhost:{port}", "O2B_HTTPS": "0"}
        ours["O2B_LOG_LEVEL"] = "WARNING"
        if os.geteuid() == 0:  # whoever starts a house as root has decided so
            ours["PYTHONWARNINGS"] = "ignore:You're running the worker with superuser privileges"
        if demo:
            ours["O2B_DEMO"] = "1"
            ours["O2B_PROVISIONING_URL"] = f"http://{LOCALHOST}:{free_port()}/"
            ours["O2B_APPROVER"] = APPROVER
            Home.from_environment().remember("O2B_APPROVER", APPROVER)
        return {name: value for name, value in ours.items() if not os.environ.get(name)}

    def _start(self, crew: Crew, *, workers: int, demo: bool) -> None:
        provisioning = crew.environment.get("O2B_PROVISIONING_URL", "")
        ours = demo and not os.environ.get("O2B_PROVISIONING_URL")
        if ours and "provisioning_server" in get_commands():
            port = provisioning.rstrip("/").rsplit(":", 1)[1]
            crew.start("provisioning", "manage.py", "provisioning_server", "--port", port)
        for number in range(workers):
            turn = number % len(QUEUES)
            queues = ",".join(QUEUES[turn:] + QUEUES[:turn])
            crew.start_worker(f"worker {number + 1}", node=f"o2b{number + 1}", queues=queues)
        beat = ("-m", "celery", "-A", "o2b", "--quiet", "beat", "--pidfile=", "-l", "WARNING")
        crew.start("beat", *beat, role="beat")

    def _serve(self, crew: Crew, *, host: str, port: int, demo: bool) -> None:
        if not demo:
            crew.run("manage.py", "collectstatic", "--noinput", "-v", "0", role="collect")
        crew.start(
            "web",
            *("-m", "gunicorn", "o2b.wsgi", "--bind", f"{host}:{port}"),
            *("--workers", "2", "--threads", "4", "--log-level", "warning", "--no-control-socket"),
        )
        until = time.monotonic() + WEB_SECONDS
        while not answers(host, port):
            crew.check()
            if time.monotonic() > until:
                raise ServerTrouble(f"the web process does not answer on port {port}.")
            time.sleep(0.1)

    def _welcome(self, *, host: str, port: int, demo: bool, said: str) -> None:
        self.stdout.write(said, ending="")
        lines = [f"\nO2B runs at http://localhost:{port}/  (Ctrl-C stops it)"]
        if demo:
            lines += [f"Log in with password {PASSWORD} as"]
            lines += [
                f"  {one.username:<8} {one.first_name} {one.last_name}, {one.group}"
                for one in PEOPLE
            ]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()

    def _tell(self, what: str) -> None:
        self.stderr.write(what, style_func=str)
        self.stderr.flush()


class _Mender:
    """Brings back an embedded server that died, where this house runs on embedded ones."""

    def __init__(self) -> None:
        self.home = Home.from_environment()
        self.next = 0.0
        self.embedded = (self.home.path / "servers.json").exists()

    def __call__(self) -> None:
        if self.embedded and time.monotonic() >= self.next:
            self.next = time.monotonic() + 5
            ensure(self.home)
