"""What helps as a rule, by why it failed, where no rule of the house says better."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.models import FailureClass, FalloutRule, Queue

R, F = FalloutRule.Remedy, FailureClass

USUAL: dict[str, tuple[str, str | Promise]] = {
    F.UNREACHABLE: (R.RETRY, _("Try again when the system can be reached.")),
    F.TIMEOUT: (R.RETRY, _("Try again: what was done already is not done twice.")),
    F.OVERLOADED: (R.RETRY, _("Try again when the system is less busy.")),
    F.SERVER_ERROR: (R.RETRY, _("Ask who runs the system, then try again.")),
    F.GARBAGE: (R.BY_HAND, _("Look there what was done, and note it by hand.")),
    F.REFUSED: (R.EDIT, _("Mend what is asked, then try again.")),
    F.SET_UP: (R.RETRY, _("Set it up here, then try again.")),
    F.BROKEN: (R.RETRY, _("Tell who runs O2B, then try again.")),
    F.LOST: (R.RETRY, _("Try again: what was done already is not done twice.")),
    F.NO_STOCK: (R.RETRY, _("Fill up the stock, then try again.")),
    F.PERSON: (R.RETRY, _("Clear what stands in the way, then put it back into its queue.")),
}
NOTHING: tuple[str, str | Promise] = (R.RETRY, "")


@dataclass(frozen=True, slots=True)
class Advice:
    """The suggested remedy, in words; `queue` mends it, by the rule that said so."""

    remedy: str
    text: str
    queue: Queue | None = None
    rule: FalloutRule | None = None

    @property
    def label(self) -> str:
        return str(R(self.remedy).label)


def advise(failure_class: str, rule: FalloutRule | None) -> Advice:
    """What the first rule that matches says, else what helps as a rule."""
    remedy, text = USUAL.get(failure_class, NOTHING)
    if rule is None:
        return Advice(remedy, str(text))
    same = rule.remedy == remedy
    return Advice(rule.remedy, rule.advice or (str(text) if same else ""), rule.queue, rule)
