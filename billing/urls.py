"""The pages of billing."""

from django.urls import URLPattern, URLResolver, path

from billing.adjustments import views as adjustments
from billing.views import complaints, invoices, panels, payments, promises, runs
from billing.wallets.views import deeds, lists

app_name = "billing"
urlpatterns: list[URLPattern | URLResolver] = [
    path("runs/", runs.RunList.as_view(), name="run-list"),
    path("runs/new/", runs.new, name="run-new"),
    path("runs/<int:pk>/", runs.detail, name="run-detail"),
    path("runs/<int:pk>/approve/", runs.approve, name="run-approve"),
    path("runs/<int:pk>/cancel/", runs.cancel, name="run-cancel"),
    path("runs/<int:pk>/pause/", runs.pause, name="run-pause"),
    path("runs/<int:pk>/resume/", runs.resume, name="run-resume"),
    path("invoices/", invoices.InvoiceList.as_view(), name="invoice-list"),
    path("invoices/<int:pk>/", invoices.detail, name="invoice-detail"),
    path("invoices/<int:pk>/complain/", complaints.complain, name="invoice-complain"),
    path("invoices/<int:pk>/pdf/", invoices.as_pdf, name="invoice-pdf"),
    path(
        "invoices/<int:pk>/lines/<int:position>/", invoices.explanation, name="invoice-explanation"
    ),
    path("payments/", payments.PaymentList.as_view(), name="payment-list"),
    path("payments/new/", payments.new, name="payment-new"),
    path("wallets/", lists.WalletList.as_view(), name="wallet-list"),
    path("wallets/<int:pk>/", lists.WalletPage.as_view(), name="wallet"),
    path("wallets/<int:pk>/change/", deeds.change, name="wallet-change"),
    path("wallets/<int:pk>/refill/", deeds.refill, name="wallet-refill"),
    path("wallets/<int:pk>/refill/stop/", deeds.stop_refill, name="wallet-refill-stop"),
    path("wallet-grants/", lists.GrantList.as_view(), name="wallet-grants"),
    path("wallet-grants/<int:pk>/approve/", deeds.approve, name="wallet-grant-approve"),
    path("wallet-grants/<int:pk>/refuse/", deeds.refuse, name="wallet-grant-refuse"),
    path("wallet-grants/<int:pk>/withdraw/", deeds.withdraw, name="wallet-grant-withdraw"),
    path("coupons/", adjustments.CouponList.as_view(), name="coupon-list"),
    path("coupons/new/", adjustments.new, name="coupon-new"),
    path("coupons/of/<slug:code>/", adjustments.coupon, name="coupon"),
    path("coupons/of/<slug:code>/edit/", adjustments.edit, name="coupon-edit"),
    path("coupons/of/<slug:code>/submit/", adjustments.submit, name="coupon-submit"),
    path("coupons/of/<slug:code>/publish/", adjustments.publish, name="coupon-publish"),
    path("coupons/of/<slug:code>/discard/", adjustments.discard, name="coupon-discard"),
    path("coupons/of/<slug:code>/retire/", adjustments.retire, name="coupon-retire"),
    path("coupon-grants/<int:pk>/end/", adjustments.end_grant, name="coupon-grant-end"),
    path("minimum-spends/<int:pk>/end/", adjustments.end_minimum, name="minimum-spend-end"),
    path("of-account/<int:pk>/adjustments/", adjustments.of_account, name="of-account-adjustments"),
    path("of-account/<int:pk>/coupon/", adjustments.grant, name="coupon-grant"),
    path("of-account/<int:pk>/minimum/", adjustments.commit, name="minimum-spend-new"),
    path("promises/", promises.PromiseList.as_view(), name="promise-list"),
    path("of-order/<int:pk>/", promises.of_order, name="of-order"),
    path("of-account/<int:pk>/", panels.of_account, name="of-account"),
    path("of-account/<int:pk>/wallet/", deeds.of_account, name="of-account-wallet"),
    path("of-account/<int:pk>/grant/", deeds.new_grant, name="wallet-grant-new"),
    path("of-account/<int:pk>/use-credit/", payments.use_credit, name="use-credit"),
    path("of-subscription/<int:pk>/", panels.of_subscription, name="of-subscription"),
]
