"""The laws of the house that no linter knows: names at the top, floors, foreign keys, sentences."""

import ast
import subprocess
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("o2b", "quotes", "orders", "subscriptions", "billing")
TOP = {
    *STAGES,
    "manage.py",
    "templates",
    "tests",
    "docs",
    "locale",
    "pyproject.toml",
    "docker-compose.yml",
    "Dockerfile",
    "Makefile",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "requirements.lock",
    "requirements-dev.lock",
}
LIMIT = 300


def tracked(pattern: str = "*") -> list[Path]:
    """The files of the checkout that are under version control (all of them, without git)."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).exists()]


def python_files() -> list[Path]:
    return [p for p in tracked("*.py") if "migrations" not in p.parts]


def test_the_top_level_is_the_design():
    names = {p.relative_to(ROOT).parts[0] for p in tracked()}
    assert {n for n in names if not n.startswith(".")} <= TOP
    assert set(STAGES) <= names


def test_no_file_is_past_its_length():
    assert [
        f"{p.relative_to(ROOT)}: {n}"
        for p in python_files()
        if "tests" not in p.parts and (n := len(p.read_text().splitlines())) > LIMIT
    ] == []


def test_every_module_says_what_it_is_for():
    silent = [
        str(p.relative_to(ROOT))
        for p in python_files()
        if (text := p.read_text()).strip() and ast.get_docstring(ast.parse(text)) is None
    ]
    assert silent == []


def test_no_import_inside_a_function():
    inside = [
        f"{p.relative_to(ROOT)}:{node.lineno}"
        for p in python_files()
        if p.name != "manage.py"
        for function in ast.walk(ast.parse(p.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inside == []


def test_every_room_is_under_the_contract_of_floors():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    containers = {name for c in contracts for name in c.get("containers", [])}
    rooms = {
        ".".join(p.relative_to(ROOT).parent.parts)
        for stage in STAGES
        for name in ("services.py", "models.py")
        for p in (ROOT / stage).rglob(name)
    }
    rooms |= {
        ".".join(p.parent.relative_to(ROOT).parent.parts)
        for stage in STAGES
        for name in ("services", "models")
        for p in (ROOT / stage).rglob(f"{name}/__init__.py")
    }
    assert rooms - containers == set()


def test_no_foreign_key_climbs_the_stairs_backwards():
    climbing = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model.__module__.split(".")[0] in STAGES
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey)
        and field.related_model._meta.app_label != model._meta.app_label
        and not field.remote_field.hidden
    ]
    assert climbing == []


def test_a_state_changes_by_transition_only():
    writers = [
        f"{p.relative_to(ROOT)}:{node.lineno}"
        for p in python_files()
        if "tests" not in p.parts and p.name != "fsm.py"
        for node in ast.walk(ast.parse(p.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "update"
        and any(k.arg == "state" for k in node.keywords)
    ]
    assert writers == []


def test_a_lock_on_a_row_of_orders_leaves_its_key_alone():
    """FOR UPDATE would meet the foreign keys that Postgres looks up when somebody commits."""
    nobody_refers_to = (
        *("Outbox", "BulkOrder", "FalloutRule", "OutsideSystem"),
        *("LicenceKey", "LicencePool", "QueueMember"),
    )
    found = []
    for path in python_files():
        where = str(path.relative_to(ROOT))
        if not where.startswith("orders/") and where != "o2b/fsm.py":
            continue
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            locks = call.func.attr == "select_for_update"
            if locks and "no_key" not in {given.arg for given in call.keywords}:
                of = ast.unparse(call.func.value)
                if not of.startswith(tuple(f"{name}.objects" for name in nobody_refers_to)):
                    found.append(f"{where}:{call.lineno}: {of}")
    assert found == []
