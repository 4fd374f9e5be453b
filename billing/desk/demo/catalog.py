"""What the demo's carrier sells, how each thing is delivered, and what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from o2b.catalog.introduction import Offer, introduce_book, introduce_product
from o2b.catalog.models import PriceBook
from o2b.customers.layouts import Sending
from o2b.customers.models import LegalEntity
from o2b.customers.opening import ensure_legal_entity
from o2b.packs.meters import load_meter
from o2b.taxes.selectors import rates_for_list
from o2b.taxes.services import set_tax_rate

ENTITY = "nordlicht"
BOOK = "nordlicht-2026"
MONTHLY: dict[str, Any] = {"kind": "recurring", "interval_unit": "month"}
ONCE: dict[str, Any] = {"kind": "one_time"}


def automatic(key: str, name: str, handler: str, *after: str, **parameters: Any) -> dict[str, Any]:
    """A task that a worker does."""
    return {
        "key": key,
        "name": name,
        "kind": "automatic",
        "handler": handler,
        "after": list(after),
        "parameters": parameters,
    }


def by_hand(key: str, name: str, queue: str, *after: str, minutes: int = 30) -> dict[str, Any]:
    """A task that waits in a queue and asks for the version and serial number installed."""
    return {
        "key": key,
        "name": name,
        "kind": "manual",
        "queue": queue,
        "after": list(after),
        "minutes": minutes,
        # Working minutes: as a rule within four days, at most within seven.
        "estimate": 1920,
        "maximum": 3360,
        "evidence": ["version", "serial"],
    }


@dataclass(frozen=True, slots=True)
class Sold:
    """One product: its plan and its charges as (key, amount, how)."""

    name: str
    family: str
    tasks: Sequence[Mapping[str, Any]]
    charges: Sequence[tuple[str, str, Mapping[str, Any]]]
    characteristics: Sequence[Mapping[str, Any]] = ()


SITE = {"name": "site", "label": "Site", "type": "text", "default": "Head office"}
ACCESS = [
    by_hand("install", "Install router on site", "field", minutes=120),
    automatic("light", "Light up the line", "http_provisioning", "install"),
    automatic("activate", "Activate", "activation", "light"),
]
PRODUCTS: Mapping[str, Sold] = {
    "fibre-100": Sold(
        "Fibre 100",
        "access",
        ACCESS,
        [("monthly", "39.90", MONTHLY), ("setup", "49.00", ONCE)],
        [SITE],
    ),
    "fibre-1000": Sold(
        "Fibre 1 Gbit/s",
        "access",
        ACCESS,
        [("monthly", "79.90", MONTHLY), ("setup", "99.00", ONCE)],
        [SITE],
    ),
    "isdn-legacy": Sold(
        "ISDN (legacy)",
        "access",
        [automatic("port", "Reserve a port", "http_provisioning", behaviour="reject")],
        [("monthly", "24.50", MONTHLY)],
    ),
    "sip-trunk": Sold(
        "SIP trunk",
        "voice",
        [
            automatic("numbers", "Port numbers", "http_provisioning"),
            automatic("activate", "Activate", "activation", "numbers"),
        ],
        [("monthly", "14.00", MONTHLY), ("porting", "25.00", ONCE)],
    ),
    "voice-seat": Sold(
        "Voice seat",
        "voice",
        [automatic("licence", "Issue the licence", "licence_key")],
        [("monthly", "11.00", MONTHLY)],
        [
            {
                "name": "edition",
                "label": "Edition",
                "type": "choice",
                "choices": ["basic", "pro"],
                "default": "basic",
            }
        ],
    ),
    "phone-rental": Sold(
        "Desk phone, rented",
        "equipment",
        [by_hand("ship", "Ship the phones", "logistics", minutes=20)],
        [("monthly", "4.90", MONTHLY)],
    ),
    "cloud-backup": Sold(
        "Cloud backup",
        "software",
        [automatic("licence", "Issue the licence", "licence_key")],
        [("monthly", "12.00", MONTHLY | {"alignment": "anniversary"})],
    ),
    "support-gold": Sold(
        "Gold support",
        "service",
        [automatic("activate", "Activate", "activation")],
        [("monthly", "49.00", MONTHLY | {"model": "flat", "timing": "arrears"})],
    ),
    "domain": Sold(
        "Domain",
        "service",
        [automatic("register", "Register", "http_provisioning")],
        [
            (
                "yearly",
                "24.00",
                {"kind": "recurring", "interval_unit": "year", "alignment": "anniversary"},
            )
        ],
    ),
    # Each line fills the pool that all lines of the account share; what is beyond it is paid.
    "mobile-line": Sold(
        "Mobile line",
        "mobile",
        [automatic("activate", "Activate the SIM", "activation")],
        [
            (
                "monthly",
                "19.90",
                MONTHLY
                | {
                    "details": {"grant": {"units": "100", "meter": "mobile-data", "rollover": "20"}}
                },
            ),
            (
                "data",
                "0.80",
                MONTHLY
                | {
                    "kind": "usage",
                    "timing": "arrears",
                    "details": {"meter": "mobile-data"},
                },
            ),
        ],
    ),
    "data-top-up": Sold(
        "Data top-up, 50 GB",
        "mobile",
        [automatic("activate", "Activate", "activation")],
        [
            (
                "top-up",
                "15.00",
                ONCE
                | {
                    "details": {
                        "grant": {"units": "50", "meter": "mobile-data", "lasts": ["month", 3]}
                    }
                },
            )
        ],
    ),
}


# What mobile lines use, and the pool that they share is filled with.
DATA: dict[str, Any] = {
    "code": "mobile-data",
    "name": "Mobile data",
    "unit": "GB",
    "aggregation": "sum",
    "decimals": 3,
}

# (percent, tax code, name) of the seller's country.
RATES = (("19", "", "Umsatzsteuer"), ("7", "reduced", "Umsatzsteuer, ermäßigt"))


# What its invoices look like.
LAYOUT = {
    "accent": "#2f4fdc",
    "logo": (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 220 60">'
        '<circle cx="30" cy="30" r="24" fill="#2f4fdc"/><path d="M15 38 30 12 45 38Z" fill="#fff"/>'
        '<text x="64" y="40" font-family="Libertinus Serif" font-size="30">Nordlicht</text></svg>'
    ),
    "bank": "Deutsche Kreditbank",
    "bic": "BYLADEM1001",
    "footer": "Nordlicht Telecom GmbH · Hafenstraße 12 · 20457 Hamburg\nUSt-IdNr. DE 314 159 265",
}


@transaction.atomic
def ensure_catalog(*, valid_from: date, at: datetime) -> LegalEntity:
    """The seller, its products with plans and its published book; once."""
    entity = ensure_legal_entity(
        code=ENTITY,
        name="Nordlicht Telecom GmbH",
        country="DE",
        currency="EUR",
        address="Hafenstraße 12\n20457 Hamburg",
        tax_id="DE 314 159 265",
        iban="DE02 1203 0000 0000 2020 51",
        number_prefix="NL-",
        sending=Sending.PORTAL,
        layout=LAYOUT,
    )
    if PriceBook.objects.filter(code=BOOK).exists():
        return entity
    _ensure_rates(entity.country, valid_from=valid_from, at=at)
    load_meter(DATA, starts_on=valid_from, at=at)
    introduce_book(
        code=BOOK,
        name="Nordlicht 2026",
        currency="EUR",
        is_default=not PriceBook.objects.filter(currency="EUR", is_default=True).exists(),
        segment=ENTITY,
        valid_from=valid_from,
        offers=[offer for code, sold in PRODUCTS.items() for offer in _offers(code, sold, at=at)],
        at=at,
    )
    return entity


def _ensure_rates(country: str, *, valid_from: date, at: datetime) -> None:
    """The standard and the reduced rate, unless this house has rates of its own."""
    if rates_for_list().filter(country=country).exists():
        return
    for percent, code, name in RATES:
        set_tax_rate(
            country=country,
            percent=Decimal(percent),
            code=code,
            name=name,
            valid_from=valid_from,
            today=at.date(),
        )


def _offers(code: str, sold: Sold, *, at: datetime) -> list[Offer]:
    version = introduce_product(
        code=code,
        name=sold.name,
        family=sold.family,
        tasks=sold.tasks,
        characteristics=sold.characteristics,
        at=at,
    )
    return [
        Offer(product=version.product, key=key, unit_price=Decimal(amount), **how)
        for key, amount, how in sold.charges
    ]
