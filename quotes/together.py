"""Whether an account may have products, and have them together: eligibility, rules, bundles."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from o2b.catalog.definitions import definitions_of
from o2b.catalog.models import Product, ProductVersion
from o2b.catalog.rules.compatibility import Definition
from o2b.catalog.rules.eligibility import why_not_eligible
from o2b.catalog.rules.faults import Fault
from o2b.catalog.rules.selection import Chosen, check_selection
from o2b.catalog.services.refusals import in_words
from o2b.customers.models import Account
from o2b.errors import Refused

NOTHING: frozenset[str] = frozenset()


def faults_together(
    chosen: Sequence[tuple[ProductVersion, Decimal]],
    *,
    account: Account,
    already: Collection[str] = NOTHING,
    definitions: Mapping[int, Definition] | None = None,
) -> list[Refused]:
    """Every fault of the chosen versions and quantities, in order, naming `lines[i].product`.

    `already` are the codes of what the account has. Who asks for many accounts reads the
    `definitions` of all their versions before.
    """
    if definitions is None:
        definitions = definitions_of(version for version, _quantity in chosen)
    customer = account.customer
    faults = [
        why_not
        for i, (version, _quantity) in enumerate(chosen)
        if (
            why_not := why_not_eligible(
                version.eligibility,
                product=version.product.name,
                segment=customer.segment,
                country=customer.country,
                field=f"lines[{i}].product",
            )
        )
    ]
    unfit = check_selection(
        [Chosen(version.product.code, quantity) for version, quantity in chosen],
        {version.product.code: definitions[version.pk] for version, _quantity in chosen},
        already=already,
    )
    return [in_words(fault) for fault in faults + _by_name(unfit)]


def _by_name(faults: Sequence[Fault]) -> list[Fault]:
    """Products by their names; the other one, which may be on no line, with its code."""
    if not faults:
        return []
    codes = {fault.facts.get(which) for fault in faults for which in ("product", "other")}
    products = Product.objects.filter(code__in=codes - {None})
    names = dict(products.values_list("code", "name"))
    for_others = {code: f"{name} ({code})" for code, name in names.items()}
    return [
        replace(
            fault,
            facts={
                **fault.facts,
                **_renamed(fault, "product", names),
                **_renamed(fault, "other", for_others),
            },
        )
        for fault in faults
    ]


def _renamed(fault: Fault, which: str, names: Mapping[str, str]) -> dict[str, str]:
    code = str(fault.facts.get(which, ""))
    return {which: names[code]} if code in names else {}
