"""The addresses of billing in the API."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from billing.adjustments.api import CouponGrantViewSet, CouponViewSet, MinimumSpendViewSet
from billing.api.views import BalanceViewSet, InvoiceViewSet, PaymentViewSet, RunViewSet
from billing.wallets.api import WalletGrantViewSet, WalletViewSet

router = SimpleRouter(trailing_slash=False)
router.register("bill-runs", RunViewSet, basename="api-bill-run")
router.register("invoices", InvoiceViewSet, basename="api-invoice")
router.register("payments", PaymentViewSet, basename="api-payment")
router.register("accounts", BalanceViewSet, basename="api-account-balance")
router.register("wallets", WalletViewSet, basename="api-wallet")
router.register("wallet-grants", WalletGrantViewSet, basename="api-wallet-grant")
router.register("coupons", CouponViewSet, basename="api-coupon")
router.register("coupon-grants", CouponGrantViewSet, basename="api-coupon-grant")
router.register("minimum-spends", MinimumSpendViewSet, basename="api-minimum-spend")
urlpatterns = [path("", include(router.urls))]
