"""A price of single events or of times of the day is sold only by a meter that keeps them."""

from datetime import date
from typing import Any

import pytest

from o2b.catalog import services
from o2b.catalog.models import Contract, ContractPrice, MeterVersion, Price, PriceBookVersion, Terms
from o2b.catalog.services import meters, publication
from o2b.errors import Refused
from quotes.services import send_quote
from tests.factories import NOON, a_meter, a_product, a_quote, a_user, an_account, monthly

pytestmark = pytest.mark.django_db


def window(from_minute: int, rate: str = "0.05", fee: str = "0") -> dict[str, Any]:
    return {"from_minute": from_minute, "connect_fee": fee, "slots": [[0, rate, 60, 60]]}


ALL_DAY = {"model": "rated", "details": {"call": [window(0, fee="0.10")]}}
DAY_AND_NIGHT = {"model": "rated", "details": {"call": [window(0), window(480, "0.50")]}}
EACH, TIME = "prices single events", "hangs on the time of each event"


def share(allowance: str = "", **event: Any) -> dict[str, Any]:
    more = {"allowance": {"units": allowance}} if allowance else {}
    return {"model": "percentage", "details": {"event": event} | more}


def usage(how: dict[str, Any]) -> dict[str, Any]:
    fixed = {"key": "calls", "kind": "usage", "unit_price": 10, "interval_unit": "month"}
    return fixed | {"timing": "arrears"} | how


def a_draft(how: dict[str, Any], valid_from: date | None = None) -> PriceBookVersion:
    phone = a_product(code="phone", charges=[monthly()])
    draft = services.draft_price_book_version(book="default-eur", by=a_user().pk, at=NOON)
    if valid_from:
        PriceBookVersion.objects.filter(pk=draft.pk).update(valid_from=valid_from)
        draft.refresh_from_db()
    Price.objects.create(version=draft, product=phone.product, **usage(how))
    return draft


def said(draft: PriceBookVersion) -> list[str]:
    return [services.fault_in_words(each) for each in services.faults_of_book_version(draft)]


@pytest.mark.parametrize(
    ("how", "aggregation", "timed", "words"),
    [
        (ALL_DAY, "sum", False, EACH),
        (ALL_DAY, "count", False, EACH),
        (ALL_DAY, "each", False, ""),
        (DAY_AND_NIGHT, "sum", False, EACH),
        (DAY_AND_NIGHT, "each", False, TIME),
        (DAY_AND_NIGHT, "each", True, ""),
        (share(fee="0.10"), "sum", False, EACH),
        (share(fee="0.10"), "last", False, EACH),
        (share(fee="0.10"), "each", False, ""),
        (share(minimum="0.10"), "sum", False, EACH),
        (share(maximum="0.10"), "sum", False, EACH),
        (share(maximum="0.10"), "each", False, ""),
        (share(free_events=1), "sum", False, EACH),
        (share(free_events=1), "each", False, TIME),
        (share(free_events=1), "each", True, ""),
        # Percent beyond a free amount is the same of a total; a fee is of those beyond it.
        (share(free_amount="5"), "sum", False, ""),
        (share(free_amount="5", fee="1"), "sum", False, EACH),
        (share(free_amount="5", fee="1"), "each", False, TIME),
        (share("5", fee="1"), "each", False, TIME),
        (share("5"), "sum", False, ""),
        ({"model": "percentage", "details": {}}, "sum", False, ""),
        ({"details": {}}, "sum", False, ""),
    ],
)
def test_a_price_the_meter_cannot_carry_is_not_published(
    how: dict[str, Any], aggregation: str, timed: bool, words: str
) -> None:
    a_meter("calls", aggregation=aggregation, timed=timed)
    draft = a_draft(how)
    if not words:
        assert said(draft) == []
        services.publish_price_book_version(version_id=draft.pk, at=NOON, by=a_user().pk)
        return
    with pytest.raises(services.PricesInvalid) as caught:
        services.publish_price_book_version(version_id=draft.pk, at=NOON, by=a_user().pk)
    (fault,) = caught.value.faults
    assert (fault.product, fault.key, fault.column) == ("phone", "calls", "details.meter")
    text = services.fault_in_words(fault)
    assert words in text
    assert text.startswith("phone, calls ")
    assert "meter calls" in text
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_windows_of_a_deck_hang_on_the_time_too() -> None:
    windows = [{"from_minute": 0, "percent": "50"}, {"from_minute": 480, "percent": "100"}]
    call = {"deck": "intl", "number": "to", "windows": windows}
    a_meter("calls", aggregation="each")
    draft = a_draft({"model": "rated", "details": {"call": call}})
    assert [TIME in each for each in said(draft)] == [True, False, False]


