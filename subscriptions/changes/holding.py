"""Whether a wish may be about this day: who has the service then, and what holds from later on."""

from datetime import date, timedelta

from django.utils.translation import gettext as _

from o2b.catalog.models import ProductVersion
from o2b.web.show import day_text
from subscriptions.changes.refusals import ItemUnknown
from subscriptions.changes.wishes import Wish
from subscriptions.models import Act, ItemChange
from subscriptions.rules.checks import PricedFromAnother, priced_from_another
from subscriptions.timelines.chains import Chain, fact_of
from subscriptions.timelines.services import NewFact, row_of

A_DAY = timedelta(days=1)
FINAL = (Act.END, Act.TRANSFER)
NOT_TAKEN_BACK = (Act.PART, Act.WITHDRAW)


def withdrawn(chain: Chain, revision: int | None) -> ItemChange | None:
    """The change that is to be taken back; None if there is none that could be."""
    gone = {change.withdraws_id for change in chain.changes}
    found = next((c for c in chain.changes if c.revision == revision), None)
    if found is None or found.act in NOT_TAKEN_BACK or found.pk in gone:
        return None
    return found


def check_has_it(wish: Wish, chain: Chain, on: date) -> None:
    """Refuse who has not got the service on the day; a change is of the day that it is about.

    Whose days a transfer or an end cuts off may take it back.
    """
    if wish.act == Act.WITHDRAW:
        found = withdrawn(chain, wish.withdraws)
        if found is None:
            return
        on = found.on - A_DAY if found.act in FINAL else found.on
    holder = chain.holder_on(on)
    if holder.pk != wish.item_id:
        message = _("On %(day)s it is %(item)s of %(account)s; change it there.")
        told = {"day": day_text(on), "item": holder, "account": holder.account.reference}
        raise ItemUnknown(message % told, field="item")


def check_what_follows(chain: Chain, fact: NewFact) -> None:
    """Refuse what would leave a later price or version on top of something that it was not for."""
    told = fact_of(row_of(fact, chain, chain.next_key))
    after = [*chain.facts, told]
    keys = {each.product_version for each in after if each.product_version}
    products = dict(ProductVersion.objects.filter(pk__in=keys).values_list("pk", "product_id"))
    later = priced_from_another(chain.facts, after, products)
    if later is not None:
        message = _(
            "What holds from %(day)s was ordered for what the service is then as of now; take that "
            "one back first."
        )
        raise PricedFromAnother(message % {"day": day_text(later.on)}, field="on")
