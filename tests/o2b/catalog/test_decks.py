"""Rate decks: sheets by row, two people, days that stay, prices that name a deck, pages."""

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client

from o2b.catalog import services
from o2b.catalog.exchange.decks import read_deck
from o2b.catalog.exchange.faults import SheetRefused
from o2b.catalog.models import DeckRate, Price, PriceBookVersion, RateDeck, RateDeckVersion
from o2b.catalog.selectors.deck_changes import RateChanges
from o2b.catalog.selectors.decks import decks_in_force
from o2b.catalog.selectors.drafts import drafts_for
from o2b.catalog.services import decks
from o2b.catalog.services.meters import draft_version as draft_meter
from o2b.catalog.services.meters import edit_version as edit_meter
from o2b.charging import NoRate
from o2b.errors import Refused
from tests.decks import RATES, a_deck, next_version, rates
from tests.factories import NOON, a_meter, a_product, a_user, monthly

pytestmark = pytest.mark.django_db

TO = {"name": "to", "required": True, "choices": [], "digits": 6}
TODAY = NOON.date()
TOMORROW = TODAY + timedelta(days=1)


def sheet(*lines: str) -> BytesIO:
    return BytesIO("\n".join(lines).encode())


def said(refusal: SheetRefused) -> list[tuple[int, str, str]]:
    return [(each.row, each.header, each.message) for each in refusal.faults]


def test_a_sheet_is_read() -> None:
    found = read_deck(
        sheet(
            "Prefix;Destination;Rate;first_increment;next_increment;connect_fee",
            "49;Germany;0.02;;;",
            "+49171;Germany, mobile;0.18;60;60;0.05",
        ),
        name="deck.csv",
    )
    assert [(r.prefix, r.destination, r.rate, r.whole) for r in found] == [
        ("49", "Germany", Decimal("0.02"), (20_000, 0, 60, 1, 1)),
        ("49171", "Germany, mobile", Decimal("0.18"), (180_000, 50_000, 60, 60, 60)),
    ]


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        ("4x,1", "prefix", "no prefix"),
        (",1", "prefix", "no prefix"),
        ("\u0661,1", "prefix", "no prefix"),
        ("1234567890123456,1", "prefix", "at most 15 digits"),
        ("49,", "rate", "no number"),
        ("49,-1", "rate", "negative"),
        ("49,ten", "rate", "no number"),
        ("49,1e3", "rate", "exponent"),
        ('49,"0,5"', "rate", "decimal comma"),
        ("49,0.0000001", "rate", "6 decimals"),
        ("49,100000000", "rate", "Below 100,000,000"),
        ("49,1,Germany,-1", "connect_fee", "negative"),
        ("49,1,Germany,0,0", "first_increment", "from 1 to 86400"),
        ("49,1,Germany,0,1,x", "next_increment", "whole number"),
        ("49,1," + "x" * 101, "destination", "100 characters"),
        ("49,=1+1", "rate", "formula"),
        ("44,1", "prefix", "stands in row 2 already"),
    ],
)
def test_what_is_wrong_is_said_by_row(line: str, column: str, words: str) -> None:
    head = "prefix,rate,destination,connect_fee,first_increment,next_increment"
    with pytest.raises(SheetRefused) as caught:
        read_deck(sheet(head, "44,1", line, "33,1"), name="deck.csv")
    ((row, header, message),) = said(caught.value)
    assert (row, header) == (3, column)
    assert words in message


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["prefix,price", "49,1"], "is no column"),
        (["prefix", "49"], "The header lacks: rate"),
        (["prefix,rate"], "no rows"),
        ([""], "empty"),
        (["prefix,rate,rate", "49,1,1"], "there twice"),
    ],
)
def test_a_sheet_that_is_none_is_refused(lines: list[str], words: str) -> None:
    with pytest.raises(SheetRefused, match=words):
        read_deck(sheet(*lines), name="deck.csv")


def a_draft(told: dict[str, str] | None = None, by: int | None = None) -> RateDeckVersion:
    deck = decks.add_deck(code="intl", name="Intl", currency="EUR", by=by, at=NOON)
    version = deck.versions.get()
    if told:
        decks.fill_version(version_id=version.pk, rates=rates(told), by=by, at=NOON)
    version.refresh_from_db()
    return version


