"""What becomes of issued invoices: the document as it was sent, and how each invoice is sent."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from billing.models.invoices import Invoice
from billing.models.runs import BillRun
from o2b.catalog.frozen import NEVER
from o2b.customers.models import Account
from o2b.fsm import Stateful


class SendingState(models.TextChoices):
    """How far the sending of an invoice is."""

    BROKEN = "broken", _("no PDF")
    KEPT = "filed", _("PDF kept")
    TO_MAIL = "to_mail", _("to mail")
    MAILED = "mailed", _("mailed")
    STUCK = "stuck", _("not mailed")
    SETTLED = "settled", _("sent otherwise")


S = SendingState


class SendingBatch(models.Model):
    """Invoices of a run that one message makes documents of, and one mails; one may do so twice."""

    run = models.ForeignKey(BillRun, on_delete=models.CASCADE, related_name="+")
    n = models.PositiveIntegerField()
    first_invoice = models.BigIntegerField()
    last_invoice = models.BigIntegerField()
    invoices = models.PositiveIntegerField()
    everybody = models.BooleanField(
        default=False, help_text=_("Also those whose PDF is made on demand only.")
    )
    seconds = models.FloatField(default=0, help_text=_("That making its documents took."))
    worker = models.CharField(max_length=120, blank=True, default="")
    made_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["run", "n"]
        constraints = [
            models.UniqueConstraint(fields=["run", "n"], name="one_sending_batch_a_turn"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.n}"


class InvoiceDocument(models.Model):
    """An invoice as the customer gets it, byte by byte, for ever.

    Partitioned by month of `issued_on`; in Postgres its key is (invoice_id, issued_on).
    """

    invoice = models.OneToOneField(
        Invoice, primary_key=True, on_delete=models.PROTECT, related_name="document"
    )
    issued_on = models.DateField()
    account_id = models.BigIntegerField()
    language = models.CharField(max_length=5)
    pdf = models.BinaryField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the PDF, in hex.")
    usage_csv = models.BinaryField(null=True, help_text="Usage details, where there are some.")
    made_at = models.DateTimeField()

    class Meta:
        triggers = NEVER

    def __str__(self) -> str:
        return f"document of invoice {self.invoice_id}"


class InvoiceSending(Stateful):
    """How an invoice reaches its customer: one row from the moment its document was tried."""

    State = SendingState
    FALLOUT = (S.BROKEN, S.STUCK)

    invoice = models.OneToOneField(
        Invoice, primary_key=True, on_delete=models.PROTECT, related_name="sending"
    )
    run = models.ForeignKey(BillRun, on_delete=models.CASCADE, related_name="+", db_index=False)
    batch = models.ForeignKey(SendingBatch, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = FSMField(choices=State.choices, protected=True)
    to = models.CharField(max_length=254, blank=True, default="")
    copies = models.PositiveSmallIntegerField(
        default=0, help_text=_("How often people asked for it once more.")
    )
    tries = models.PositiveIntegerField(default=0)
    tried_at = models.DateTimeField(null=True, help_text=_("The first time in vain."))
    code = models.CharField(max_length=20, blank=True, default="")
    fault = models.CharField(max_length=500, blank=True, default="")
    mailed_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.CharField(max_length=250, blank=True, default="")

    class Meta:
        ordering = ["-invoice"]
        permissions = [("send_invoices", "Can have invoices made, mailed and sent otherwise")]
        indexes = [
            models.Index(fields=["run", "state"], name="sending_by_run"),
            models.Index(
                fields=["invoice"],
                name="sending_in_fallout",
                condition=models.Q(state__in=["broken", "stuck"]),
            ),
        ]

    def __str__(self) -> str:
        return f"sending of invoice {self.invoice_id}"

    def get_absolute_url(self) -> str:
        return reverse("billing:invoice-detail", args=[self.invoice_id])

    # The life cycle, in the order in which a sending lives it.

    @transition(field=state, source=S.BROKEN, target=S.KEPT)
    def keep(self, *, at: datetime) -> None:
        self.code = self.fault = ""

    @transition(
        field=state,
        source=[S.BROKEN, S.STUCK, S.KEPT, S.MAILED, S.SETTLED],
        target=S.TO_MAIL,
        custom={"event": "invoice_sending.queued"},
    )
    def queue(self, *, at: datetime) -> None:
        self.code = self.fault = ""
        self.tries, self.tried_at = 0, None

    @transition(
        field=state,
        source=S.TO_MAIL,
        target=S.MAILED,
        custom={"event": "invoice_sending.mailed", "stamp": "mailed_at"},
    )
    def note_mailed(self, *, at: datetime) -> None:
        self.mailed_at = at
        self.code = self.fault = ""

    @transition(
        field=state,
        source=[S.BROKEN, S.TO_MAIL],
        target=S.STUCK,
        custom={"event": "invoice_sending.stuck"},
    )
    def give_up(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state,
        source=[S.BROKEN, S.STUCK],
        target=S.SETTLED,
        custom={"event": "invoice_sending.settled"},
    )
    def settle(self, *, at: datetime, by: int, note: str) -> None:
        self.settled_by_id, self.note = by, note
