"""python -m tests.mutants: how many of a sample of small faults in o2b.charging the tests notice.

It works on a copy of the tree in a temporary folder. A process that has imported the libraries,
but nothing of O2B's arithmetic, forks one child for each mutant; the child imports the faulty
module in place of the right one and runs the pure tests until one fails.
"""

import argparse
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import hypothesis
import pytest

from tests.mutants.faults import Mutant, enums_of, mutants_of

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = Path("o2b/charging")
TESTS = ("tests/o2b/charging", "tests/cases", "o2b/charging")
SETTINGS = """[pytest]
addopts = --strict-markers --doctest-modules
filterwarnings =
  error
  ignore::pytest.PytestAssertRewriteWarning
markers = real_file: reads the shared subscribers' file
"""
# Published cases run as pure calls and drafts; for the real runs behind them there is no database.
REAL = ("bases", "consuming", "documents", "ledgers", "lives", "market", "shared")
NO_RUNS = """
class Shared:
    def __init__(self, *told, **more): pass
    def of(self, case): return None
def why_unsold(asked): return ""
def __getattr__(name): return lambda *told, **more: None
"""
NO_DATABASE = """
import pytest
@pytest.fixture(scope="session")
def django_db_setup(): return None
@pytest.fixture(scope="session")
def django_db_blocker(): return None
"""
QUIET = ("-q", "-x", "-p", "no:django", "-p", "no:cacheprovider", "-p", "no:randomly")


class Sampled(NamedTuple):
    """A mutant with its code, ready to be run."""

    mutant: Mutant
    code: str
    diff: str


class Faulty(MetaPathFinder, Loader):
    """Imports one module from a mutant's code instead of its file."""

    def __init__(self, path: Path, code: str) -> None:
        self.path, self.code = path, code
        parts = path.with_suffix("").parts
        self.package = parts[-1] == "__init__"
        self.name = ".".join(parts[:-1] if self.package else parts)

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name != self.name:
            return None
        if not self.package:
            return spec_from_loader(name, self, origin=str(self.path))
        folder = [str(Path(self.path).parent.absolute())]
        return spec_from_file_location(
            name, self.path, loader=self, submodule_search_locations=folder
        )

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(self.path.absolute())
        exec(compile(self.code, module.__file__, "exec"), module.__dict__)


def main() -> int:
    """Print each survivor and the count; 0 if enough mutants were killed."""
    told = _arguments()
    with tempfile.TemporaryDirectory(prefix="o2b-mutants-") as folder:
        copied = _copy(Path(folder) / "tree")
        os.chdir(copied)
        sample = _sample(told.count, told.seed, told.only)
        _prepare(copied)
        seconds, status = _baseline(told.only)
        if status:
            sys.stderr.write("The tests fail without any mutant.\n")
            return 2
        sys.stdout.write(f"{len(sample)} mutants; the tests take {seconds:.0f} s without one\n")
        survivors = _survivors(sample, told, most=int(max(60, 5 * seconds)))
    killed = len(sample) - len(survivors)
    sys.stdout.write(f"\n{killed} killed, {len(survivors)} survived of {len(sample)}: ")
    sys.stdout.write(f"{100 * killed / max(len(sample), 1):.1f} %\n")
    return 0 if 100 * killed >= told.least * len(sample) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many mutants (0: all)")
    parser.add_argument("--seed", type=int, default=1, help="which sample")
    parser.add_argument("--only", default="", help="files and tests whose name contains this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--least", type=float, default=90, help="percent to be killed")
    return parser.parse_args()


def _copy(tree: Path) -> Path:
    """The arithmetic and its pure tests, without the tests' own database."""
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("o2b", *TESTS[:2]):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=ignore)
    for package in ("tests", "tests/o2b"):
        shutil.copy(ROOT / package / "__init__.py", tree / package / "__init__.py")
    (tree / "pytest.ini").write_text(SETTINGS)
    for name in REAL:
        (tree / TESTS[1] / f"{name}.py").write_text(NO_RUNS)
    (tree / TESTS[1] / "test_driver.py").unlink()
    (tree / "tests" / "conftest.py").write_text(NO_DATABASE)
    # Tests look for published cases beside the checkout.
    shared = ROOT.parent / "shared"
    if shared.is_dir():
        (tree.parent / "shared").symlink_to(shared)
    return tree


