"""What makes a delivery plan sound: its schema, its expressions tried, its loops; in tables."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.catalog.plans import Facts, PlanBroken, Surroundings, check_plan, faults_of_plan, lay_out
from o2b.catalog.plans.documents import DocumentInvalid, read_document, write_document
from o2b.catalog.plans.links import Around, Neighbour
from o2b.catalog.plans.picture import Node, draw
from o2b.catalog.plans.rehearsal import Beside, planned_cost, rehearse
from o2b.catalog.plans.samples import MOST_TRIES, Product, Samples
from o2b.catalog.plans.trying import faults_of_expression

SPEED = {"name": "speed", "type": "choice", "choices": [100, 200, 400], "required": True}
SITE = {"name": "site", "type": "text"}
LENGTH = {
    "name": "length",
    "type": "decimal",
    "minimum": "0.5",
    "maximum": 9,
    "required": True,
}
SEATS = {"name": "seats", "type": "integer", "minimum": 0, "maximum": 50, "required": True}
FIBRE = Product("fibre", 3, [SPEED, SITE, LENGTH, SEATS])


def by_hand(key: str, *after: str, **given: Any) -> dict[str, Any]:
    return {"key": key, "kind": "manual", "queue": "field", "after": list(after)} | given


def automatic(key: str, *after: str, **given: Any) -> dict[str, Any]:
    return {"key": key, "kind": "automatic", "handler": "ring", "after": list(after)} | given


def rings(parameters: Any) -> list[str]:
    """What the handler of these tests says of its parameters."""
    return [] if parameters.get("times", 1) in range(1, 500) else ["It rings 1 to 499 times."]


def faults(
    tasks: Any, components: Any = (), around: Around | None = None, product: Product = FIBRE
) -> list[tuple[str, str, str]]:
    beside = Surroundings(product, {"ring": rings}, around or Around())
    found = faults_of_plan(tasks, components, beside)
    return [(fault.place, fault.key, fault.message % fault.facts) for fault in found]


SOUND: list[dict[str, Any]] = [
    by_hand(
        "build",
        name="Build it",
        skills=["fibre"],
        evidence=["version", "serial", "Port"],
        checklist=["Cable is labelled"],
        minutes=90,
        estimate=480,
        maximum=960,
        rate="61.5",
        equipment="35.0000",
        vendor=0,
        weight="0.5",
        component="access",
        compensation={"name": "Remove", "kind": "manual", "queue": "field", "minutes": 30},
    ),
    automatic("ring", "build", when="speed > 100", parameters={"times": "=speed // 2"}),
    automatic("extra", "ring", when='has(site) and lower(site) == "home"'),
    by_hand("hand-over", "ring", "extra", point_of_no_return=True, when="seats <= 10"),
]
PARTS = [
    {"key": "access", "name": "Access", "quantity": "=quantity * 2"},
    {"key": "port", "quantity": 1, "characteristics": {"rate": "=speed", "kind": "SFP"}},
]


def test_a_sound_plan_has_no_faults() -> None:
    assert faults(SOUND, PARTS) == []


@pytest.mark.parametrize(
    ("said", "place", "message"),
    [
        ({"key": ""}, "key", "Letters, digits, - and _, up to 48 characters."),
        ({"key": "a b"}, "key", "Letters, digits, - and _, up to 48 characters."),
        ({"key": "k" * 49}, "key", "Letters, digits, - and _, up to 48 characters."),
        ({"key": "build"}, "key", "“build” is there twice."),
        ({"kind": "magic"}, "kind", "The kind is manual or automatic."),
        ({"queue": ""}, "queue", "Work by hand needs a queue."),
        ({"queue": "a b"}, "queue", "Letters, digits, - and _, up to 50 characters."),
        ({"queue": "q" * 51}, "queue", "Letters, digits, - and _, up to 50 characters."),
        ({"key": "undo-build"}, "key", "Keys of what undoes begin like that: choose another."),
        ({"kind": "automatic"}, "handler", "Automatic work needs a handler."),
        (
            {"kind": "automatic", "handler": "sing"},
            "handler",
            "There is no handler “sing”; there is: ring.",
        ),
        (
            {"kind": "automatic", "handler": "ring", "parameters": {"times": 0}},
            "parameters",
            "It rings 1 to 499 times.",
        ),
        (
            {"kind": "automatic", "handler": "ring", "parameters": {"times": "=speed + 100"}},
            "parameters",
            "It rings 1 to 499 times.",
        ),
        ({"name": "n" * 201}, "name", "A text of up to 200 characters."),
        ({"name": "a\0"}, "name", "A text of up to 200 characters."),
        ({"name": 5}, "name", "A text of up to 200 characters."),
        ({"skills": ["fibre", "a b"]}, "skills", "“a b” cannot stand here."),
        ({"skills": "fibre"}, "skills", "A list of up to 50."),
        ({"evidence": ["version", "<b>"]}, "evidence", "“<b>” cannot stand here."),
        ({"evidence": ["serial", "serial"]}, "evidence", "Something is there twice."),
        ({"checklist": [""]}, "checklist", "“” cannot stand here."),
        ({"checklist": ["x" * 501]}, "checklist", f"“{'x' * 60}” cannot stand here."),
        ({"minutes": -1}, "minutes", "Whole minutes, from 0 to 100000."),
        ({"minutes": 1.5}, "minutes", "Whole minutes, from 0 to 100000."),
        ({"minutes": True}, "minutes", "Whole minutes, from 0 to 100000."),
        ({"estimate": "60"}, "estimate", "Whole minutes, from 0 to 100000."),
        ({"maximum": 100_001}, "maximum", "Whole minutes, from 0 to 100000."),
        (
            {"estimate": 60, "maximum": 59},
            "maximum",
            "At most 59 minutes are less than the estimate, 60.",
        ),
        (
            {"minutes": 60, "maximum": 59},
            "maximum",
            "At most 59 minutes are less than the estimate, 60.",
        ),
        ({"rate": "-1"}, "rate", "An amount of 0 or more, with up to 4 decimals."),
        ({"equipment": "1.00001"}, "equipment", "An amount of 0 or more, with up to 4 decimals."),
        ({"vendor": "NaN"}, "vendor", "An amount of 0 or more, with up to 4 decimals."),
        ({"vendor": "1e30"}, "vendor", "An amount of 0 or more, with up to 4 decimals."),
        ({"weight": "0.0001"}, "weight", "A number of 0 or more, with up to 3 decimals."),
        ({"weight": "much"}, "weight", "A number of 0 or more, with up to 3 decimals."),
        ({"point_of_no_return": "yes"}, "point_of_no_return", "It is true or false."),
        ({"component": "radio"}, "component", "The plan has no component “radio”."),
        ({"after": ["nowhere"]}, "after", "It waits on “nowhere”, which is not in the plan."),
        ({"after": ["radio/ship"]}, "after", "There is no product “radio”."),
        ({"after": ["router/fly"]}, "after", "No plan of “router” has a step “fly”."),
        (
            {"after": ["/ship"]},
            "after",
            "“/ship”: it is “parent/step”, “parts/step” or “product/step”.",
        ),
        ({"colour": "red"}, "colour", "There is no setting “colour”."),
        ({"parameters": [1]}, "parameters", "Names with values."),
        ({"when": 5}, "when", "A condition is an expression."),
        ({"when": "speed >"}, "when", "“speed >” is no expression."),
        (
            {"when": "spede > 5"},
            "when",
            "“spede > 5” asks for “spede”; there is: c, length, product, quantity, seats, site,"
            " speed, version.",
        ),
        (
            {"when": "site == 'home'", "parameters": {"a": "=lower(speed) + 1"}},
            "parameters.a",
            "With site = home, speed = 100: “lower(speed) + 1” fails: a text is no number;"
            " say number(…).",
        ),
        (
            {"when": "100 / (speed - 200) > 0"},
            "when",
            "With speed = 200: “100 / (speed - 200) > 0” fails:"
            " [<class 'decimal.DivisionByZero'>].",
        ),
        (
            {"parameters": {"far": {"list": ["=length * 2"]}}},
            "parameters.far",
            "With length = 0.5: “length * 2” fails: a text is no number; say number(…).",
        ),
        (
            {"parameters": {"a": '=c["colour"]'}},
            "parameters.a",
            "With colour = —: “c[\"colour\"]” asks for 'colour', which is not there.",
        ),
        ({"compensation": 5}, "compensation", "A compensation is a step: a name, a kind and more."),
        ({"compensation": {"kind": "x"}}, "compensation.kind", "The kind is manual or automatic."),
        (
            {"compensation": {"kind": "manual"}},
            "compensation.queue",
            "Work by hand needs a queue.",
        ),
        (
            {"compensation": {"kind": "automatic", "handler": "sing"}},
            "compensation.handler",
            "There is no handler “sing”; there is: ring.",
        ),
        (
            {
                "compensation": {
                    "kind": "automatic",
                    "handler": "ring",
                    "parameters": {"times": "=nobody"},
                }
            },
            "compensation.parameters.times",
            "“nobody” asks for “nobody”; there is: c, length, product, quantity, seats, site,"
            " speed, version.",
        ),
        (
            {"compensation": {"kind": "manual", "queue": "q", "weight": 1}},
            "compensation",
            "There is no setting “weight”.",
        ),
        (
            {"point_of_no_return": True, "compensation": {"kind": "manual", "queue": "q"}},
            "compensation",
            "Behind the point of no return nothing is undone: choose one.",
        ),
    ],
)
def test_a_fault_names_its_step_and_field(said: dict[str, Any], place: str, message: str) -> None:
    step = by_hand("test") | said
    around = Around({"router": Neighbour("router", (), frozenset({"ship"}), has_plan=True)})
    found = faults([by_hand("build"), step], around=around)
    key = said.get("key", "test")
    assert (f"tasks[1].{place}", key, message) in found


def test_all_faults_are_told_at_once() -> None:
    found = faults([by_hand("a", queue=""), automatic("b", handler=""), by_hand("c", minutes=-1)])
    assert [place for place, _key, _message in found] == [
        "tasks[0].queue",
        "tasks[1].handler",
        "tasks[2].minutes",
    ]


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ({"key": "a b"}, "components[0].key"),
        ({"key": "a", "quantity": "many"}, "components[0].quantity"),
        ({"key": "a", "quantity": "=speed + site"}, "components[0].quantity"),
        ({"key": "a", "characteristics": {"x": "=nobody"}}, "components[0].characteristics.x"),
        ({"key": "a", "colour": "red"}, "components[0].colour"),
    ],
)
def test_components_are_examined_too(part: dict[str, Any], place: str) -> None:
    assert place in {
        fault[0] for fault in faults(SOUND[3:] + [by_hand("ring"), by_hand("extra")], [part])
    }


@pytest.mark.parametrize("junk", [None, "x", 5, {}, [1], [None], [[]], [{"key": ["a"]}]])
def test_what_is_no_plan_at_all_is_refused_not_broken(junk: Any) -> None:
    assert faults(junk, junk)


def test_loops_show_the_way() -> None:
    steps = [by_hand("a", "c"), by_hand("b", "a"), by_hand("c", "b"), by_hand("d", "c")]
    ((place, key, message),) = faults(steps)
    assert place in {"tasks[0].after", "tasks[1].after", "tasks[2].after"}
    assert message in {
        "A loop: a → b → c → a.",
        "A loop: b → c → a → b.",
        "A loop: c → a → b → c.",
    }
    assert message.startswith(f"A loop: {key} →")


def neighbour(code: str, *tasks: dict[str, Any]) -> Neighbour:
    return Neighbour(code, tasks, frozenset(task["key"] for task in tasks), has_plan=True)


@pytest.mark.parametrize(
    ("mine", "theirs", "message"),
    [
        ("router/ship", "fibre/test", "A loop: fibre/test → router/ship → fibre/test."),
        ("parent/open", "parts/test", "A loop: fibre/test → office/open → fibre/test."),
        ("parts/dial", "parent/test", "A loop: fibre/test → voice/dial → fibre/test."),
        ("fibre/test", "fibre/test", "A loop: fibre/test → fibre/test."),
        ("router/ship", "parent/open", ""),
        ("parent/open", "router/pack", ""),
    ],
)
def test_loops_across_lines_are_refused(mine: str, theirs: str, message: str) -> None:
    around = Around(
        {
            "router": neighbour("router", by_hand("ship", theirs)),
            "office": neighbour("office", by_hand("open", theirs)),
            "voice": neighbour("voice", by_hand("dial", theirs)),
        },
        bundles={"fibre": ["office"], "voice": ["fibre"]},
        parts={"office": ["fibre"], "fibre": ["voice"]},
    )
    around = Around(
        {**around.neighbours, "fibre": neighbour("fibre", by_hand("test"))},
        around.bundles,
        around.parts,
    )
    found = faults([by_hand("test", mine)], around=around)
    if not message:
        assert found == []
        return
    ((_place, key, said),) = found
    way = message.removeprefix("A loop: ").removesuffix(".").split(" → ")[:-1]
    turned = [way[n:] + way[:n] for n in range(len(way))]
    assert said in {f"A loop: {' → '.join([*each, each[0]])}." for each in turned}
    assert key == "test"


def test_a_dead_end_names_the_line_that_comes_to_nothing() -> None:
    steps = [by_hand("a", when="speed > 100"), by_hand("b", when="quantity > 7")]
    assert faults(steps) == [
        ("tasks", "", "A dead end: with quantity = 1, speed = 100 no step is left.")
    ]
    assert faults([*steps, by_hand("c", when="speed == 100 and quantity < 8")]) == []


def test_a_parameter_is_tried_only_where_its_step_is_laid() -> None:
    step = automatic("ring", when="speed > 100", parameters={"times": "=1 + 100 // (speed - 100)"})
    assert faults([by_hand("a"), step]) == []


def test_what_need_not_be_said_may_be_missing() -> None:
    (fault,) = faults([by_hand("a"), by_hand("b", when="site == 'home'")])
    assert fault[2] == ("With site = —: “site == 'home'” asks for site, which is not there.")
    assert faults([by_hand("a"), by_hand("b", when="has(site) and site == 'home'")]) == []


def test_tries_stay_few_however_many_names_there_are() -> None:
    specs = [
        {"name": f"n{n}", "type": "choice", "choices": list(range(30)), "required": True}
        for n in range(12)
    ]
    samples = Samples(Product("p", 1, specs))
    found = list(samples.for_names({spec["name"] for spec in specs}))
    assert len(found) == 2 * MOST_TRIES
    assert {facts.characteristics["n11"] for facts in found} == set(range(30))


def test_an_expression_on_its_own() -> None:
    assert faults_of_expression("speed > 100", FIBRE) == []
    (fault,) = faults_of_expression("speed.real", FIBRE)
    assert "Attribute" in fault.message % fault.facts


def test_check_plan_knows_no_handlers_and_no_products() -> None:
    assert check_plan([automatic("b", "a", "nobody/knows", handler="mine"), by_hand("a")]) == [
        "a",
        "b",
    ]


# laying and trying


def line(**characteristics: Any) -> Facts:
    return Facts("fibre", 3, Decimal(2), characteristics)


def test_a_dry_run_tells_minutes_cost_and_the_longest_way() -> None:
    steps = [
        by_hand("a", minutes=60, estimate=100),
        by_hand("b", "a", minutes=30, rate="10", equipment="5", when="speed > 100"),
        automatic("c", "b", "router/ship", "parent/open", parameters={"s": "=speed"}),
    ]
    tried = rehearse(
        steps,
        PARTS,
        line(speed=100),
        rates={"field": Decimal(60)},
        beside=Beside("office", (), {"office": ["open"], "router": ["pack"]}),
    )
    assert [(one.key, one.laid.after, one.starts_after, one.on_way) for one in tried.steps] == [
        ("a", (), 0, True),
        ("c", ("a",), 100, True),
    ]
    assert [step["key"] for step in tried.left_out] == ["b"]
    assert (tried.minutes, tried.cost, tried.longest) == (60, Decimal("60.0000"), 100)
    assert tried.steps[1].laid.parameters == {"s": 100}
    assert [(wait.ref, wait.products) for wait in tried.steps[1].waits] == [
        ("parent/open", ["office"]),
        ("router/ship", []),
    ]
    assert [(part.key, part.quantity, part.characteristics) for part in tried.parts] == [
        ("access", 4, {}),
        ("port", 1, {"rate": 100, "kind": "SFP"}),
    ]


@pytest.mark.parametrize(
    ("step", "rate", "cost"),
    [
        ({}, "60", "0"),
        ({"minutes": 90, "equipment": "35.00"}, "60", "125"),
        ({"minutes": 50, "rate": "31.00"}, "60", "25.8333"),
        ({"vendor": "120.5", "equipment": 1}, "0", "121.5"),
    ],
)
def test_planned_costs(step: dict[str, Any], rate: str, cost: str) -> None:
    assert planned_cost(step, Decimal(rate)) == Decimal(cost)


# random plans

KEYS = st.sampled_from([f"s{n}" for n in range(8)])


@st.composite
def plans(draw_: Any) -> list[dict[str, Any]]:
    """Plans without loops: each step may wait on those listed before it."""
    count = draw_(st.integers(1, 8))
    steps = []
    for n in range(count):
        before = [f"s{m}" for m in range(n)]
        after = draw_(st.lists(st.sampled_from(before), unique=True)) if before else []
        step = by_hand(f"s{n}", *after, minutes=draw_(st.integers(0, 90)))
        if draw_(st.booleans()):
            step["when"] = draw_(st.sampled_from(["speed > 100", "speed < 200", "speed == 7"]))
        steps.append(step)
    return steps


def reaches(after: dict[str, list[str]], key: str) -> set[str]:
    found: set[str] = set()
    left = list(after[key])
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left.extend(after.get(one, ()))
    return found


@settings(max_examples=150, deadline=None)
@given(plans(), st.sampled_from([100, 200, 400]))
def test_laying_keeps_the_order_relation(steps: list[dict[str, Any]], speed: int) -> None:
    laid = lay_out(steps, line(speed=speed))
    kept = [one.step["key"] for one in laid]
    written = {step["key"]: step["after"] for step in steps}
    now = {one.step["key"]: list(one.after) for one in laid}
    for key in kept:
        assert reaches(now, key) == reaches(written, key) & set(kept)
    tried = rehearse(steps, [], line(speed=speed), rates={}, beside=Beside())
    begins = {one.key: one.starts_after for one in tried.steps}
    takes = {one.key: one.takes for one in tried.steps}
    for key in kept:
        assert begins[key] == max((begins[b] + takes[b] for b in now[key]), default=0)
    assert tried.longest == max((begins[key] + takes[key] for key in kept), default=0)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(KEYS, st.lists(KEYS, max_size=4), min_size=1))
def test_any_graph_is_drawn_and_loops_are_found(graph: dict[str, list[str]]) -> None:
    nodes = [Node(key, key, after=after) for key, after in graph.items()]
    picture = draw(nodes)
    places = {(box.x, box.y) for box in picture.boxes}
    assert len(places) == len(nodes)
    assert all(box.x < picture.width and box.y < picture.height for box in picture.boxes)
    steps = [by_hand(key, *(k for k in after if k in graph)) for key, after in graph.items()]
    has_loop = any(key in reaches({s["key"]: s["after"] for s in steps}, key) for key in graph)
    try:
        check_plan(steps)
    except PlanBroken:
        assert has_loop
    else:
        assert not has_loop


# documents


def test_a_plan_goes_out_and_comes_in() -> None:
    text = write_document("fibre", 3, SOUND, PARTS)
    assert read_document(text) == (SOUND, PARTS)
    assert read_document(text.encode()) == (SOUND, PARTS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "5",
        "null",
        '{"tasks": 5}',
        '{"tasks": [], "components": 5}',
        '{"tasks": [], "format": "other"}',
        '{"tasks": [{"minutes": NaN}]}',
        '{"tasks": [{"minutes": 1e999}]}',
        '{"tasks": [{"minutes": 99999999999999999999}]}',
        '{"tasks": [{"name": "\\u0000"}]}',
        '{"tasks": [{"name": "\\ud800"}]}',
        '{"tasks": ' + "[" * 50 + "]" * 50 + "}",
        '{"tasks": ' + "[" * 100_000,
        '{"tasks": [{"name": "' + "x" * 500_000 + '"}]}',
        b"\xff\xfe\xff",
    ],
)
def test_a_bad_document_is_refused(text: str | bytes) -> None:
    with pytest.raises(DocumentInvalid):
        read_document(text)
