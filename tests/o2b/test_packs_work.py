"""The packs' plans are sound for whatever can be ordered; a broken one is named, and not loaded."""

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from o2b.asks import ask
from o2b.catalog.models import DeliveryPlan, Product
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.plan_surroundings import faults_of_draft, what_may_be_asked
from o2b.catalog.plans import Facts
from o2b.catalog.plans.rehearsal import Beside, rehearse
from o2b.catalog.plans.samples import Samples
from o2b.packs.reading import names, read_pack
from o2b.people.models import User
from o2b.people.services import ensure_demo_people
from orders.models import (
    EscalationRule,
    FalloutRule,
    LicenceKey,
    LicencePool,
    OutsideSystem,
    Queue,
    QueueMember,
    WorkCalendar,
)
from tests.o2b.test_packs import FILES, HEAD, folder_of, load

pytestmark = pytest.mark.django_db

WRITTEN = (
    DeliveryPlan,
    EscalationRule,
    FalloutRule,
    LicenceKey,
    LicencePool,
    OutsideSystem,
    Product,
    Queue,
    QueueMember,
    User,
    WorkCalendar,
)


def rows() -> list[int]:
    return [model._default_manager.count() for model in WRITTEN]


def plan_of(code: str) -> DeliveryPlan:
    return DeliveryPlan.objects.select_related("product").get(product__code=code)


@pytest.mark.parametrize("pack", names())
def test_every_plan_is_sound_and_comes_out_for_whatever_can_be_ordered(pack):
    load(pack)
    kinds = {kind.name: kind.faults for kind in ask("task_kinds")}
    plans = DeliveryPlan.objects.select_related("product")
    assert plans.count() == Product.objects.count()

    tried = 0
    for plan in plans:
        assert plan.state == Lifecycle.PUBLISHED
        assert faults_of_draft(plan, kinds=kinds) == [], plan.product.code
        samples = Samples(what_may_be_asked(plan.product))
        for facts in samples.for_names(samples.values):
            seen = rehearse(plan.tasks, plan.components, facts, rates={}, beside=Beside())
            assert seen.steps, (plan.product.code, facts)
            tried += 1
    assert tried > 50


@pytest.mark.parametrize("pack", names())
def test_each_pack_brings_its_people_and_somebody_for_every_step(pack):
    load(pack)
    read = read_pack(pack)
    wanted = {person.username for person in read.people}
    users = User.objects.filter(username__in=wanted)
    assert {user.username for user in users} == wanted
    assert not any(user.has_usable_password() for user in users)
    assert users.filter(groups__name="order lead").count() == 1
    skills: dict[str, list[set[str]]] = {}
    for member in QueueMember.objects.select_related("queue"):
        skills.setdefault(member.queue.code, []).append(set(member.skills))
    for plan in DeliveryPlan.objects.all():
        for step in plan.tasks:
            if step["kind"] == "manual":
                able = [has for has in skills[step["queue"]] if set(step.get("skills", ())) <= has]
                assert able, (plan, step["key"])
    for queue in Queue.objects.select_related("calendar", "owner"):
        assert queue.calendar is not None
        assert queue.owner is not None
        assert queue.hourly_rate > 0


@pytest.mark.parametrize(
    ("product", "characteristics", "quantity", "keys"),
    [
        (
            "circuit",
            {"bandwidth_mbps": "100", "term_years": "3", "site_a": "A", "site_z": "Z"},
            1,
            "survey reserve line visit install provision test activate",
        ),
        (
            "circuit",
            {"bandwidth_mbps": "10000", "term_years": "1", "site_a": "A", "site_z": "Z"},
            1,
            "survey design reserve line visit install provision test activate",
        ),
        ("desk-phone-sale", {"model": "T54"}, 20, "pick ship"),
        ("desk-phone-sale", {"model": "T54"}, 21, "credit pick ship"),
        ("desk-phone-rental", {"model": "T54"}, 200, "pick ship"),
        ("cabling", {"site": "A"}, Decimal("300.5"), "cable visit lay"),
        ("cabling", {"site": "A"}, 300, "visit lay"),
    ],
)
def test_what_is_ordered_decides_what_is_done(product, characteristics, quantity, keys):
    load("telecom")
    plan = plan_of(product)
    facts = Facts(product, 1, Decimal(quantity), characteristics)
    seen = rehearse(plan.tasks, plan.components, facts, rates={}, beside=Beside())
    assert " ".join(one.key for one in seen.steps) == keys


