"""The packs' stories: weeks of orders, done by their own people, up to what they look like today.

They live under a clock of their own that is moved from working day to working day and taken away
at the end, so that a load that was interrupted goes on where it stopped.
"""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO

from billing.desk.demo import tales
from billing.desk.demo.hands import Hands
from billing.desk.demo.story import noon
from billing.desk.demo.tales import TALES, Tale
from billing.desk.patience import settle
from o2b import clock
from o2b.customers.models import Account
from o2b.models import TestClock
from o2b.people.models import User
from orders.bulk.services import take_sheet
from orders.care.services.complaints import open_complaint
from orders.care.services.questions import ask_question
from orders.fallout.services.systems import open_system
from orders.models import (
    BulkOrder,
    Comment,
    Complaint,
    Order,
    OrderLine,
    OutsideSystem,
    Question,
    Task,
)
from orders.rules.worktime import Calendar, standard_hours
from orders.services import (
    enter_order,
    escalate,
    renew_forecasts,
    wait_for_customer,
    watch_tasks,
)
from orders.work.services.comments import comment

CLOCK = "demo-packs"
DAYS = 18
# Nobody works on a day that is free for one of the three.
PLACES = (("DE", "BY"), ("US", "CA"), ("CH", "ZH"))
LOOK_SECONDS, PATIENCE_SECONDS = 0.3, 30.0
ACCOUNTS = frozenset(tale.account for tale in TALES)


def first_day(today: date) -> date:
    """The day on which the packs' stories begin."""
    return next(iter(_working_days(today)))