def next_version(code: str, **given: Any) -> MeterVersion:
    draft = meters.draft_version(code=code, by=a_user().pk, at=NOON)
    meters.edit_version(version_id=draft.pk, by=a_user().pk, at=NOON, **given)
    return meters.publish_version(version_id=draft.pk, by=a_user().pk, at=NOON)


def test_every_day_of_the_price_must_have_its_time() -> None:
    a_meter("calls", aggregation="each")
    next_version("calls", timed=True, starts_on=date(2026, 4, 1))
    early = a_draft(DAY_AND_NIGHT, date(2026, 3, 1))
    (text,) = said(early)
    assert "on every day from 2026-03-01 on" in text
    PriceBookVersion.objects.filter(pk=early.pk).update(valid_from=date(2026, 4, 1))
    early.refresh_from_db()
    assert said(early) == []


def test_a_contract_is_not_signed_with_such_a_price() -> None:
    phone = a_product(code="phone")
    a_meter("calls", aggregation="each")
    contract = Contract.objects.create(
        account=an_account(), code="C-1", valid_from=NOON.date().replace(month=1)
    )
    price = ContractPrice.objects.create(
        contract=contract, product=phone.product, **usage(DAY_AND_NIGHT)
    )
    with pytest.raises(Refused, match=TIME) as caught:
        services.sign_contract(contract_id=contract.pk, at=NOON)
    assert caught.value.field == f"rows[{price.pk}].details.meter"


def promised() -> None:
    """Terms of a price that no book has any more."""
    phone = a_product(code="phone", charges=[usage(DAY_AND_NIGHT)])
    send_quote(quote_id=a_quote(products=[phone]).pk, at=NOON)
    assert Terms.objects.get().charges.get().key == "calls"


def published() -> None:
    draft = a_draft(DAY_AND_NIGHT)
    services.publish_price_book_version(version_id=draft.pk, at=NOON, by=a_user().pk)


@pytest.mark.parametrize("sell", [promised, published])
def test_a_meter_keeps_the_time_while_prices_hang_on_it(sell: Any) -> None:
    first = a_meter("calls", aggregation="each", timed=True)
    sell()
    draft = meters.draft_version(code="calls", by=a_user().pk, at=NOON)
    with pytest.raises(Refused, match=r"\(calls\)") as caught:
        meters.edit_version(version_id=draft.pk, by=a_user().pk, at=NOON, timed=False)
    assert caught.value.field == "timed"
    MeterVersion.objects.filter(pk=draft.pk).update(timed=False)  # edited before the price was sold
    with pytest.raises(Refused, match=r"\(calls\)"):
        meters.publish_version(version_id=draft.pk, by=a_user().pk, at=NOON)
    draft.refresh_from_db()
    assert (draft.state, first.timed) == ("draft", True)
    MeterVersion.objects.filter(pk=draft.pk).update(timed=True)
    meters.publish_version(version_id=draft.pk, by=a_user().pk, at=NOON)


@pytest.mark.usefixtures("as_before")
def test_nor_does_it_retire_into_a_version_without_the_time() -> None:
    a_meter("calls", aggregation="each")
    timed = next_version("calls", timed=True)
    promised()
    with pytest.raises(Refused, match=r"\(calls\)") as caught:
        meters.retire_version(version_id=timed.pk, on=date(2026, 5, 1), at=NOON)
    assert caught.value.field == "on"
    timed.refresh_from_db()
    assert timed.state == "published"


def test_a_meter_whose_prices_do_not_hang_on_the_time_may_forget_it() -> None:
    a_meter("calls", aggregation="each")
    timed = next_version("calls", timed=True)
    services.publish_price_book_version(
        version_id=a_draft(share(fee="1")).pk, at=NOON, by=a_user().pk
    )
    assert not next_version("calls", timed=False).timed
    meters.retire_version(version_id=timed.pk, on=date(2026, 5, 1), at=NOON)


@pytest.fixture
def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Books are published unexamined, as they were once."""
    monkeypatch.setattr(publication, "_refuse_faulty", lambda version: None)


@pytest.mark.usefixtures("as_before")
def test_a_meter_of_totals_may_change_beside_a_price_of_events_from_before() -> None:
    """Such a price was published before it was refused: the meter's other fields still change."""
    a_meter("calls")
    promised()
    assert next_version("calls", decimals=2).decimals == 2