def test_turnaround_decides_by_when_a_result_is_late():
    load("laboratory")
    plan = plan_of("assay-pcr")
    found = {}
    for said in ("same day", "2 days", "5 days"):
        facts = Facts("assay-pcr", 1, Decimal(1), {"turnaround": said, "target": "x"})
        seen = rehearse(plan.tasks, plan.components, facts, rates={}, beside=Beside())
        (assay,) = (one.step for one in seen.steps if one.key.startswith("assay"))
        found[said] = (assay["estimate"], assay["maximum"])
    assert found == {"same day": (240, 480), "2 days": (720, 960), "5 days": (1920, 3000)}


def test_many_seats_need_a_second_person_and_pools_are_filled():
    load("software")
    for seats, asked in ((100, False), (101, True)):
        plan = plan_of("team")
        facts = Facts("team", 1, Decimal(seats), {"region": "eu"})
        seen = rehearse(plan.tasks, plan.components, facts, rates={}, beside=Beside())
        assert ("approve" in [one.key for one in seen.steps]) is asked
    assert {
        pool.code: pool.keys.filter(state="free").count() for pool in LicencePool.objects.all()
    } == {"on-premises-standard": 60, "on-premises-cluster": 4}


def test_the_three_live_together_and_people_who_are_there_keep_what_they_are():
    karim = User.objects.create(username="karim", first_name="Another", email="k@here.test")
    for pack in names():
        load(pack)
    karim.refresh_from_db()
    assert (karim.first_name, karim.email, karim.groups.count()) == ("Another", "k@here.test", 0)
    assert QueueMember.objects.get(user=karim).skills == ["survey", "fibre"]
    positions = list(FalloutRule.objects.values_list("position", flat=True))
    assert positions == list(range(1, len(positions) + 1))


STEP = """
[[tasks]]
key = "pack"
name = "Pack"
kind = "manual"
queue = "store"
"""
WORK = """
[[people]]
username = "una"
first_name = "Una"
last_name = "Own"
group = "order team"
[[queues]]
code = "store"
name = "Store"
owner = "una"
hourly_rate = "30"
[[members]]
queue = "store"
user = "una"
"""


def own(path, *, plan: str = STEP, work: str = WORK, keys: str | None = None) -> str:
    (path / "plans").mkdir()
    (path / "plans" / "chair.toml").write_text(plan, encoding="utf-8")
    (path / "work.toml").write_text(work, encoding="utf-8")
    if keys is not None:
        (path / "keys.csv").write_text(keys, encoding="utf-8")
    head = HEAD.replace(
        'customers = "customers.csv"', 'customers = "customers.csv"\nwork = "work.toml"'
    )
    return folder_of(path, pack_toml=head)


def test_a_pack_of_ones_own_brings_plans_and_people(tmp_path):
    told = load(own(tmp_path))
    assert (told["plans"], told["queues"], told["members"]) == (1, 1, 1)
    assert plan_of("chair").tasks[0]["queue"] == "store"
    assert Queue.objects.get(code="store").owner.username == "una"
    assert "chair,Chair" in FILES["products.csv"]


