"""How amounts, days, numbers and states are written; and that every state has its colour."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils.translation import override

from o2b.web import show
from o2b.web.states import STATES, label_of, tone_of


@pytest.mark.parametrize(
    ("language", "amount", "currency", "text"),
    [
        ("en", Decimal("1310"), "EUR", "€1,310.00"),
        ("en", Decimal("-5.5"), "EUR", "-€5.50"),
        ("en", Decimal("0.0045"), "EUR", "€0.0045"),
        ("en", Decimal("49.9000"), "EUR", "€49.90"),
        ("en", Decimal("1310"), "JPY", "JP¥1,310"),
        ("en", Decimal("1310.5"), "", "1,310.50"),
        ("en", Decimal("0"), "EUR", "€0.00"),
        ("en", None, "EUR", "—"),
        ("de", Decimal("1310"), "EUR", "1.310,00\xa0€"),
    ],
)
def test_money(language: str, amount: Decimal | None, currency: str, text: str) -> None:
    with override(language):
        assert show.money_text(amount, currency) == text


def test_money_is_never_a_float() -> None:
    with pytest.raises(TypeError):
        show.money_text(1.5, "EUR")


@pytest.mark.parametrize(
    ("language", "day", "moment"),
    [
        ("en", "4 Nov 2026", "4 Nov 2026, 16:20"),
        ("de", "04.11.2026", "04.11.2026, 16:20"),
    ],
)
def test_days_and_moments(language: str, day: str, moment: str) -> None:
    with override(language):
        assert show.day_text(date(2026, 11, 4)) == day
        assert show.day_text(None) == "—"
        assert show.moment_text(datetime(2026, 11, 4, 16, 20, tzinfo=UTC)) == moment


def test_numbers() -> None:
    assert show.number_text(29202) == "29,202"
    assert show.number_text(Decimal("2.500")) == "2.5"
    assert show.number_text(None) == "—"


@pytest.mark.parametrize(
    ("state", "tone", "label"),
    [
        ("fallout", "bad", "fallout"),
        ("to_approve", "warn", "to approve"),
        ("TO-APPROVE", "warn", "to approve"),
        ("never heard of", "", "never heard of"),
    ],
)
def test_states(state: str, tone: str, label: str) -> None:
    assert (tone_of(state), str(label_of(state))) == (tone, label)


def test_every_state_of_the_life_cycles_is_known() -> None:
    told = """draft, in approval, approved, sent, accepted, declined, expired, withdrawn,
        superseded, scheduled, provisioning, delivered, completed, held, waiting, fallout,
        cancelling, cancelled, blocked, ready, claimed, running, done, failed, skipped,
        compensating, compensated, pending, active, suspended, ended, open, drafting, to approve,
        finalising, finalised, paused, final, paid, overdue, credited, reversed"""
    assert {" ".join(state.split()) for state in told.split(",")} <= STATES.keys()
    assert {tone for tone, _ in STATES.values()} == {"", "good", "go", "warn", "bad"}


def test_the_tags() -> None:
    template = Template(
        "{% load o2b %}{% money amount 'EUR' %}|{{ amount|money:'EUR' }}|{{ on|day }}"
        "|{{ n|number }}|{% badge 'done' %}|{% badge 'x' words 'bad' %}"
    )
    context = Context({"amount": Decimal("5"), "on": date(2026, 11, 4), "n": 1000, "words": "<b>"})
    assert template.render(context) == (
        "€5.00|€5.00|4 Nov 2026|1,000"
        '|<span class="badge good">done</span>|<span class="badge bad">&lt;b&gt;</span>'
    )
