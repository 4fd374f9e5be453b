"""How a wallet pays: which lines, and from when on ordered money is usable."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import Wallet
from o2b import events
from o2b.errors import Invalid


class WalletInvalid(Invalid):
    code = "wallet_invalid"


@transaction.atomic
def set_wallet(
    *, wallet_id: int, covers: str, usable: str, at: datetime, actor_id: int | None
) -> Wallet:
    """Change what a wallet pays from the next invoice on; what is paid already stays."""
    if covers not in Wallet.Covers.values:
        raise WalletInvalid(_("Choose what the wallet pays."), field="covers")
    if usable not in Wallet.Usable.values:
        raise WalletInvalid(_("Choose when ordered money is usable."), field="usable")
    wallet = Wallet.objects.select_for_update(no_key=True).get(pk=wallet_id)
    if (wallet.covers, wallet.usable) != (covers, usable):
        wallet.covers, wallet.usable = covers, usable
        wallet.save(update_fields=["covers", "usable"])
        events.record("wallet.set", wallet, at=at, actor_id=actor_id, covers=covers, usable=usable)
    return wallet
