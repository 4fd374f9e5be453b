"""manage.py bench_bill_run in small: it measures, leaves no database, and names what it counts."""

import pytest

from tests.benches import measured


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_the_bench_measures_and_cleans_up() -> None:
    told = measured("bench_bill_run", "--accounts", "200")
    assert (told["accounts"], told["invoices"], told["parked"]) == (200, 198, 2)
    assert told["rows"] == 198 + 4 * 198 + 198 + 800
    assert told["ratio_to_copy"] > 0
    assert len(told["peak_rss_mb"]) == 2


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_the_bench_of_pdfs_makes_different_ones() -> None:
    told = measured("bench_pdfs", "--invoices", "60")
    assert (told["pdfs"], told["different"], told["processes"]) == (60, 60, 2)
    assert told["pdfs_per_s"] > 0
    assert told["processor_ms_per_pdf"] > 0
