"""What the services of the catalog refuse, and how a rule's fault is said in words."""

from collections.abc import Sequence

from django.utils.translation import gettext

from o2b.catalog.rules.faults import Fault
from o2b.errors import Invalid, Refused


class NotADraft(Refused):
    code = "not_a_draft"


class NothingToPublish(Refused):
    code = "nothing_to_publish"


class SecondPersonNeeded(Refused):
    """Who wrote a draft last does not publish it."""

    code = "second_person_needed"


class ContractOverlaps(Refused):
    code = "contract_overlaps"


class DraftOpen(Refused):
    """A version is being written already."""

    code = "draft_open"


class ProductExists(Refused):
    code = "product_exists"


class ProductUnknown(Invalid):
    code = "product_unknown"


class SuccessorInvalid(Invalid):
    code = "successor_invalid"


class ValueInvalid(Invalid):
    code = "value_invalid"


class DefinitionInvalid(Invalid):
    """A product, or a selection of products, that breaks a rule; `code` says which kind."""

    code = "definition_invalid"
    faults: Sequence["DefinitionInvalid"] = ()


def in_words(fault: Fault, *, field: str = "") -> DefinitionInvalid:
    """A rule's fault as a refusal; `field` goes before the fault's own."""
    refusal = DefinitionInvalid(
        gettext(fault.message) % fault.facts, field=".".join(filter(None, (field, fault.field)))
    )
    refusal.code = fault.code
    return refusal


def refuse_first(faults: Sequence[Fault]) -> None:
    """Raise the first fault, if there is one; all of them are told with it."""
    if faults:
        refusal = in_words(faults[0])
        refusal.faults = [in_words(fault) for fault in faults]
        raise refusal