def _sample(count: int, seed: int, only: str) -> list[Sampled]:
    paths = sorted(TARGET.rglob("*.py"))
    enums = enums_of([*paths, Path("o2b/money.py"), Path("o2b/periods.py")])
    paths = [path for path in paths if only in str(path)]
    every = [mutant for path in paths for mutant in mutants_of(path, enums)]
    sys.stdout.write(f"{len(every)} faults are possible in {len(paths)} files\n")
    if 0 < count < len(every):
        every = random.Random(seed).sample(every, count)
    return [Sampled(mutant, *mutant.written(enums)) for mutant in every]


def _prepare(tree: Path) -> None:
    """Import what no mutant changes; from here on O2B comes from the copy."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "o2b.settings"
    for name in [name for name in sys.modules if name.split(".")[0] in ("o2b", "tests")]:
        del sys.modules[name]
    sys.path[:] = [str(tree), *(each for each in sys.path if Path(each).resolve() != ROOT)]
    hypothesis.settings.register_profile(
        "mutants",
        max_examples=40,
        derandomize=True,
        database=None,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("mutants")
    import_module("o2b.periods")
    import_module("o2b.money").is_currency("EUR")  # Babel's tables


def _baseline(only: str) -> tuple[float, int]:
    """Run the tests as they are: the seconds of computing, and how they ended."""
    child = _fork(None, only, most=3600, quiet=False)
    _, status, used = os.wait4(child, 0)
    return used.ru_utime + used.ru_stime, status


def _survivors(sample: list[Sampled], told: argparse.Namespace, *, most: int) -> list[Sampled]:
    """Those with which no test fails, every module can be imported, and time suffices."""
    waiting, running = list(reversed(sample)), {}
    survivors: list[Sampled] = []
    began, run = time.monotonic(), 0
    while waiting or running:
        while waiting and len(running) < told.jobs:
            each = waiting.pop()
            running[_fork(each, told.only, most=most)] = each
        child, status = os.wait()
        each, run = running.pop(child), run + 1
        if not status:
            survivors.append(each)
            mutant = each.mutant
            sys.stdout.write(f"\nsurvived: {mutant.path}:{mutant.line}\n{each.diff}\n")
        if run % 20 == 0:
            passed = time.monotonic() - began
            sys.stderr.write(f"{run} run, {len(survivors)} survived, {passed:.0f} s\n")
    return survivors


def _fork(sampled: Sampled | None, only: str, *, most: int, quiet: bool = True) -> int:
    """A child that runs the tests with a mutant; at most so many seconds of computing."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    resource.setrlimit(resource.RLIMIT_CPU, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    status = 70
    try:
        if quiet:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
        if sampled is not None:
            sys.meta_path.insert(0, Faulty(sampled.mutant.path, sampled.code))
        for tests in filter(None, _tests(sampled, only)):
            status = int(pytest.main([*QUIET, *tests]))
            if status:
                break
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def _tests(sampled: Sampled | None, only: str) -> tuple[list[str], list[str]]:
    """The pure tests that bear the name of the faulty module, then the published cases and all."""
    files = [str(path) for path in sorted(Path(TESTS[0]).glob("test_*.py")) if only in str(path)]
    others = [] if only else [*map(str, Path(TESTS[1]).glob("test_*.py")), TESTS[2]]
    if sampled is None:
        return [], [*others, *files]
    names = {part.removesuffix(".py") for part in sampled.mutant.path.parts[2:]}
    near = [file for file in files if any(name in file for name in names)]
    return near, [*others, *(file for file in files if file not in near)]


if __name__ == "__main__":
    sys.exit(main())
