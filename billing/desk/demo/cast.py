"""The demo's customers: who they are and what each of them wants, the same at every load."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

FIRST = [
    "Aurora",
    "Harbour",
    "Birch",
    "Cobalt",
    "Delta",
    "Ember",
    "Falcon",
    "Granite",
    "Juniper",
    "Kestrel",
    "Lantern",
    "Meridian",
    "Northwind",
    "Orchid",
    "Polar",
    "Quarry",
    "Ridge",
    "Solveig",
    "Tidal",
    "Umber",
    "Verdant",
    "Willow",
    "Zenith",
    "Atlas",
]
SECOND = [
    "Clinics",
    "Freight",
    "Labs",
    "Marine",
    "Foods",
    "Energy",
    "Retail",
    "Studios",
    "Works",
    "Logistics",
    "Schools",
    "Media",
]
STREETS = [
    "Lindenstraße",
    "Marktplatz",
    "Am",
    "Kai",
    "Bergweg",
    "Schulgasse",
    "Ringstraße",
    "Gartenweg",
]
TOWNS = [
    "20095 Hamburg",
    "10115 Berlin",
    "50667 Köln",
    "80331 München",
    "28195 Bremen",
    "04109 Leipzig",
]
# what a customer wants: (product, least, most)
WISHES: tuple[tuple[tuple[str, int, int], ...], ...] = (
    (("fibre-100", 1, 1), ("voice-seat", 3, 20)),
    (("fibre-1000", 1, 2), ("sip-trunk", 1, 4), ("phone-rental", 4, 40)),
    (("voice-seat", 5, 80), ("phone-rental", 5, 80)),
    (("cloud-backup", 1, 12), ("support-gold", 1, 1)),
    (("fibre-100", 1, 3), ("cloud-backup", 2, 6), ("domain", 1, 3)),
    (("sip-trunk", 1, 2), ("voice-seat", 2, 10), ("support-gold", 1, 1)),
)


@dataclass(frozen=True, slots=True)
class Client:
    """One customer of the demo."""

    reference: str
    name: str
    address: str
    bill_day: int
    lines: tuple[tuple[str, int], ...]
    percent_off: int


# Lines on two sites that share one pool of data, which a top-up fills for three months.
POOLED = Client(
    reference="N-POOL",
    name="Lighthouse Pilots",
    address="Elbchaussee 7\n22763 Hamburg",
    bill_day=1,
    lines=(("mobile-line", 4), ("mobile-line", 2), ("data-top-up", 1)),
    percent_off=0,
)


def clients(count: int) -> Iterator[Client]:
    """As many customers as asked for; number n is always the same one."""
    for n in range(count):
        chance = Random(n)  # repeatable, no secret
        name = f"{FIRST[n % len(FIRST)]} {SECOND[(n // len(FIRST)) % len(SECOND)]}"
        wishes = WISHES[chance.randrange(len(WISHES))]
        yield Client(
            reference=f"N-{1001 + n}",
            name=name,
            address=f"{chance.choice(STREETS)} {chance.randrange(1, 90)}\n{chance.choice(TOWNS)}",
            bill_day=chance.choice((1, 1, 1, 15, 31)),
            lines=tuple((code, chance.randint(least, most)) for code, least, most in wishes),
            percent_off=chance.choice((0, 0, 0, 0, 5, 10)),
        )
