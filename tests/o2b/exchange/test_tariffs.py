"""Real tariffs as books: matrices by speed and term, and two versions of one book of ports."""

from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from o2b.catalog.models import PriceBook, PriceBookVersion, Product, ProductVersion
from o2b.catalog.resolution import NoPrice, Wanted, resolve
from o2b.customers.models import Account
from tests.factories import an_account
from tests.o2b.exchange.build import written

pytestmark = pytest.mark.django_db

FOLDER = Path(settings.BASE_DIR).parent / "shared" / "data" / "tariffs"
needs_folder = pytest.mark.skipif(not FOLDER.is_dir(), reason="the shared tariffs are not here")


@pytest.fixture
def account() -> Account:
    return an_account(currency="USD", segment="tariff")


def load(folder: Path = FOLDER) -> list[str]:
    told = StringIO()
    call_command("import_tariffs", str(folder), publish=True, stdout=told)
    return told.getvalue().splitlines()


def priced(account: Account, product: str, on: str, **cell: str) -> dict[str, Decimal]:
    version = ProductVersion.objects.get(product__code=product)
    wanted = Wanted(product_version=version, quantity=Decimal(1), characteristics=cell)
    [found] = resolve(account=account, wanted=[wanted], on=date.fromisoformat(on))
    return {charge.key: charge.unit_price for charge in found.terms.charges}


@needs_folder
def test_the_files_become_products_and_books() -> None:
    assert load() == [
        "tariffs.csv: 3 new",
        "epl-metro-2006-01-01.csv: 30 new",
        "epl-metro-2009-01-01.csv: 50 new, 30 changed",
        "evpl-metro-2005-01-01.csv: 120 new",
        "frame-relay-2005-02-01.csv: 18 new",
        "frame-relay-2007-11-01.csv: 18 changed",
    ]
    assert set(PriceBook.objects.values_list("code", "currency", "segment")) == {
        ("tariff-epl-metro", "USD", "tariff"),
        ("tariff-evpl-metro", "USD", "tariff"),
        ("tariff-frame-relay", "USD", "tariff"),
    }
    versions = PriceBookVersion.objects.filter(book__code="tariff-frame-relay")
    assert list(versions.order_by("number").values_list("number", "valid_from", "state")) == [
        (1, date(2005, 2, 1), "published"),
        (2, date(2007, 11, 1), "published"),
    ]
    [port] = ProductVersion.objects.get(product__code="frame-relay").characteristics
    assert (port["name"], port["type"], port["unit"]) == ("port_kbps", "choice", "kbit/s")
    assert (port["choices"][0], port["choices"][-1], len(port["choices"])) == ("56", "44184", 18)
    before = written()
    assert load() == ["tariffs.csv: 3 unchanged"]
    assert written() == before


@needs_folder
@pytest.mark.parametrize(
    ("product", "on", "cell", "monthly", "once"),
    [
        ("epl-metro", "2007-06-01", ("150", "1"), "1725", "1400"),
        ("epl-metro", "2007-06-01", ("150", "3"), "1245", "1400"),
        ("epl-metro", "2006-01-01", ("150", "4"), "1076", "1400"),
        ("epl-metro", "2009-01-01", ("10", "3"), "800", "300"),
        ("evpl-metro", "2005-01-01", ("1", "1"), "3.20", "25"),
        ("evpl-metro", "2010-12-31", ("1", "4"), "2.70", "25"),
    ],
)
def test_a_matrix_prices_by_speed_and_term(
    account: Account, product: str, on: str, cell: tuple[str, str], monthly: str, once: str
) -> None:
    load()
    found = priced(account, product, on, bandwidth_mbps=cell[0], term_years=cell[1])
    assert found == {"monthly": Decimal(monthly), "installation": Decimal(once)}


@needs_folder
def test_ports_cost_what_their_book_says_on_the_day(account: Account) -> None:
    load()
    days = {"2006-01-01": "1211", "2007-10-31": "1211", "2007-11-01": "2563", "2008-01-01": "2563"}
    for on, price in days.items():
        assert priced(account, "frame-relay", on, port_kbps="1536") == {"monthly": Decimal(price)}
    with pytest.raises(NoPrice):
        priced(account, "frame-relay", "2005-01-31", port_kbps="1536")
    with pytest.raises(NoPrice):
        priced(account, "epl-metro", "2005-12-31", bandwidth_mbps="150", term_years="1")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a_2006.csv", "speed,price\n1,2\n", "is no tariff"),
        ("a.csv", "service,config,bandwidth_mbps,term_years,mrc_usd,nrc_usd\n", "no year"),
        (
            "a_2006.csv",
            'service,config,bandwidth_mbps,term_years,mrc_usd,nrc_usd\nE,c,1,1,"1,5",0\n',
            "row 2, column E (mrc_usd)",
        ),
        ("a.csv", "price_book,port_kbps,mrc_usd\nVBS,56,1\n", "row 2, column A (price_book)"),
    ],
)
def test_what_is_no_tariff_is_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(CommandError) as caught:
        load(tmp_path)
    assert words in str(caught.value)
    assert not Product.objects.exists()


def test_an_empty_folder_and_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no tariff"):
        load(tmp_path)
    with pytest.raises(CommandError, match="no folder"):
        load(tmp_path / "nothing")