def test_nothing_is_taken_of_a_faulty_sheet() -> None:
    draft = a_draft({"49": "1"})
    with pytest.raises(SheetRefused):
        decks.fill_from_sheet(
            version_id=draft.pk,
            stream=sheet("prefix,rate", "44,1", "x,1"),
            name="deck.csv",
            by=None,
            at=NOON,
        )
    assert list(DeckRate.objects.values_list("prefix", flat=True)) == ["49"]


def test_two_people_publish_and_postgres_keeps_it() -> None:
    writer = a_user("product").pk
    draft = a_draft({"49": "1", "49171": "2"}, by=writer)
    assert (draft.rates, draft.longest) == (2, 5)
    with pytest.raises(Refused) as caught:
        decks.publish_version(version_id=draft.pk, at=NOON, by=writer)
    assert caught.value.code == "second_person_needed"
    version = decks.publish_version(version_id=draft.pk, at=NOON, by=a_user("product").pk)
    for deed in (
        lambda: DeckRate.objects.update(rate=0),
        lambda: DeckRate.objects.all().delete(),
        lambda: DeckRate.objects.create(version=version, prefix="1", rate=1),
        lambda: RateDeckVersion.objects.update(starts_on=date(2030, 1, 1)),
        lambda: RateDeck.objects.update(currency="USD"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            deed()
    with pytest.raises(Refused, match="only a draft"):
        decks.fill_version(version_id=version.pk, rates=[], by=None, at=NOON)


@pytest.mark.parametrize("mover", ["a person", "a program"])
def test_who_filled_the_rates_never_publishes_them(client: Client, mover: str) -> None:
    """Whoever moves the day of what another wrote does not make it free to its writer."""
    writer, second = a_user("product"), a_user("product")
    draft = a_draft(RATES, by=writer.pk)
    by = second.pk if mover == "a person" else None
    decks.move_version(version_id=draft.pk, starts_on=TOMORROW, by=by, at=NOON)
    for who in filter(None, (writer.pk, by)):
        with pytest.raises(Refused) as caught:
            decks.publish_version(version_id=draft.pk, at=NOON, by=who)
        assert caught.value.code == "second_person_needed"
    with pytest.raises(Refused, match="another person publishes"):
        decks.publish_version(version_id=draft.pk, at=NOON)
    decks.submit_version(version_id=draft.pk, by=second.pk, at=NOON)
    third = a_user("product").pk
    assert [drafts_for(pk)[-1] for pk in (writer.pk, third)] == [(0, 1), (1, 0)]
    client.force_login(writer)
    assert client.get("/catalog/decks/intl/").context["may_publish"] is False
    assert decks.publish_version(version_id=draft.pk, at=NOON, by=third).published_by_id == third


def test_a_draft_that_nobody_filled_is_free_to_all_but_who_prepared_it() -> None:
    a_deck()
    second = a_user("product").pk
    decks.draft_version(code="intl", by=second, at=NOON)
    decks.submit_version(version_id=RateDeckVersion.objects.get(number=2).pk, by=second, at=NOON)
    assert [drafts_for(pk)[-1] for pk in (second, a_user("product").pk)] == [(0, 1), (1, 0)]


def test_what_was_rated_stays() -> None:
    version = a_deck()
    for starts_on in (TODAY - timedelta(days=1), TODAY):
        with pytest.raises(Refused, match="or later") as caught, transaction.atomic():
            next_version({"49": "1"}, starts_on.isoformat(), at=NOON)
        assert caught.value.field == "starts_on"
        with pytest.raises(Refused, match="or later") as caught:
            decks.retire_version(version_id=version.pk, on=starts_on, at=NOON)
        assert caught.value.field == "on"
    later = next_version({"49": "1"}, TOMORROW.isoformat(), at=NOON)
    found = decks_in_force(["intl"])["intl"]
    assert found.version_on(TODAY) == version.pk
    assert found.version_on(TOMORROW) == later.pk
    assert isinstance(found.rate("99", TODAY), NoRate)
    decks.retire_version(version_id=later.pk, on=TOMORROW + timedelta(days=1), at=NOON)
    found = decks_in_force(["intl"])["intl"]
    assert found.version_on(TOMORROW) == later.pk
    assert found.version_on(TOMORROW + timedelta(days=1)) == version.pk
    assert found.version_on(date(2024, 12, 31)) is None


@pytest.mark.parametrize(
    ("told", "fits"),
    [
        ({"1": "5"}, True),  # numbers that had no rate
        ({"4": "5", "491": None}, True),  # a shorter prefix takes what no longer one has
        ({}, True),
        ({"49171": "0.19"}, False),
        ({"49171": "0.18/60/60"}, False),
        ({"491711": "0.18"}, False),  # takes numbers from 49171
        ({"4930": "5"}, False),
        ({"49": None}, False),
    ],
)
def test_a_version_that_only_adds_may_begin_earlier(
    told: dict[str, str | None], fits: bool
) -> None:
    a_deck(told=dict(RATES))
    new = {key: text for key, text in (RATES | told).items() if text}
    day = (TODAY - timedelta(days=9)).isoformat()
    if fits:
        next_version(new, day, at=NOON)
        return
    with pytest.raises(Refused, match="only adds"), transaction.atomic():
        next_version(new, day, at=NOON)


def test_a_gap_of_an_older_version_is_mended_and_later_ones_keep_their_days() -> None:
    first = a_deck(told={"49": "0.02"})
    second = next_version({"49": "0.03"}, TOMORROW.isoformat(), at=NOON)
    later = NOON + timedelta(days=20)
    day = TODAY - timedelta(days=5)
    with pytest.raises(Refused, match="only adds"), transaction.atomic():
        next_version({"49": "0.03", "33": "0.05"}, day.isoformat(), at=later)
    third = next_version({"49": "0.02", "33": "0.05"}, day.isoformat(), at=later)
    found = decks_in_force(["intl"])["intl"]
    asked = (day - timedelta(days=1), day, TODAY, TOMORROW, later.date())
    assert [found.version_on(each) for each in asked] == [
        first.pk,
        third.pk,
        third.pk,
        second.pk,
        second.pk,
    ]
    draft = decks.draft_version(code="intl", by=a_user().pk, at=later)
    told = DeckRate.objects.filter(version=draft).values_list("prefix", "rate")
    assert (draft.number, list(told)) == (4, [("49", Decimal("0.03"))])


def test_a_gap_is_mended_though_a_version_has_retired() -> None:
    """Where one retires the one before holds again: what takes days of both adds to both."""
    first = a_deck(told={"49": "0.02"})
    second = next_version({"49": "0.03"}, "2025-06-01")
    retired = {"on": date(2025, 9, 1), "at": NOON.replace(year=2025, month=1)}
    decks.retire_version(version_id=second.pk, **retired)
    for rate in ("0.02", "0.03"):
        with pytest.raises(Refused, match="only adds"), transaction.atomic():
            next_version({"49": rate, "33": "0.05"}, "2025-07-01", at=NOON)
    third = next_version({"49": "0.02", "33": "0.05"}, "2025-05-01", at=NOON)
    found = decks_in_force(["intl"])["intl"]
    asked = [found.version_on(date(2025, month, 1)) for month in (4, 5, 6, 8, 9)]
    assert asked == [first.pk, third.pk, second.pk, second.pk, third.pk]


def test_an_empty_deck_is_not_published() -> None:
    draft = a_draft()
    with pytest.raises(Refused, match="no rates"):
        decks.publish_version(version_id=draft.pk, at=NOON, by=a_user().pk)
    decks.discard_version(version_id=draft.pk, by=a_user().pk, at=NOON)
    assert not RateDeck.objects.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"code": "a b"}, "code"),
        ({"code": "a\0"}, "name"),
        ({"currency": "XXQ"}, "currency"),
        ({"currency": "eur"}, "currency"),
        ({"per_seconds": 0}, "per_seconds"),
        ({"name": ""}, "name"),
    ],
)
def test_what_is_no_deck_is_refused(given: dict[str, Any], field: str) -> None:
    told: dict[str, Any] = {"code": "intl", "name": "Intl", "currency": "EUR"} | given
    with pytest.raises(Refused) as caught:
        decks.add_deck(**told, by=None, at=NOON)
    assert caught.value.field == field


