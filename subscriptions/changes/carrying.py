"""One wish as the line of a change order and the fact that it tells, priced and checked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.characteristics import check_characteristics
from o2b.catalog.models import ProductVersion
from o2b.catalog.quantities import check_quantity
from o2b.customers.models import Account
from o2b.web.show import day_text
from orders.changing.services import ChangeLine
from orders.models import OrderLine
from subscriptions.changes import refusals as no
from subscriptions.changes.describing import DESCRIBED, with_place
from subscriptions.changes.holding import check_has_it, check_what_follows, withdrawn
from subscriptions.changes.leaving import (
    check_leaving_notice,
    fee_line,
    fee_owed,
    fees_of,
    running_of,
)
from subscriptions.changes.pricing import Pen, fee_for, terms_in_force
from subscriptions.changes.rises import check_rise
from subscriptions.changes.scene import Scene, as_it_is, priced_in, version_of, wants_notice
from subscriptions.changes.snapshots import digests_of, snapshot_of
from subscriptions.changes.wishes import Priced, Wish
from subscriptions.models import Act, SuspensionBilling
from subscriptions.rules.checks import TransferCycle
from subscriptions.rules.facts import Act as Told
from subscriptions.rules.timeline import span_on
from subscriptions.timelines.chains import Chain, fact_of
from subscriptions.timelines.services import NewFact, row_of


@dataclass(frozen=True, slots=True)
class Carried:
    """The line and the fact; the fact learns its line's key once that is written.

    `fee` is a second line, of what leaving a commitment costs; `besides` are facts of other
    services, by their first items; `why` is every candidate of a price that was looked up.
    """

    line: ChangeLine
    fact: NewFact
    fee: ChangeLine | None = None
    besides: tuple[tuple[int, NewFact], ...] = ()
    why: Sequence[Mapping[str, object]] = ()


def carry(
    wish: Wish,
    chain: Chain,
    on: date,
    *,
    today: date,
    accounts: Mapping[int, Account],
    pen: Pen,
) -> Carried:
    """Price and check one wish; `on` is the first day on which it holds."""
    spans = chain.spans
    if not spans:
        raise no.NoPeriod(_("Of this service no day is left that could change."), field="on")
    outside = spans[0] if on < spans[0].period.start else spans[-1]
    scene = Scene(wish, chain, on, today, span_on(spans, on) or outside, accounts, pen)
    check_has_it(wish, chain, on)
    carried = _HOW[wish.act](scene)
    check_what_follows(chain, carried.fact)
    return carried


def after(chain: Chain, made: Carried) -> Chain:
    """The service as it will be with this change, for what is asked of it in the same order."""
    change = row_of(made.fact, chain, chain.next_key)
    line = made.line
    change.order_line = OrderLine(characteristics=line.characteristics, in_service=line.in_service)
    told = fact_of(change)
    return Chain(chain.items, [*chain.facts, told], [*chain.changes, change])


def _terms(scene: Scene) -> Carried:
    """Another product, another price: what contract and books say on that day."""
    # Who is suspended for a holding fee has the Terms that hold on the return.
    has = terms_in_force(scene.chain, scene.on) or scene.now.terms
    scene_in_force = replace(scene, now=replace(scene.now, terms=has))
    priced = scene.wish.promised or priced_in(scene_in_force)
    if (priced.version_id, priced.terms_id, priced.quantity) == (
        scene.now.product_version,
        has,
        scene.now.quantity,
    ):
        raise no.NothingChanges(_("That is what it is already, at this price."), field="product")
    if wants_notice(scene, priced):
        asked = as_it_is(scene_in_force, priced)
        check_rise(scene.chain, has, asked, on=scene.on, today=scene.today)
    fact = NewFact(
        act=Act.TERMS,
        on=scene.on,
        order_line_id=0,
        product_version_id=priced.version_id,
        terms_id=priced.terms_id,
        quantity=priced.quantity if scene.wish.quantity is not None else None,
        reason=scene.wish.reason,
    )
    return Carried(_line(scene, priced), fact, why=priced.why)


def _replace(scene: Scene) -> Carried:
    """Another version of the product, under the same Terms: the price that was agreed stays."""
    product = version_of(scene).product
    found = product.versions.filter(number=scene.wish.version or 0).first()
    if found is None or found.state != ProductVersion.State.PUBLISHED:
        message = _("%(product)s has no published version %(number)s.")
        told = {"product": product.code, "number": scene.wish.version}
        raise no.VersionUnknown(message % told, field="version")
    if found.pk == scene.now.product_version:
        raise no.NothingChanges(_("It is this version already."), field="version")
    fact = _fact(scene, product_version_id=found.pk)
    return Carried(_line(scene, version_id=found.pk), fact)


def _quantity(scene: Scene) -> Carried:
    quantity = check_quantity(version_of(scene).product, scene.wish.quantity)
    if quantity == scene.now.quantity:
        raise no.NothingChanges(_("It is that many already."), field="quantity")
    return Carried(_line(scene, quantity=quantity), _fact(scene, quantity=quantity))


def _suspend(scene: Scene) -> Carried:
    billing = scene.wish.billing
    if billing not in SuspensionBilling.values:
        message = _("Say how it is billed meanwhile: %(choices)s.")
        choices = ", ".join(SuspensionBilling.values)
        raise no.BillingInvalid(message % {"choices": choices}, field="billing")
    terms = None
    if billing == SuspensionBilling.FEE:
        terms = fee_for(
            scene.wish.fee_product, scene.account, scene.now.quantity, scene.on, scene.pen
        )
    return Carried(_line(scene, terms_id=terms), _fact(scene, billing=billing, terms_id=terms))


def _plain(scene: Scene) -> Carried:
    return Carried(_line(scene), _fact(scene))


def _move(scene: Scene) -> Carried:
    if not scene.wish.characteristics:
        message = _("Name what is different at the other address.")
        raise no.NothingChanges(message, field="characteristics")
    told = scene.chain.characteristics_on(scene.on) | dict(scene.wish.characteristics)
    specs = with_place(version_of(scene).characteristics)
    checked = check_characteristics(specs, told, field=DESCRIBED)
    return Carried(_line(scene, described=checked), _fact(scene))


def _transfer(scene: Scene) -> Carried:
    to = scene.accounts.get(scene.wish.to_account_id or 0)
    if to is None:
        raise no.AccountUnknown(_("Name the account that takes it over."), field="to_account")
    own = scene.account
    if to.currency != own.currency:
        message = _("%(to)s pays in %(theirs)s, the Terms are in %(ours)s.")
        told = {"to": to.reference, "theirs": to.currency, "ours": own.currency}
        raise no.OtherCurrency(message % told, field="to_account")
    if to.legal_entity_id != own.legal_entity_id:
        message = _("%(to)s buys from another legal entity; order it there anew.")
        raise no.OtherSeller(message % {"to": to.reference}, field="to_account")
    if to.test_clock_id != own.test_clock_id:
        message = _("%(to)s does not live by the same clock.")
        raise no.OtherSeller(message % {"to": to.reference}, field="to_account")
    # Also of a transfer that was taken back there is an item left, and an account has one only.
    if to.pk != own.pk and any(item.account_id == to.pk for item in scene.chain.items):
        message = _("%(to)s was to have it before; order it there anew.")
        raise TransferCycle(message % {"to": to.reference}, field="to_account")
    return Carried(_line(scene), _fact(scene, account_id=to.pk))


def _withdraw(scene: Scene) -> Carried:
    """Take back a change; the end of what has ended stays."""
    found = withdrawn(scene.chain, scene.wish.withdraws)
    if found is None:
        message = _("%(item)s has no such change that could be taken back.")
        raise no.ChangeUnknown(message % {"item": scene.chain.last}, field="withdraws")
    if found.act in (Act.END, Act.TRANSFER) and found.on <= scene.today:
        message = _("It was %(what)s on %(day)s; that cannot be taken back, order it anew.")
        told = {"what": found.get_act_display(), "day": day_text(found.on)}
        raise no.HappenedAlready(message % told, field="withdraws")
    fees = tuple(fees_of(found, scene.chain)) if found.act == Act.END else ()
    fact = _fact(scene, on=found.on, withdraws_id=found.pk)
    return Carried(_line(scene), fact, besides=fees)


def _end(scene: Scene) -> Carried:
    """The end, with the notice and the fee that its commitment asks for."""
    root = scene.chain.root.pk
    running = running_of([root]).get(root)
    if not scene.wish.waive_notice:
        check_leaving_notice(running, today=scene.today, on=scene.on)
    amount = fee_owed(running, scene.chain, on=scene.on, pen=scene.pen)
    if scene.wish.fee is not None and amount != scene.wish.fee:
        message = _("What leaving the term costs has changed meanwhile; ask for a new offer.")
        raise no.ChangedMeanwhile(message, field="fee")
    fee = None
    if amount:
        fee = fee_line(scene.chain, scene.now, on=scene.on, amount=amount, pen=scene.pen)
    return Carried(_line(scene), _fact(scene), fee)


_HOW: dict[str, Callable[[Scene], Carried]] = {
    Act.TERMS: _terms,
    Act.REPLACE: _replace,
    Act.QUANTITY: _quantity,
    Act.SUSPEND: _suspend,
    Act.RESUME: _plain,
    Act.MOVE: _move,
    Act.TRANSFER: _transfer,
    Act.END: _end,
    Act.WITHDRAW: _withdraw,
}
assert _HOW.keys() >= {act.value for act in Told if act not in (Told.START, Told.PART)}


def _fact(scene: Scene, **given: Any) -> NewFact:
    told: dict[str, Any] = {"on": scene.on, "reason": scene.wish.reason} | given
    return NewFact(act=Act(scene.wish.act), order_line_id=0, **told)


def _line(
    scene: Scene,
    priced: Priced | None = None,
    *,
    version_id: int | None = None,
    quantity: Decimal | None = None,
    terms_id: int | None = None,
    described: dict[str, Any] | None = None,
) -> ChangeLine:
    """`described` is what it is like then, if not as before; checked, for it decides prices."""
    ordered = scene.chain.root.order_line
    characteristics = dict(scene.chain.characteristics_on(scene.on))
    return ChangeLine(
        action=str(scene.wish.act),
        change_on=scene.on,
        in_service=snapshot_of(scene.chain, scene.now, digests_of([scene.now], scene.pen.drawn))
        | {"characteristics": characteristics},
        product_version_id=version_id
        or (priced.version_id if priced else scene.now.product_version),
        delivery_plan_id=priced.plan_id if priced else ordered.delivery_plan_id,
        quantity=quantity or (priced.quantity if priced else scene.now.quantity),
        terms_id=terms_id or (priced.terms_id if priced else scene.now.terms),
        characteristics=priced.characteristics
        if priced
        else characteristics | dict(scene.wish.characteristics or {})
        if described is None
        else described,
        book_version_id=priced.book_version_id if priced else None,
        contract_id=priced.contract_id if priced else ordered.contract_id,
        quote_line_id=scene.wish.quote_line_id,
    )
