"""What was negotiated: checked as a whole before it is signed, and the paper attached to it."""

import re
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import events
from o2b.catalog.book_rows import examine_all, known_of
from o2b.catalog.models import Contract, ContractDocument
from o2b.catalog.rules.books import RowFault, faults_of_rows
from o2b.catalog.rules.contracts import (
    Commitment,
    Off,
    Pool,
    faults_of_commitments,
    faults_of_discounts,
    faults_of_pools,
)
from o2b.catalog.services.books import refuse_prices
from o2b.catalog.services.measured import faults_of_meters, warnings_of_meters
from o2b.catalog.services.refusals import refuse_first
from o2b.errors import Invalid

LARGEST_DOCUMENT = 10 * 1024 * 1024
LONGEST_NAME = 200
UNSAFE = re.compile(r"[\x00-\x1f\x7f]")


class DocumentInvalid(Invalid):
    code = "document_invalid"


def refuse_unsound(contract: Contract) -> None:
    """Refuse to sign prices that could not be billed, and bounds that cannot be."""
    refuse_prices(faults_of_contract_prices(contract))
    discounts = [Off(d.kind, d.value) for d in contract.discounts.all()]
    commitments = [
        Commitment(
            each.product.code if each.product else "",
            each.key,
            each.kind,
            each.amount,
            each.interval_unit,
            each.interval_count,
        )
        for each in contract.commitments.select_related("product")
    ]
    pools = [
        Pool(p.name, p.units, p.unit, p.price, p.rollover_periods, p.expires_after_months)
        for p in contract.pools.all()
    ]
    refuse_first(
        [
            *faults_of_discounts(discounts, contract.account.currency),
            *faults_of_commitments(commitments),
            *faults_of_pools(pools),
        ]
    )


def faults_of_contract_prices(contract: Contract) -> list[RowFault]:
    """Everything that is wrong with a contract's own prices; `row` is the key of the price."""
    currency = contract.account.currency
    prices = list(contract.prices.order_by("product__code", "key", "pk"))
    known = known_of({price.product_id for price in prices})
    rows, faults = examine_all(prices, currency, known)
    beside = faults_of_rows(rows, known.characteristics)
    return [*faults, *beside, *faults_of_meters(rows, since=contract.valid_from)]


def warnings_of_contract(contract: Contract) -> list[RowFault]:
    """What its signature does not stop for: usage that nothing measures, units nobody draws."""
    return warnings_of_meters(contract.prices.all(), currency=contract.account.currency)


@transaction.atomic
def attach_document(
    *, contract_id: int, name: str, content_type: str, body: bytes, by: int, at: datetime
) -> ContractDocument:
    """Keep a file with a contract for ever: PDF, PNG, JPEG or plain text of up to 10 MB.

    The same file twice is kept once; of a path only the file's own name is kept.
    """
    contract = Contract.objects.select_for_update().get(pk=contract_id)
    clean = UNSAFE.sub("", name).replace("\\", "/").rpartition("/")[2].strip()[-LONGEST_NAME:]
    if not clean:
        raise DocumentInvalid(_("The file needs a name."), field="file")
    _refuse_body(content_type, body)
    digest = sha256(body).hexdigest()
    if there := contract.documents.filter(sha256=digest, name=clean).defer("body").first():
        return there
    document = ContractDocument.objects.create(
        contract=contract,
        name=clean,
        content_type=content_type,
        size=len(body),
        sha256=digest,
        body=body,
        attached_at=at,
    )
    events.record("contract.document_attached", contract, at=at, actor_id=by, file=clean)
    return document


def _refuse_body(content_type: str, body: bytes) -> None:
    if not body or len(body) > LARGEST_DOCUMENT:
        raise DocumentInvalid(_("A file of at most 10 MB."), field="file")
    signed = SIGNATURES.get(content_type)
    if signed is None:
        message = _("A document is a PDF, a PNG, a JPEG or plain text.")
        raise DocumentInvalid(message, field="file")
    if not signed(body):
        message = _("The file is not what it says: %(type)s.") % {"type": content_type}
        raise DocumentInvalid(message, field="file")


def _is_text(body: bytes) -> bool:
    try:
        return "\0" not in body.decode()
    except UnicodeDecodeError:
        return False


SIGNATURES: dict[str, Callable[[bytes], bool]] = {
    "application/pdf": lambda body: body.startswith(b"%PDF-"),
    "image/png": lambda body: body.startswith(b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": lambda body: body.startswith(b"\xff\xd8\xff"),
    "text/plain": _is_text,
}