POOL = WORK + '[[licence_pools]]\ncode = "p"\nname = "P"\nkeys = "keys.csv"\n'


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"plan": "tasks ="}, r"plans/chair\.toml: "),
        ({"plan": "tasks = []"}, r"plans/chair\.toml: tasks: "),
        ({"plan": "steps = []"}, r"plans/chair\.toml: .*steps"),
        ({"plan": 'products = ["table"]\n' + STEP}, r"plans/chair\.toml: .*table"),
        ({"plan": STEP + 'after = ["nobody"]\n'}, r"plans/chair\.toml: .*nobody"),
        ({"plan": STEP + 'when = "colour == 1"\n'}, r"plans/chair\.toml: .*colour"),
        ({"plan": STEP + "colour = 1\n"}, r"plans/chair\.toml: .*colour"),
        ({"plan": STEP + "parameters = { day = 2026-01-01 }\n"}, r"plans/chair\.toml: "),
        ({"plan": STEP.replace("store", "stove")}, r"plans/chair\.toml: pack: .*stove"),
        ({"plan": STEP.replace("manual", "automatic")}, r"plans/chair\.toml: .*handler"),
        (
            {
                "plan": '[[tasks]]\nkey = "k"\nname = "K"\nkind = "automatic"\n'
                'handler = "licence_key"\nparameters = { pool = 7 }\n'
            },
            r"plans/chair\.toml: .*pool",
        ),
        (
            {"plan": '[[tasks]]\nkey = "k"\nname = "K"\nkind = "automatic"\nhandler = "magic"\n'},
            r"plans/chair\.toml: .*magic",
        ),
        ({"work": "people ="}, r"work\.toml: "),
        ({"work": "people = 1"}, r"work\.toml: .*people"),
        ({"work": WORK + "[[unknown]]\na = 1\n"}, r"work\.toml: .*unknown"),
        ({"work": WORK.replace("order team", "kings")}, r"work\.toml: people 1, group: "),
        ({"work": WORK.replace('username = "una"', "username = 1")}, r"people 1, username: "),
        ({"work": WORK.replace('"30"', '"much"')}, r"work\.toml: queues 1, hourly_rate: "),
        ({"work": WORK.replace('owner = "una"', 'owner = "ulf"')}, r"queues 1, owner: .*ulf"),
        ({"work": WORK.replace('queue = "store"', 'queue = "s"')}, r"members 1, queue: .*“s”"),
        ({"work": WORK + "capacity = -1\n"}, r"members 1, capacity: "),
        ({"work": WORK + 'capacity = "ten"\n'}, r"members 1, capacity: "),
        ({"work": WORK + "colour = 1\n"}, r"members 1, colour: "),
        (
            {"work": WORK + '[[calendars]]\ncode = "c"\nname = "C"\ncountry = "QQ"\n'},
            r"calendars 1, country: ",
        ),
        (
            {"work": WORK + '[[fallout_rules]]\nremedy = "pray"\n'},
            r"work\.toml: fallout_rules 1, remedy: ",
        ),
        (
            {"work": WORK + '[[escalations]]\nlevel = "red"\nafter_minutes = 1\n'},
            r"escalations 1, tell: ",
        ),
        (
            {
                "work": WORK + '[[escalations]]\nqueue = "store"\ntell = "una"\nlevel = "red"\n'
                'after_minutes = "soon"\n'
            },
            r"work\.toml: escalations 1, \*: ",
        ),
        ({"work": POOL}, r"keys\.csv"),
        ({"work": POOL, "keys": "A-1\nA-1\n"}, r"keys\.csv: row 2"),
        ({"work": POOL, "keys": ""}, r"licence_pools 1, keys: "),
    ],
)
def test_what_is_wrong_is_named_by_file_row_and_field_and_nothing_is_written(
    tmp_path, changes, says
):
    ensure_demo_people()
    before = rows()
    with pytest.raises(CommandError, match=says):
        call_command(
            "load_pack", own(tmp_path, **changes), "--advocate", "jonas", stdout=StringIO()
        )
    assert rows() == before