def priced(**call: Any) -> PriceBookVersion:
    """A draft of a book in which calls are rated by a deck."""
    phone = a_product(code="phone", charges=[monthly()])
    draft = services.draft_price_book_version(book="default-eur", by=a_user().pk, at=NOON)
    details = {"meter": "calls", "call": {"deck": "intl", "number": "to"} | call}
    Price.objects.create(
        version=draft,
        product=phone.product,
        key="voice",
        kind="usage",
        model="rated",
        unit_price=0,
        interval_unit="month",
        timing="arrears",
        details=details,
    )
    return draft


def faults(draft: PriceBookVersion) -> list[tuple[str, str]]:
    found = services.faults_of_book_version(draft)
    return [(each.column, services.fault_in_words(each)) for each in found]


def test_a_price_by_a_deck_is_published() -> None:
    a_deck()
    a_meter("calls", aggregation="each", dimensions=[TO])
    draft = priced()
    assert faults(draft) == []
    services.publish_price_book_version(version_id=draft.pk, at=NOON, by=a_user().pk)


@pytest.mark.parametrize(
    ("currency", "meter", "dimension", "column", "words"),
    [
        (None, "each", TO, "details.deck", "no published rate deck “intl”"),
        ("USD", "each", TO, "details.deck", "is in USD, the price in EUR"),
        ("EUR", "sum", TO, "details.number", "no dimension “to” for numbers"),
        ("EUR", "each", TO | {"name": "from"}, "details.number", "no dimension “to” for numbers"),
        ("EUR", "each", {"name": "to"}, "details.number", "no dimension “to” for numbers"),
        ("EUR", "each", TO | {"digits": 4}, "details.number", "keep 4 digits"),
    ],
)
def test_a_price_that_no_call_could_be_rated_by_is_not(
    currency: str | None, meter: str, dimension: dict[str, Any], column: str, words: str
) -> None:
    if currency:
        a_deck(currency=currency)
    a_meter("calls", aggregation=meter, dimensions=[dimension])
    ((where, message),) = faults(priced())
    assert where == column
    assert words in message


