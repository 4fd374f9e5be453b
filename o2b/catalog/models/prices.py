"""PriceBook, its frozen versions, and their prices."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from o2b.catalog.frozen import children_of_draft, published_only
from o2b.catalog.models.products import Product, Publishable, second_person
from o2b.charging.terms import Alignment, Grant, Kind, Model, Proration, Timing, details_of
from o2b.customers.models import Account
from o2b.customers.validators import validate_currency
from o2b.fields import RateField


def choices_of(enum: type) -> list[tuple[str, str]]:
    """The members of a pure enumeration as a field's choices."""
    return [(member.value, member.value.replace("_", " ")) for member in enum]  # type: ignore[attr-defined]


class PriceBook(models.Model):
    """A list of prices in one currency: one account's own, a segment's, or the default one.

    An account's own book goes before its segment's, and that before the default of the currency.
    """

    code = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3, validators=[validate_currency])
    segment = models.SlugField(blank=True, default="")
    is_default = models.BooleanField(default=False)
    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Whose own book it is, and nobody else’s."),
    )

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                fields=["currency"],
                condition=models.Q(is_default=True),
                name="one_default_book_a_currency",
            ),
            models.UniqueConstraint(
                fields=["account", "currency"], name="one_own_book_an_account_and_currency"
            ),
            models.CheckConstraint(
                condition=models.Q(account=None) | models.Q(segment="", is_default=False),
                name="own_book_is_for_nobody_else",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse, field by field, a book of an account that could never answer for it."""
        if self.account_id is None or self.account is None:
            return
        if self.segment:
            message = _("An account’s own book is for no segment.")
            raise ValidationError({"segment": message})
        if self.is_default:
            message = _("An account’s own book is not the default of its currency.")
            raise ValidationError({"is_default": message})
        if self._state.adding:
            self._check_account(self.account)

    def _check_account(self, account: Account) -> None:
        told = {"account": account, "currency": account.currency}
        if not account.is_open:
            raise ValidationError({"account": gettext("%(account)s is closed.") % told})
        if account.currency != self.currency:
            message = gettext("%(account)s pays in %(currency)s.") % told
            raise ValidationError({"currency": message})
        own = PriceBook.objects.filter(account=account, currency=self.currency).first()
        if own is not None:
            message = gettext("%(account)s has its own book already: %(book)s.")
            raise ValidationError({"account": message % (told | {"book": own.code})})

    @property
    def whose(self) -> str:
        """Whom it is for, in words."""
        if self.account_id is not None:
            return gettext("for %(account)s alone") % {"account": self.account}
        if self.is_default:
            return gettext("for everybody")
        return gettext("for segment %(segment)s") % {"segment": self.segment or "—"}


class PriceBookVersion(Publishable):
    """The prices of a book from a day on, until a later published version takes over."""

    class Policy(models.TextChoices):
        """What a new version does to subscriptions that were sold by an earlier one."""

        KEEP = "keep", _("keep their prices")
        AT_RENEWAL = "at_renewal", _("move at renewal")
        ON_DATE = "on_date", _("move on a date")

    book = models.ForeignKey(PriceBook, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True, help_text=_("First day outside."))
    policy = models.CharField(
        max_length=10,
        choices=Policy.choices,
        default=Policy.KEEP,
        help_text=_("What happens to subscriptions that run already."),
    )
    policy_on = models.DateField(null=True, blank=True)
    notice_days = models.PositiveSmallIntegerField(default=0)
    note = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["book__code", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["book", "number"], name="one_book_version_a_number"),
            second_person("price_book_version_second_person"),
            models.CheckConstraint(
                condition=models.Q(valid_to=None) | models.Q(valid_to__gt=models.F("valid_from")),
                name="book_version_ends_after_it_begins",
                violation_error_message=_("It ends before it begins."),
            ),
            models.CheckConstraint(
                condition=models.Q(policy="on_date", policy_on__isnull=False)
                | (~models.Q(policy="on_date") & models.Q(policy_on__isnull=True)),
                name="book_version_policy_names_its_day",
                violation_error_message=_("A day belongs to the policy “move on a date” only."),
            ),
        ]
        triggers = published_only("state", "retired_on")

    def __str__(self) -> str:
        return f"{self.book} v{self.number}"


class ChargeShape(models.Model):
    """How one charge works; the same columns in a book, in a contract and in Terms."""

    key = models.SlugField(max_length=40)
    kind = models.CharField(max_length=10, choices=choices_of(Kind))
    model = models.CharField(max_length=20, choices=choices_of(Model), default=Model.PER_UNIT.value)
    unit_price = RateField()
    tiers = models.JSONField(default=list, blank=True)
    details = models.JSONField(
        default=dict, blank=True, help_text=_("The optional part of the canonical charge.")
    )
    interval_unit = models.CharField(max_length=5, blank=True, default="")
    interval_count = models.PositiveSmallIntegerField(default=1)
    timing = models.CharField(
        max_length=8, choices=choices_of(Timing), default=Timing.ADVANCE.value
    )
    alignment = models.CharField(
        max_length=12, choices=choices_of(Alignment), default=Alignment.BILL_DAY.value
    )
    proration = models.CharField(
        max_length=8, choices=choices_of(Proration), default=Proration.DAY.value
    )
    tax_code = models.SlugField(blank=True, default="")
    revenue_rule = models.SlugField(blank=True, default="")

    class Meta:
        abstract = True

    @property
    def meter(self) -> str:
        """The code of the meter whose usage is priced; empty where it is no usage."""
        return str(self.details.get("meter") or self.key) if self.kind == Kind.USAGE else ""

    @property
    def where(self) -> dict[str, list[str]]:
        """The values of each dimension that count; empty: all usage of the meter."""
        return dict(self.details.get("where", {}))

    @property
    def grant(self) -> Grant | None:
        """What it brings into a pool or the wallet; None of most charges."""
        said = self.details.get("grant")
        return details_of({"grant": said})["grant"] if said else None

    @property
    def deck(self) -> str:
        """The code of the deck that rates its calls; empty where none does."""
        return self._by_deck("deck")

    @property
    def number(self) -> str:
        """The dimension that says which number was called; empty where no deck rates calls."""
        return self._by_deck("number")

    def _by_deck(self, name: str) -> str:
        call = self.details.get("call")
        return str(call.get(name, "")) if isinstance(call, dict) else ""


class Price(ChargeShape):
    """One charge of a product in one version of a book, for product versions from–to."""

    version = models.ForeignKey(PriceBookVersion, on_delete=models.PROTECT, related_name="prices")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    from_version = models.PositiveSmallIntegerField(default=1)
    to_version = models.PositiveSmallIntegerField(null=True, blank=True)
    match = models.JSONField(
        default=dict,
        blank=True,
        help_text=_("The characteristics that it is for; empty: for all others."),
    )
    discount_limit = RateField(
        null=True, blank=True, help_text=_("The largest discount, in percent, a rep may give.")
    )

    class Meta:
        ordering = ["product__code", "key"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "product", "key", "from_version", "match"],
                name="one_price_a_charge",
            ),
            models.CheckConstraint(
                condition=models.Q(discount_limit=None) | models.Q(discount_limit__range=(0, 100)),
                name="price_discount_limit_is_a_percentage",
                violation_error_message=_("The largest discount lies between 0 and 100 percent."),
            ),
            models.CheckConstraint(
                condition=models.Q(to_version=None)
                | models.Q(to_version__gte=models.F("from_version")),
                name="price_versions_in_order",
                violation_error_message=_("The last version comes before the first."),
            ),
        ]
        triggers = children_of_draft(parent_table="catalog_pricebookversion", column="version_id")

    def __str__(self) -> str:
        return f"{self.product}: {self.key}"
