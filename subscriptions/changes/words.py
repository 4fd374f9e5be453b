"""A fact of a service in one sentence."""

from typing import Any

from django.utils.translation import gettext as _

from o2b.web.show import day_text, number_text
from orders.changing.shown import Found, sentence
from subscriptions.models import Act

NEEDS_MORE = (Act.PART, Act.SUSPEND, Act.TRANSFER, Act.WITHDRAW)


def fact_words(fact: Any) -> str:
    """'Quantity 3 → 5 from 10 Mar 2026'; of a fact as `changes.selectors.facts` gives it."""
    if fact.act in NEEDS_MORE:
        return _more(fact)
    before = Found(fact.before_name, fact.before_number) if fact.before_name else None
    return sentence(fact.order_line, before, action=fact.act, on=fact.on)


def _more(fact: Any) -> str:
    day = day_text(fact.on)
    if fact.act == Act.PART:
        percent = number_text(fact.delivered * 100)
        return _("%(percent)s %% delivered from %(day)s") % {"percent": percent, "day": day}
    if fact.act == Act.SUSPEND:
        told = {"day": day, "how": fact.get_billing_display()}
        return _("Suspended from %(day)s, billed: %(how)s") % told
    if fact.act == Act.TRANSFER:
        told = {"day": day, "account": fact.account}
        return _("Passed on to %(account)s from %(day)s") % told
    told = {"day": day, "what": fact.withdraws.get_act_display()}
    return _("Taken back: “%(what)s” from %(day)s") % told


def tone_of(act: str) -> str:
    """The colour of a fact."""
    return {
        Act.PART: "good",
        Act.SUSPEND: "warn",
        Act.END: "bad",
        Act.WITHDRAW: "",
        Act.RESUME: "good",
    }.get(Act(act), "go")