@dataclass
class PackStory:
    """Who acts, what day it is; `already_of` tells what an account has."""

    today: date
    workers: int
    tell: Callable[[str], None]
    already_of: Callable[[int], Collection[str]]

    def live(self) -> None:
        """From the first order of a pack to what stands today."""
        if self._is_told():
            return
        self.tell("The packs' orders ...")
        self.people = {user.username: user.pk for user in User.objects.all()}
        days = list(_working_days(self.today))
        self.clock, _ = TestClock.objects.get_or_create(name=CLOCK, defaults={"now": noon(days[0])})
        accounts = Account.objects.filter(reference__in=ACCOUNTS)
        accounts.update(test_clock=self.clock)
        self.accounts = {account.reference: account.pk for account in accounts}
        for ago, day in zip(range(len(days) - 1, -1, -1), days, strict=True):
            if noon(day) >= self.clock.now:
                self._live_a_day(day, ago)
        self._say_what_people_say()
        self._settle()
        accounts.update(test_clock=None)
        self.clock.delete()
        self._look_at_the_clock()

    def _is_told(self) -> bool:
        """Whether an earlier load came to its end: it takes its clock away last."""
        begun = Order.objects.filter(note=TALES[0].note, account__reference=TALES[0].account)
        return begun.exists() and not TestClock.objects.filter(name=CLOCK).exists()

    def _live_a_day(self, day: date, ago: int) -> None:
        self.clock.now = noon(day)
        self.clock.save()
        if ago == 0:
            self._switch_metering_off()
        for tale in TALES:
            if tale.days_ago == ago and not self._order_of(tale):
                self._place(tale)
        self._settle()
        hands = Hands({order.pk: tale for tale in TALES if (order := self._order_of(tale))})
        until = time.monotonic() + PATIENCE_SECONDS
        while hands.work(at=self.clock.now) or hands.is_asked_outside():
            self._settle()
            if hands.is_asked_outside():
                time.sleep(LOOK_SECONDS)
            if time.monotonic() > until:
                break

    def _place(self, tale: Tale) -> None:
        today = self.clock.now.date()
        account = self.accounts[tale.account]
        enter_order(
            account_id=account,
            lines=tale.lines,
            at=self.clock.now,
            actor_id=self.people[tale.lead],
            channel=Order.Channel.SCREEN,
            note=tale.note,
            already=self.already_of(account),
            promised_on=today + timedelta(days=tale.promised_in),
            work_from=today + timedelta(days=tale.begins_in) if tale.begins_in else None,
            priority=tale.priority,
        )

    def _order_of(self, tale: Tale) -> Order | None:
        mine = Order.objects.filter(account=self.accounts[tale.account], note=tale.note)
        return mine.order_by("pk").first()

    def _line_of(self, tale: Tale, product: str = "") -> OrderLine:
        lines = OrderLine.objects.filter(order=self._order_of(tale)).order_by("position")
        return (lines.filter(product_version__product__code=product) if product else lines)[0]

    # Today

    def _switch_metering_off(self) -> None:
        """The meter's people said that they work on it: what needs it waits, the rest goes on."""
        if OutsideSystem.objects.filter(code="metering", by_hand=True).exists():
            return
        open_system(
            code="metering",
            reason="Maintenance until Friday evening, as announced",
            user_id=self.people["owen"],
            at=self.clock.now,
        )

    def _say_what_people_say(self) -> None:
        """Each thing in a transaction of its own, for workers are at the same orders; and once."""
        visit = Task.objects.get(line=self._line_of(tales.CLINIC), key="visit")
        Hands({visit.order_id: tales.CLINIC}).visit(visit, self.clock.now, days=1)
        self._wait(tales.ENTRANCE, "Which of the two entrances? Mr Petersen asks the landlord.")
        self._wait(tales.SAMPLE, "The sample has not been sent yet.")
        self._talk(tales.FAIR, "yuki", "@greta the carrier says ten more days. @mara knows?")
        self._talk(tales.FAIR, "greta", "I call them today; @mara please tell Mr Egli.")
        self._talk(tales.PCR, "jens", "@claire the second run is on the machine until tonight.")
        self._ask(tales.FAIR)
        self._complain(tales.PHONES)
        if not BulkOrder.objects.filter(file_name=tales.SHEET_NAME, is_dry_run=False).exists():
            take_sheet(
                stream=BytesIO(tales.SHEET.encode()),
                file_name=tales.SHEET_NAME,
                dry_run=False,
                at=self.clock.now,
                by_id=self.people["greta"],
                already_of=self.already_of,
            )

    def _wait(self, tale: Tale, reason: str) -> None:
        line = self._line_of(tale)
        if line.state != OrderLine.State.WAITING:
            wait_for_customer(
                line_id=line.pk, reason=reason, at=self.clock.now, user_id=self.people[tale.lead]
            )

    def _talk(self, tale: Tale, who: str, text: str) -> None:
        order = self._line_of(tale).order_id
        if not Comment.objects.filter(order=order, text=text).exists():
            comment(order_id=order, author_id=self.people[who], text=text, at=self.clock.now)

    def _ask(self, tale: Tale) -> None:
        order = self._line_of(tale).order_id
        if not Question.objects.filter(order=order).exists():
            ask_question(
                order_id=order,
                name="Marc Egli",
                text="The fair opens on Monday in a week. Will the line be there?",
                at=self.clock.now,
            )

    def _complain(self, tale: Tale) -> None:
        line = self._line_of(tale)
        if not Complaint.objects.filter(line=line).exists():
            open_complaint(
                line_id=line.pk,
                text="Fifteen phones are missing, and nobody said so before the parcel came.",
                source=Complaint.Source.STAFF,
                name="Jan Petersen",
                at=self.clock.now,
                actor_id=self.people[tale.lead],
            )

    def _look_at_the_clock(self) -> None:
        """What beat does every minute: amber, red, escalations, forecasts."""
        now = clock.now()
        watch_tasks(machine_now=now)
        self._settle()
        escalate(machine_now=now)
        renew_forecasts(machine_now=now, limit=1000)
        self._settle()

    def _settle(self) -> None:
        settle(workers=self.workers)


def _working_days(today: date) -> Iterator[date]:
    """So many days on which everybody works, and today."""
    calendars = [
        Calendar.of(standard_hours(), country=country, subdivision=part) for country, part in PLACES
    ]
    day, found = today, [today]
    while len(found) <= DAYS:
        day -= timedelta(days=1)
        if not any(calendar.is_free(day) for calendar in calendars):
            found.append(day)
    yield from reversed(found)
