"""What the customers of the packs order in the demo, and where each order stands today, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orders.models import Priority
from quotes.inputs import LineInput


def line(product: str, quantity: int | str, **characteristics: object) -> LineInput:
    return LineInput(product=product, quantity=quantity, characteristics=characteristics)


@dataclass(frozen=True, slots=True)
class Tale:
    """One order: its note (by which it is found again), when it came, and at which steps it stands.

    `days_ago` and `begins_in` are working days; without `leaves` it is delivered whole.
    """

    note: str
    account: str
    days_ago: int
    lines: tuple[LineInput, ...]
    leaves: frozenset[str] = frozenset()
    # So many of a step's quantity are delivered; the rest is on its way.
    parts: Mapping[str, int] = field(default_factory=dict)
    promised_in: int = 30
    begins_in: int = 0
    priority: int = Priority.NORMAL

    @property
    def lead(self) -> str:
        """Who answers for the work: the lead of the account's pack."""
        return LEADS[self.account.partition("-")[0]]


LEADS = {"TEL": "greta", "SW": "owen", "LAB": "claire"}
MUNICH, WIEN, ZURICH = "Marienplatz 8, München", "Graben 21, Wien", "Wallisellenstrasse 49, Zürich"
HAMBURG = "Speicherstadt 4, Hamburg"

OFFICE = Tale(
    "Office in Wien, whole",
    "TEL-1001",
    18,
    (
        line("office-connect", 1, site=WIEN),
        line("circuit", 1, site_a=WIEN, site_z=MUNICH),
        line("router-rental", 1),
        line("voice-trunk", 8, site=WIEN),
        line("desk-phone-rental", 12),
    ),
    promised_in=45,
)
FAIR = Tale(
    "Ten gigabit for the trade fair",
    "TEL-1004",
    17,
    (line("circuit", 1, bandwidth_mbps="10000", site_a=ZURICH, site_z=MUNICH),),
    leaves=frozenset({"line"}),
    promised_in=20,
    priority=Priority.URGENT,
)
CLINIC = Tale(
    "Second line for the clinic",
    "TEL-1003",
    16,
    (line("circuit", 1, site_a=MUNICH, site_z=HAMBURG),),
    leaves=frozenset({"visit"}),
    promised_in=40,
)
PHONES = Tale(
    "Phones for the new floor",
    "TEL-1002",
    6,
    (line("desk-phone-sale", 40, model="T42"),),
    parts={"ship": 25},
    promised_in=21,
)
ENTRANCE = Tale(
    "Circuit to the warehouse",
    "TEL-1002",
    5,
    (line("circuit", 1, bandwidth_mbps="10", site_a=HAMBURG, site_z=MUNICH),),
    leaves=frozenset({"survey"}),
    promised_in=45,
)
SURVEY = Tale(
    "Survey before the move",
    "TEL-1004",
    1,
    (line("survey", 1, site=ZURICH),),
    leaves=frozenset({"visit"}),
)
LATER = Tale(
    "Cabling when the builders have left",
    "TEL-1001",
    1,
    (line("cabling", "120.5", site=WIEN),),
    begins_in=14,
    promised_in=40,
)
SUITE = Tale(
    "Growth suite with onboarding",
    "SW-2001",
    12,
    (
        line("suite", 1),
        line("team", 25, region="us"),
        line("api-calls", 1),
        line("support", 1),
        line("onboarding", 2),
    ),
)
KEYS = Tale(
    "Five servers of their own",
    "SW-2003",
    8,
    (line("licence-key", 5), line("maintenance", 5)),
)
SEATS = Tale(
    "Seats for all clinics",
    "SW-2002",
    1,
    (line("enterprise", 250, region="us"),),
    leaves=frozenset({"approve"}),
)
CLUSTER = Tale(
    "A cluster of six",
    "SW-2001",
    2,
    (line("licence-key", 6, edition="cluster"),),
)
MERCHANT = Tale(
    "Card payments for the shop",
    "SW-2003",
    3,
    (line("payments", 1),),
    leaves=frozenset({"review"}),
)
METER = Tale("More storage", "SW-2002", 0, (line("storage", 1),))
METALS = Tale(
    "Metals in the blood of twenty",
    "LAB-3001",
    10,
    (
        line("sample-kit", 20),
        line("courier", 1),
        line("assay-metals", 20),
        line("report", 20),
    ),
)
PCR = Tale(
    "Legionella, two days",
    "LAB-3003",
    3,
    (line("assay-pcr", 10, turnaround="2 days", target="Legionella"), line("report", 10)),
    leaves=frozenset({"assay-2-days"}),
    promised_in=2,
    priority=Priority.HIGH,
)
RIVER = Tale(
    "River water, monthly",
    "LAB-3002",
    3,
    (line("assay-toxicology", 4), line("report", 4)),
    leaves=frozenset({"assay-5-days"}),
)
SAME_DAY = Tale(
    "Lead in the water, today",
    "LAB-3001",
    0,
    (line("assay-metals", 2, turnaround="same day"), line("report", 2)),
    leaves=frozenset({"release"}),
    priority=Priority.URGENT,
)
PORTAL = Tale("Portal for the annexe", "LAB-3003", 5, (line("portal", 1),))
SAMPLE = Tale(
    "Soil from the building site",
    "LAB-3002",
    4,
    (line("assay-metals", 6), line("report", 6)),
    leaves=frozenset({"arrive"}),
)

TALES = (
    *(OFFICE, FAIR, CLINIC, PHONES, ENTRANCE, SURVEY, LATER),
    *(SUITE, KEYS, SEATS, CLUSTER, MERCHANT, METER),
    *(METALS, PCR, RIVER, SAME_DAY, PORTAL, SAMPLE),
)
# What people write down when they finish a step that asks for it.
WRITTEN = {
    "route_metres": "38",
    "path": "MUC-4 / 1550 nm / 21 dB",
    "throughput_mbps": "98.7",
    "called_number": "+49 89 5550112",
    "configuration": "campus-2026.3",
    "drawing": "Cabinet 2, east stairs",
    "measurement": "Cat 7, passed",
    "contact_on_site": "Reception, ground floor",
    "identity_provider": "Entra ID",
    "registration_number": "CA-40311",
    "temperature": "4.1",
    "result": "below the limit",
    "batch": "B-2207",
    "summary": "No finding above the limit",
}
SHEET_NAME = "new-floors.csv"
SHEET = """account,order,product,quantity,characteristic.model
TEL-1002,FLOOR-1,desk-phone-rental,8,T42
TEL-1002,FLOOR-2,desk-phone-rental,8,T42
TEL-1002,FLOOR-3,desk-phone-rental,6,W76
TEL-1002,FLOOR-4,desk-phone-rental,4,T99
TEL-1002,FLOOR-5,desk-phone-rental,10,T54
"""
