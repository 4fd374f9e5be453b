"""Counts the published cases by level and reason, and tells both when the session ends."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cases.asking import Level

_LEVELS = [level.value for level in Level]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many cases ran at which level, how many were skipped and why; -v tells each topic."""
    levels: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    topics: dict[str, Counter[str]] = {}
    for properties in _told(terminalreporter):
        told = [value for name, value in properties if name == "case"]
        topic, what, why = told[-1]
        counted = topics.setdefault(topic, Counter())
        if what == "skipped":
            reasons[why] += 1
            counted["skipped"] += 1
        else:
            level = max((level for _, _, level in told), key=_LEVELS.index)
            levels[level] += 1
            counted[level] += 1
    if not topics:
        return
    write = terminalreporter.write_line
    terminalreporter.section("published cases")
    total = ", ".join(f"{levels[level]} by {level}" for level in reversed(_LEVELS))
    write(f"{levels.total()} ran, at their highest level: {total}")
    write(f"{reasons.total()} skipped")
    for why, count in sorted(reasons.items(), key=lambda each: (-each[1], each[0])):
        write(f"  {count:4}  {why}")
    _write_dated(terminalreporter)
    if terminalreporter.config.get_verbosity() > 0:
        for topic, counted in sorted(topics.items()):
            columns = " | ".join(f"{counted[each] or ''}" for each in (*_LEVELS, "skipped"))
            write(f"| {topic} | {columns} |")


def _write_dated(terminalreporter: pytest.TerminalReporter) -> None:
    """At which level those ran that have dates and money, and why some are not sold and billed."""
    levels: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for properties in _told(terminalreporter):
        names = dict(properties)
        topic, what, _ = names["case"]
        if "dated" not in names or what == "skipped":
            continue
        reached = [value[2] for name, value in properties if name == "case"]
        levels[max(reached, key=_LEVELS.index)] += 1
        if why := names.get("unsold"):
            reasons[f"{topic}: {why}"] += 1
    total = ", ".join(f"{levels[level]} by {level}" for level in reversed(_LEVELS))
    write = terminalreporter.write_line
    write(f"{levels.total()} of those that ran have dates and money: {total}")
    for why, count in sorted(reasons.items()):
        write(f"  {count:4}  no real run: {why}")


def _told(terminalreporter: pytest.TerminalReporter) -> Iterator[list[tuple[str, Any]]]:
    """What each case told of itself; under xdist it comes from the workers with the report."""
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(outcome, ()):
            if not isinstance(report, pytest.TestReport) or report.when != "call":
                continue
            if any(name == "case" for name, _ in report.user_properties):
                yield list(report.user_properties)
