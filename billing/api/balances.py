"""REST of what an account owes, and of its prepaid money."""

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import outputs
from billing.payments.selectors import account_balance
from billing.wallets.api_outputs import WalletOutput
from billing.wallets.selectors import standing_of, wallets_of_account
from o2b import clock
from o2b.api.views import Verbs
from o2b.customers.models import Account


class BalanceViewSet(Verbs):
    """How an account stands."""

    queryset = Account.objects.all()
    doors = dict.fromkeys(("balance", "wallets"), "billing.view_invoice")

    @extend_schema(responses=outputs.BalanceOutput, tags=["accounts"])
    @action(detail=True, pagination_class=None)
    def balance(self, request: Request, pk: str) -> Response:
        """What was billed, what was paid, and what is open on either side."""
        account = Account.objects.get(pk=self.key())
        stands = account_balance(account)
        names = ("billed", "paid", "owed", "open", "credit")
        told = {name: f"{getattr(stands, name).amount:f}" for name in names}
        return Response({"currency": account.currency} | told)

    @extend_schema(responses=WalletOutput(many=True), tags=["accounts"])
    @action(detail=True, pagination_class=None)
    def wallets(self, request: Request, pk: str) -> Response:
        """Its prepaid money: what may be used now, and what usage that is not billed would cost."""
        rows = Account.objects.select_related("test_clock", "legal_entity")
        account = rows.get(pk=self.key())
        found = wallets_of_account(account)
        for each in found:
            each.standing = standing_of(each, today=clock.today(account))
        return Response(WalletOutput(found, many=True).data)
