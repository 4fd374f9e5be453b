"""Processor time of web processes and of their Postgres sessions: what other work does not blur."""

from typing import NamedTuple

import psutil

from o2b.sql import ask

SESSIONS = """
SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type IN ('client backend', 'parallel worker')
      AND pid <> pg_backend_pid()
"""


class Spent(NamedTuple):
    """Seconds of processor time; 0 of Postgres if it lives on another machine."""

    web: float = 0.0
    postgres: float = 0.0

    def since(self, before: "Spent") -> "Spent":
        """What was spent between the two."""
        return Spent(self.web - before.web, self.postgres - before.postgres)

    def plus(self, other: "Spent") -> "Spent":
        return Spent(self.web + other.web, self.postgres + other.postgres)

    def each(self, events: int) -> dict[str, float]:
        """Microseconds an event."""
        web, postgres = (seconds * 1e6 / events for seconds in self)
        return {
            "web": round(web, 1),
            "postgres": round(postgres, 1),
            "sum": round(web + postgres, 1),
        }


def spent(web: int) -> Spent:
    """So far, by the web server (this process and its children) and by all sessions but ours."""
    sessions = [pid for (pid,) in ask(SESSIONS)]
    served = psutil.Process(web)
    return Spent(
        sum(map(_seconds, [served, *served.children(recursive=True)])),
        sum(_seconds(psutil.Process(pid)) for pid in sessions if _is_here(pid)),
    )


def _is_here(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).name().startswith("postgres")


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)
