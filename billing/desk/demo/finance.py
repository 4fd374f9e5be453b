"""What the demo's finance does beside billing: payers, PDFs, a reversal, a look ahead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from billing.desk.demo.offers import make_offers
from billing.desk.demo.papers import arrange_papers, set_account
from billing.desk.patience import settle
from billing.models import BillRun, Invoice, MinimumSpend, PayerAgreement
from billing.payers.selectors import Share
from billing.payers.services import approve_payers, ask_payers
from billing.runs.services import approve_run, open_run, reverse_invoice
from o2b.customers.families import Tie
from o2b.customers.layouts import Sending
from o2b.customers.models import Account, LegalEntity
from o2b.periods import add_months

PROGRAMME = "Connectivity programme, grant 2211"
TAKEN_BACK = "Billed to the wrong branch"
MAILED = "billing@example.com"


@dataclass(frozen=True, slots=True)
class Finance:
    """Who asks and who approves; `workers` as in `settle`. Asked again, it goes on."""

    entity: LegalEntity
    opener_id: int
    approver_id: int
    workers: int = 0

    def arrange(self, accounts: Sequence[Account], *, first: date, at: datetime) -> None:
        """The first customers have a coupon, and one a minimum; others pay for one of the last.

        A head office has branches on its bills; two more have split bills and tiny ones.
        """
        if not MinimumSpend.objects.exists():
            make_offers(
                accounts,
                first=first,
                author_id=self.opener_id,
                second_id=self.approver_id,
                at=at,
            )
        self._agree_payers(accounts, first=first, at=at)
        arrange_papers(self.entity, accounts, at=at)
        self._tie_family(accounts[1:4], at=at)

    def _tie_family(self, accounts: Sequence[Account], *, at: datetime) -> None:
        """Two branches are billed to their head office."""
        if len(accounts) < 3 or Account.objects.filter(billed_to_parent=True).exists():
            return
        head, *branches = accounts
        for account in branches:
            set_account(account, tied=Tie(head.pk, True), actor_id=self.opener_id, at=at)

    def _agree_payers(self, accounts: Sequence[Account], *, first: date, at: datetime) -> None:
        """A programme pays 60 % of what one customer is billed; another agreement waits."""
        if PayerAgreement.objects.exists() or len(accounts) < 4:
            return
        customer, programme, other, helper = accounts[-4:]
        for whose, payer, percent in ((customer, programme, 60), (other, helper, 25)):
            asked = ask_payers(
                account_id=whose.pk,
                shares=[Share(payer.pk, Decimal(percent))],
                starts_on=first,
                reason=PROGRAMME,
                asked_by_id=self.opener_id,
                at=at,
            )
            if whose is customer:
                approve_payers(agreement_id=asked.pk, user_id=self.approver_id, at=at)

    def send(self, accounts: Sequence[Account]) -> None:
        """PDFs are kept for all; some are mailed, and of one nobody knows where to."""
        mailed = [account.pk for account in accounts[:3]]
        Account.objects.filter(pk__in=mailed).update(sending=Sending.MAIL)
        Account.objects.filter(pk__in=mailed[:2]).update(bill_to=MAILED)

    def take_back(self, *, at: datetime) -> None:
        """The newest invoice of the last run is reversed; the next run bills what is still due."""
        if BillRun.objects.filter(reverses_invoice__isnull=False).exists():
            return
        invoice = Invoice.objects.filter(legal_entity=self.entity, total__gt=0).latest("pk")
        reversal = reverse_invoice(
            invoice_id=invoice.pk, reason=TAKEN_BACK, opened_by_id=self.opener_id, at=at
        )
        settle(workers=self.workers)
        approve_run(run_id=reversal.pk, user_id=self.approver_id, at=at)
        settle(workers=self.workers)

    def look_ahead(self, today: date, *, at: datetime) -> None:
        """A rehearsal of this month's run, to be looked at and thrown away."""
        on = add_months(today.replace(day=1), 1) - timedelta(days=1)
        kind = BillRun.Kind.REHEARSAL
        if BillRun.objects.filter(legal_entity=self.entity, kind=kind).exists():
            return
        open_run(
            legal_entity_id=self.entity.pk, on=on, kind=kind, opened_by_id=self.opener_id, at=at
        )
        settle(workers=self.workers)

    def begin_to_bill(self, today: date, *, at: datetime) -> None:
        """A run up to today, of those billed on the first, waits for a second person.

        Advocates look at first bills, and at those of services that were changed.
        """
        begun = BillRun.objects.filter(legal_entity=self.entity, on=today)
        if begun.filter(kind=BillRun.Kind.BILLS, reverses_invoice=None).exists():
            return
        open_run(
            legal_entity_id=self.entity.pk,
            on=today,
            bill_day=1,
            opened_by_id=self.opener_id,
            at=at,
        )
        settle(workers=self.workers)
