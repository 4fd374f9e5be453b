"""The pages of billing."""

from django.urls import URLPattern, URLResolver, path

from billing.control.views import demand, looks, parked, rules, variance
from billing.journal import views as journal
from billing.payers import views as payers
from billing.sending import views as sending
from billing.views import complaints, invoices, panels, payments, promises, reversals, runs
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
    path("runs/<int:pk>/variance/", variance.VarianceList.as_view(), name="run-variance"),
    path("runs/<int:pk>/first-bills/", variance.FirstBillList.as_view(), name="run-first-bills"),
    path("runs/<int:pk>/set-aside/", variance.set_aside, name="run-set-aside"),
    path("runs/<int:pk>/parked/", parked.ParkedList.as_view(), name="run-parked"),
    path("runs/<int:pk>/retry/", parked.retry, name="run-retry"),
    path("runs/<int:pk>/looks/", looks.of_run, name="run-looks"),
    path("runs/<int:pk>/looks/<int:account>/fine/", looks.fine, name="run-look-fine"),
    path("runs/<int:pk>/looks/<int:account>/veto/", looks.veto, name="run-look-veto"),
    path("parked/<int:pk>/", parked.detail, name="parked"),
    path("parked/<int:pk>/assign/", parked.assign, name="parked-assign"),
    path("looks/", looks.runs, name="looks"),
    path("run-rules/", rules.overview, name="run-rules"),
    path("run-rules/<int:pk>/", rules.edit, name="run-rules-edit"),
    path("of-account/<int:pk>/bill/", demand.bill_account, name="bill-account"),
    path("runs/<int:pk>/reverse/", reversals.run, name="run-reverse"),
    path("reversals/", reversals.ReversalList.as_view(), name="reversal-list"),
    path("invoices/<int:pk>/reverse/", reversals.invoice, name="invoice-reverse"),
    path("journal/", journal.PostingList.as_view(), name="journal"),
    path("journal/balance/", journal.balance, name="journal-balance"),
    path("exchange-rates/", journal.RateList.as_view(), name="rate-list"),
    path("exchange-rates/new/", journal.tell, name="rate-new"),
    path("invoices/", invoices.InvoiceList.as_view(), name="invoice-list"),
    path("invoices/<int:pk>/", invoices.detail, name="invoice-detail"),
    path("invoices/<int:pk>/complain/", complaints.complain, name="invoice-complain"),
    path("invoices/<int:pk>/pdf/", invoices.as_pdf, name="invoice-pdf"),
    path(
        "invoices/<int:pk>/lines/<int:position>/", invoices.explanation, name="invoice-explanation"
    ),
    path("invoices/<int:pk>/details/", invoices.details, name="invoice-details"),
    path("invoices/<int:pk>/send/", sending.send, name="invoice-send"),
    path("invoices/<int:pk>/settle/", sending.settle, name="invoice-settle"),
    path("runs/<int:pk>/sending/", sending.of_run, name="run-sending"),
    path("runs/<int:pk>/sending/retry/", sending.retry, name="run-sending-retry"),
    path("runs/<int:pk>/sending/make/", sending.make, name="run-sending-make"),
    path("sending/", sending.SendingList.as_view(), name="sending-list"),
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
    path("payers/", payers.PayersList.as_view(), name="payers-list"),
    path("payers/<int:pk>/", payers.detail, name="payers"),
    path("payers/<int:pk>/approve/", payers.approve, name="payers-approve"),
    path("payers/<int:pk>/refuse/", payers.refuse, name="payers-refuse"),
    path("payers/<int:pk>/withdraw/", payers.withdraw, name="payers-withdraw"),
    path("payers/<int:pk>/end/", payers.end, name="payers-end"),
    path("promises/", promises.PromiseList.as_view(), name="promise-list"),
    path("of-order/<int:pk>/", promises.of_order, name="of-order"),
    path("of-account/<int:pk>/", panels.of_account, name="of-account"),
    path("of-account/<int:pk>/payers/", payers.of_account, name="of-account-payers"),
    path("of-account/<int:pk>/payers/new/", payers.new, name="payers-new"),
    path("of-account/<int:pk>/wallet/", deeds.of_account, name="of-account-wallet"),
    path("of-account/<int:pk>/grant/", deeds.new_grant, name="wallet-grant-new"),
    path("of-account/<int:pk>/use-credit/", payments.use_credit, name="use-credit"),
    path("of-subscription/<int:pk>/", panels.of_subscription, name="of-subscription"),
]
