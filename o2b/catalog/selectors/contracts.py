"""Questions about contracts: of one account, and one with all that was negotiated."""

from django.db.models import Count, Q, QuerySet

from o2b.catalog.models import Contract, ContractDocument


def contracts_of_account(account_id: int) -> QuerySet[Contract]:
    """Every version of an account's contracts, the newest first."""
    return Contract.objects.filter(account=account_id).order_by("-valid_from", "-number", "-pk")


def contracts_for_list() -> QuerySet[Contract]:
    """Every contract with its account and how much was negotiated."""
    return Contract.objects.select_related("account__customer").annotate(
        price_count=Count("prices", distinct=True)
    )


def get_contract(contract_id: int) -> Contract:
    """One contract with what was negotiated; a missing one is a 404."""
    related = Contract.objects.select_related("account__customer")
    return related.prefetch_related(
        "prices__product", "discounts", "commitments__product", "pools__product"
    ).get(pk=contract_id)


def documents_of(contract: Contract) -> QuerySet[ContractDocument]:
    """The attached files without their bytes."""
    return contract.documents.defer("body")


def versions_of_contract(contract: Contract) -> QuerySet[Contract]:
    """All versions of it, the newest first."""
    same = Q(account=contract.account_id, code=contract.code)
    return Contract.objects.filter(same).order_by("-number")
