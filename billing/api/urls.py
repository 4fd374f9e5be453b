"""The addresses of billing in the API."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from billing.adjustments.api import CouponGrantViewSet, CouponViewSet, MinimumSpendViewSet
from billing.api.balances import BalanceViewSet
from billing.api.views import InvoiceViewSet, PaymentViewSet, RunViewSet
from billing.journal.api import PostingViewSet
from billing.payers.api import PayerAgreementViewSet
from billing.sending.api import InvoiceSendingViewSet, RunSendingViewSet
from billing.wallets.api import WalletGrantViewSet, WalletViewSet

router = SimpleRouter(trailing_slash=False)
router.register("bill-runs", RunViewSet, basename="api-bill-run")
router.register("invoices", InvoiceViewSet, basename="api-invoice")
router.register("bill-runs", RunSendingViewSet, basename="api-bill-run-sending")
router.register("invoices", InvoiceSendingViewSet, basename="api-invoice-sending")
router.register("postings", PostingViewSet, basename="api-posting")
router.register("payments", PaymentViewSet, basename="api-payment")
router.register("accounts", BalanceViewSet, basename="api-account-balance")
router.register("wallets", WalletViewSet, basename="api-wallet")
router.register("wallet-grants", WalletGrantViewSet, basename="api-wallet-grant")
router.register("payer-agreements", PayerAgreementViewSet, basename="api-payer-agreement")
router.register("coupons", CouponViewSet, basename="api-coupon")
router.register("coupon-grants", CouponGrantViewSet, basename="api-coupon-grant")
router.register("minimum-spends", MinimumSpendViewSet, basename="api-minimum-spend")
urlpatterns = [path("", include(router.urls))]