def test_prefixes_longer_than_totals_keep_are_not_published() -> None:
    a_deck()
    a_meter("calls", aggregation="each", dimensions=[TO])
    draft = priced()
    services.publish_price_book_version(version_id=draft.pk, at=NOON, by=a_user().pk)
    with pytest.raises(Refused, match="keep 6 digits; the longest prefix has 7"):
        next_version({"4917123": "1"}, TOMORROW.isoformat(), at=NOON)


@pytest.mark.parametrize(
    ("dimension", "field"),
    [
        (TO | {"digits": 16}, "dimensions[0].digits"),
        (TO | {"digits": -1}, "dimensions[0].digits"),
        (TO | {"digits": "6"}, "dimensions[0].digits"),
        (TO | {"digits": True}, "dimensions[0].digits"),
        (TO | {"required": False}, "dimensions[0].required"),
        (TO | {"choices": ["49"]}, "dimensions[0].choices"),
    ],
)
def test_what_is_no_number_is_refused(dimension: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as caught:
        a_meter("calls", aggregation="each", dimensions=[dimension])
    assert caught.value.field == field


@pytest.mark.parametrize("digits", [0, 5, 7])
def test_digits_of_a_published_dimension_stay(digits: int) -> None:
    a_meter("calls", aggregation="each", dimensions=[TO])
    draft = draft_meter(code="calls", by=a_user().pk, at=NOON)
    assert draft.dimensions == [TO]
    with pytest.raises(Refused) as caught:
        edit_meter(version_id=draft.pk, by=None, at=NOON, dimensions=[TO | {"digits": digits}])
    assert caught.value.field == "dimensions[0].digits"


def test_changes_are_compared_in_postgres() -> None:
    first = a_deck(told={"1": "1", "2": "2", "3": "3", "4": "4/60/60", "5": "5+0.1", "6": "6"})
    told = {"1": "2", "2": "1", "4": "4/60/1", "5": "5+0.2", "6": "6", "7": "7"}
    after = next_version(told, TOMORROW.isoformat(), at=NOON)
    changes = RateChanges(first.pk, after.pk)
    assert [(each.prefix, each.kind, each.percent) for each in changes.iterator()] == [
        ("1", "dearer", 100),
        ("2", "cheaper", -50),
        ("3", "gone", None),
        ("4", "other", 0),
        ("5", "dearer", 0),
        ("7", "new", None),
    ]
    assert changes.counts() == {"dearer": 2, "cheaper": 1, "gone": 1, "new": 1, "other": 1}
    assert [each.prefix for each in changes[1:3]] == ["2", "3"]
    dearest = RateChanges(first.pk, after.pk, kind="dearer", sort="-percent")
    assert [each.prefix for each in dearest[0:9]] == ["1", "5"]
    assert RateChanges(first.pk, after.pk, words="to 7%").count() == 0
    assert RateChanges(first.pk, after.pk, words="7").count() == 1


def test_the_pages_of_a_deck(client: Client) -> None:
    writer, other = a_user("product"), a_user("product")
    client.force_login(writer)
    made = client.post(
        "/catalog/decks/new/",
        {"code": "intl", "name": "International", "currency": "eur", "per_seconds": "60"},
    )
    assert made["Location"] == "/catalog/decks/intl/1/edit/"
    bad = SimpleUploadedFile("deck.csv", b"prefix,rate\n49,1\n49,2\nx,-1\n")
    day = TODAY.isoformat()
    refused = client.post("/catalog/decks/intl/1/edit/", {"starts_on": day, "file": bad})
    text = refused.content.decode()
    assert refused.status_code == 422
    assert "Row 3, column A (prefix)</b>: Prefix 49 stands in row 2 already." in text
    assert "Row 4, column B (rate)</b>: “-1” is negative." in text
    assert not DeckRate.objects.exists()
    good = SimpleUploadedFile("deck.csv", b"prefix,destination,rate\n49,Germany,1\n49171,=D,2\n")
    page = client.post("/catalog/decks/intl/1/edit/", {"starts_on": day, "file": good})
    assert page.status_code == 422  # a formula
    good = SimpleUploadedFile("deck.csv", b"prefix,destination,rate\n49,Germany,1\n49171,D,2\n")
    page = client.post("/catalog/decks/intl/1/edit/", {"starts_on": day, "file": good})
    assert page["Location"] == "/catalog/decks/intl/?version=1"
    assert client.post("/catalog/decks/intl/1/publish/").status_code == 409
    client.post("/catalog/decks/intl/1/submit/")
    client.force_login(other)
    assert "Publish" in client.get("/catalog/decks/intl/").content.decode()
    client.post("/catalog/decks/intl/1/publish/")
    assert RateDeckVersion.objects.get().state == "published"
    for number, words in (
        ("+49 171 234", "<b>49171</b> D"),
        ("4930", "<b>49</b> Germany"),
        ("+1 202", "Version 1 has no prefix for 1202"),
        ("sip:x", "It is no number"),
    ):
        asked = {"number": number, "on": day}
        assert words in client.get("/catalog/decks/intl/", asked).content.decode()
    before = {"number": "49", "on": "2001-01-01"}
    assert "No published version" in client.get("/catalog/decks/intl/", before).content.decode()
    sent = b"".join(client.get("/catalog/decks/intl/1/download/")).decode()
    assert sent.splitlines() == [
        "prefix,destination,rate,connect_fee,first_increment,next_increment",
        "49,Germany,1,0,1,1",
        "49171,D,2,0,1,1",
    ]
    client.post("/catalog/decks/intl/draft/")
    assert "No rate differs" in client.get("/catalog/decks/intl/compare/").content.decode()
    for address in ("", "intl/?q=171&sort=-rate&page=9", "intl/?version=x", "?state=draft"):
        assert client.get(f"/catalog/decks/{address}").status_code == 200
    for address in ("none/", "intl/9/edit/", "none/compare/"):
        assert client.get(f"/catalog/decks/{address}").status_code == 404
    assert client.get("/catalog/decks/intl/1/edit/").status_code == 302
    page = client.get("/catalog/decks/intl/compare/?sort=-percent&q=49&state=dearer&format=csv")
    assert page.status_code == 200
    client.post("/catalog/decks/intl/2/discard/")
    assert RateDeckVersion.objects.count() == 1


def test_who_may_not_change_does_not(client: Client) -> None:
    a_deck()
    client.force_login(a_user("sales"))
    assert client.get("/catalog/decks/intl/").status_code == 200
    for address in ("new/", "intl/draft/", "intl/1/edit/", "intl/1/publish/", "intl/1/retire/"):
        assert client.post(f"/catalog/decks/{address}").status_code == 403
