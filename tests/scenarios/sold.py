"""One product of each kind of charge, and what three months of it cost, worked out by hand.

All are sold on Friday 16 January 2026 to an account whose bill day is the first. January has 31
days, of which 16 are served; February has 28.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.factories import monthly, setup_fee

GRADUATED = [
    {"up_to": "10", "unit_price": "10", "flat_fee": "5"},
    {"up_to": None, "unit_price": "8", "flat_fee": "2"},
]
VOLUME = [{"up_to": "10", "unit_price": "10"}, {"unit_price": "8", "flat_fee": "3"}]
STEPS = [
    {"up_to": "10", "unit_price": "0", "flat_fee": "50"},
    {"up_to": "100", "unit_price": "0", "flat_fee": "180"},
    {"unit_price": "0", "flat_fee": "500"},
]
SHARES = [{"up_to": "1000", "unit_price": "2", "flat_fee": "4"}, {"unit_price": "1"}]
CALLS = [{"from_minute": 0, "connect_fee": "0.1", "slots": [[0, "0.05", 60, 60]]}]


class Sold(NamedTuple):
    """A product with one charge, how many are sold, and what the three invoices say of it."""

    code: str
    charge: dict[str, Any]
    quantity: str
    january: Sequence[str]
    february: Sequence[str]
    march: Sequence[str]
    discount: str = "0"


def usage(price: str = "0", **given: Any) -> dict[str, Any]:
    return monthly(price, kind="usage", timing="arrears", **given)


def details(**given: Any) -> dict[str, Any]:
    return {"details": given}


SOLD = [
    # once
    Sold("one-time", setup_fee("99", model="flat"), "3", ["99.00"], [], []),
    # 70 × 16/31 = 36.129…
    Sold("per-unit", monthly("10"), "7", ["36.13"], ["70.00"], ["70.00"]),
    # 63 × 16/31 = 32.516…
    Sold("rep-discount", monthly("10"), "7", ["32.52"], ["63.00"], ["63.00"], "10"),
    # 31 × 16/31
    Sold("flat", monthly("31", model="flat"), "7", ["16.00"], ["31.00"], ["31.00"]),
    # 5 + 10 × 10 + 2 + 15 × 8 = 227; × 16/31 = 117.161…
    Sold(
        "graduated",
        monthly("0", model="graduated", tiers=GRADUATED),
        "25",
        ["117.16"],
        ["227.00"],
        ["227.00"],
    ),
    # 25 × 8 + 3 = 203; × 16/31 = 104.774…
    Sold(
        "volume",
        monthly("0", model="volume", tiers=VOLUME),
        "25",
        ["104.77"],
        ["203.00"],
        ["203.00"],
    ),
    # 180 × 16/31 = 92.903…
    Sold(
        "stairstep",
        monthly("0", model="stairstep", tiers=STEPS),
        "25",
        ["92.90"],
        ["180.00"],
        ["180.00"],
    ),
    # three started packages of ten: 12 × 16/31 = 6.193…
    Sold(
        "package",
        monthly("4", model="package", **details(package_size="10")),
        "25",
        ["6.19"],
        ["12.00"],
        ["12.00"],
    ),
    # 5 of 7 are included: 20 × 16/31 = 10.322…
    Sold(
        "included",
        monthly("10", **details(allowance={"units": "5"})),
        "7",
        ["10.32"],
        ["20.00"],
        ["20.00"],
    ),
    # 70 a month, at most 50: 50 × 16/31 = 25.806…
    Sold("maximum", monthly("10", **details(maximum="50")), "7", ["25.81"], ["50.00"], ["50.00"]),
    # 70 a month, at least 93: 93 × 16/31 = 48
    Sold("minimum", monthly("10", **details(minimum="93")), "7", ["48.00"], ["93.00"], ["93.00"]),
    # nothing was used, at least 20: January is billed in February, 20 × 16/31 = 10.322…
    Sold(
        "usage",
        usage("0.1", **details(minimum="20", allowance={"units": "100", "rollover": "100"})),
        "1",
        [],
        ["10.32"],
        ["20.00"],
    ),
    # without usage no line, but for the fee of a first tier
    Sold(
        "percentage",
        usage("2.5", model="percentage", **details(event={"fee": "1"})),
        "1",
        [],
        [],
        [],
    ),
    Sold("calls", usage(model="rated", **details(call=CALLS)), "1", [], [], []),
    Sold(
        "graduated-percentage",
        usage(model="graduated_percentage", tiers=SHARES),
        "1",
        [],
        ["4.00"],
        ["4.00"],
    ),
    # 20, from 16 February 24. January 20 × 16/31 = 10.322…; February 20 × 15/28 = 10.714… and
    # together with 24 × 13/28 21.857…, so 21.86 − 10.71
    Sold(
        "ramp-by-months",
        monthly("10", **details(ramp=[[1, "12"]])),
        "2",
        ["10.32"],
        ["10.71", "11.15"],
        ["24.00"],
    ),
    Sold(
        "ramp-by-date",
        monthly("10", **details(ramp=[["2026-03-01", "15"]])),
        "2",
        ["10.32"],
        ["20.00"],
        ["30.00"],
    ),
    # free up to 16 February: 28 × 13/28
    Sold(
        "trial",
        monthly("28", **details(trial=["month", 1, False])),
        "1",
        [],
        ["13.00"],
        ["28.00"],
    ),
    # free for 14 days; months then run from the 30th, in February from its last day
    Sold(
        "trial-moves",
        monthly("30", alignment="anniversary", **details(trial=["day", 14, True])),
        "1",
        ["30.00"],
        ["30.00"],
        ["30.00"],
    ),
    # 75 of the 90 days of the first quarter; the second one begins after the last run
    Sold(
        "quarter",
        monthly("90", alignment="calendar", interval_count=3),
        "1",
        ["75.00"],
        [],
        [],
    ),
    Sold("unprorated", monthly("31", proration="none"), "1", ["31.00"], ["31.00"], ["31.00"]),
    Sold("full", monthly("31", proration="full"), "1", ["31.00"], ["31.00"], ["31.00"]),
    # 15 of 30 days: 16–30 January
    Sold(
        "thirty-360",
        monthly("30", **details(conventions={"day_count": "thirty_360"})),
        "1",
        ["15.00"],
        ["30.00"],
        ["30.00"],
    ),
    # 70 × 16/31 = 36.129…, and down
    Sold(
        "rounded-down",
        monthly("10", **details(conventions={"rounding": "down"})),
        "7",
        ["36.12"],
        ["70.00"],
        ["70.00"],
    ),
    # 28 × 16/31 = 14.451…
    Sold("arrears", monthly("28", timing="arrears"), "1", [], ["14.45"], ["28.00"]),
    Sold(
        "year",
        monthly("365", alignment="anniversary", interval_unit="year"),
        "1",
        ["365.00"],
        [],
        [],
    ),
    # Fridays: 16, 23, 30 January; 6, 13, 20, 27 February; 6, 13, 20, 27 March
    Sold(
        "week",
        monthly("7", alignment="anniversary", interval_unit="week"),
        "1",
        ["7.00"] * 3,
        ["7.00"] * 4,
        ["7.00"] * 4,
    ),
]
