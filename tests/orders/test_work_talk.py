"""What is said, kept and asked beside work: comments, files, approvals."""

import io
from datetime import timedelta
from typing import Any

import pytest

from o2b.catalog.models import ProductVersion
from o2b.catalog.services import publish_product_version
from o2b.errors import Refused
from o2b.models import Outbox
from o2b.people.models import Notice
from orders import services
from orders.models import Approval, Comment, Evidence, TaskFile
from orders.work import services as work
from orders.work.rules import kind_of, names_in
from orders.work.services.files import MOST_BYTES, MOST_FILES
from tests.factories import LONG_AGO, a_user
from tests.orders.build import LATER, a_worker, happened, states, written
from tests.orders.build_work import a_lead, claimed, line_of, state_of

pytestmark = pytest.mark.django_db
WHEN: dict[str, Any] = {"at": LATER, "machine_now": LATER}
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


def refused(code, act, *, field=None, **said):
    before = (*written(), Approval.objects.count(), Comment.objects.count(), Notice.objects.count())
    with pytest.raises(Refused) as no:
        act(**said)
    assert (no.value.code, no.value.field) == (code, field)
    now = (*written(), Approval.objects.count(), Comment.objects.count(), Notice.objects.count())
    assert now == before


# comments


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@ada and @jo.w.", ["ada", "jo.w"]),
        ("mail me@example.com", []),
        ("(@ada) @ada,", ["ada"]),
        ("@", []),
        ("@ada@example.com", ["ada"]),
    ],
)
def test_names_in_a_text(text, names):
    assert names_in(text) == names


def test_who_is_named_hears_of_it():
    task, user = claimed()
    named = a_user("order team", username="jo.w")
    written_ = work.comment(
        order_id=task.order_id,
        task_id=task.pk,
        author_id=user.pk,
        text=f" Key at the desk, @jo.w. @{user.username} knows ",
        at=LATER,
    )
    assert written_.mentions == [named.pk, user.pk]
    notice = Notice.objects.get()
    assert (notice.user, notice.topic) == (named, "mention")
    assert notice.url == f"/orders/tasks/{task.pk}/#comment-{written_.pk}"
    assert happened(task.order)[-1] == "task.commented"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" ", "text_missing"),
        ("x\0", "text_missing"),
        ("x" * 2001, "text_missing"),
        ("@nobody_at_all?", "nobody_called_so"),
        (" ".join(f"@n{n}" for n in range(21)), "nobody_called_so"),
    ],
)
def test_a_comment_is_refused_beside_its_field(text, code):
    task, user = claimed()
    refused(
        code,
        work.comment,
        field="text",
        order_id=task.order_id,
        author_id=user.pk,
        text=text,
        at=LATER,
    )


# files


def upload(name, body):
    file = io.BytesIO(body)
    file.name, file.size = name, len(body)
    return file


def keep(task, user, name="photo.png", body=PNG):
    return work.add_file(task_id=task.pk, user_id=user.pk, upload=upload(name, body), at=LATER)


def test_a_file_is_evidence():
    task, user = claimed("1", "file")
    kept = keep(task, user, name="C:\\x\\my\r\n<photo>.png")
    assert (kept.name, kept.content_type, kept.size) == ("myphoto.png", "image/png", len(PNG))
    services.complete_task(task_id=task.pk, user_id=user.pk, at=LATER)
    assert state_of(task) == "done"


WRONG = [
    ("page.html", b"<html>"),
    ("drawing.svg", b"<svg onload='x'/>"),
    ("drawing.png", b"<svg onload='x'/>"),
    ("drawing.txt", b"\xef\xbb\xbf  <svg onload='x'/>"),
    ("photo.jpg", PNG),
    ("photo.png.exe", PNG),
    ("tool.txt", b"MZ\0\0"),
    ("list.csv", PNG),
    ("none", PNG),
    ("", PNG),
    ("empty.txt", b""),
    ("big.txt", b"x" * (MOST_BYTES + 1)),
]


@pytest.mark.parametrize(("name", "body"), WRONG, ids=[name or "-" for name, _ in WRONG])
def test_a_wrong_file_is_refused(name, body):
    task, user = claimed()
    refused(
        "file_refused",
        work.add_file,
        field="file",
        task_id=task.pk,
        user_id=user.pk,
        upload=upload(name, body),
        at=LATER,
    )
    assert not TaskFile.objects.exists()


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("a.CSV", b"a;b\n", "text/csv"),
        ("a.txt", "äöü".encode("latin-1"), "text/plain"),
        ("a.pdf", b"%PDF-1.7", "application/pdf"),
        ("a.webp", b"RIFF0000WEBPVP8 ", "image/webp"),
        ("a.heic", b"0000ftypheic", "image/heic"),
    ],
)
def test_kinds_by_content(name, body, kind):
    assert kind_of(name, body) == kind


def test_a_task_keeps_few_files_and_only_of_who_has_it():
    task, user = claimed()
    for n in range(MOST_FILES):
        keep(task, user, name=f"{n}.png")
    with pytest.raises(Refused, match="at most 20"):
        keep(task, user)
    with pytest.raises(Refused, match="somebody else"):
        keep(task, a_worker())
    assert TaskFile.objects.count() == MOST_FILES


# approvals


def ask(task, user, **given):
    said = {"task_id": task.pk, "user_id": user.pk, "reason": "the pit is flooded", "at": LATER}
    return work.ask_skip(**said | given)


def test_a_skip_takes_a_second_person():
    task, user = claimed()
    lead, other = a_lead(), a_worker()
    asked = ask(task, user)
    assert (asked.state, asked.of_whom) == ("asked", None)
    assert list(Notice.objects.values_list("user", flat=True)) == [lead.pk]
    one = {"approval_id": asked.pk, **WHEN}
    refused("asked_already", ask, task=task, user=other)
    refused("not_yours_to_decide", work.grant_approval, user_id=user.pk, **one)
    refused("not_yours_to_decide", work.grant_approval, user_id=other.pk, **one)
    work.grant_approval(user_id=lead.pk, answer="yes", **one)
    task.refresh_from_db()
    assert (task.state, task.failure) == ("skipped", "the pit is flooded")
    assert line_of(task).state == "fallout"  # nothing shows that it was delivered
    assert "granted" in Notice.objects.get(user=user).title
    refused("approval_not_open", work.refuse_approval, user_id=lead.pk, answer="no", **one)


def test_a_lead_does_not_grant_their_own():
    lead = a_lead()
    task, _ = claimed()
    asked = ask(task, lead)
    refused(
        "not_yours_to_decide",
        work.grant_approval,
        approval_id=asked.pk,
        user_id=lead.pk,
        **WHEN,
    )


def test_refused_is_told_with_its_reason():
    task, user = claimed()
    lead = a_lead()
    asked = ask(task, user)
    one = {"approval_id": asked.pk, "user_id": lead.pk, **WHEN}
    refused("reason_missing", work.refuse_approval, field="reason", answer=" ", **one)
    work.refuse_approval(answer="pump it out", **one)
    assert (state_of(task), Notice.objects.get(user=user).text) == ("claimed", "pump it out")
    assert ask(task, user).pk != asked.pk  # and may be asked again


def test_who_asked_takes_it_back():
    task, user = claimed()
    asked = ask(task, user)
    one = {"approval_id": asked.pk, "at": LATER}
    refused("not_yours_to_decide", work.withdraw_approval, user_id=a_lead().pk, **one)
    work.withdraw_approval(user_id=user.pk, **one)
    refused("approval_not_open", work.withdraw_approval, user_id=user.pk, **one)


def another_version(task):
    made = ProductVersion.objects.create(product=line_of(task).product_version.product, number=2)
    publish_product_version(version_id=made.pk, at=LONG_AGO + timedelta(days=1))
    return made


def substitute(task, user, version: Any = 2):
    return work.ask_substitution(
        task_id=task.pk, user_id=user.pk, version=version, reason="v1 is sold out", at=LATER
    )


def test_another_version_only_with_the_advocates_word():
    task, user = claimed("1", "version")
    version, advocate = another_version(task), line_of(task).account.advocate
    mine = {"task_id": task.pk, "user_id": user.pk, "at": LATER, "version": "2"}
    refused("evidence_wrong", services.complete_task, field="version", **mine)
    asked = substitute(task, user)
    assert (asked.of_whom, asked.to_version) == (advocate, version)
    assert list(Notice.objects.values_list("user", flat=True)) == [advocate.pk]
    refused("evidence_wrong", services.complete_task, field="version", **mine)
    one = {"approval_id": asked.pk, **WHEN}
    refused("not_yours_to_decide", work.grant_approval, user_id=a_lead().pk, **one)
    terms = line_of(task).terms_id
    work.grant_approval(user_id=advocate.pk, **one)
    services.complete_task(**mine)
    line = line_of(task)
    assert (line.state, line.terms_id) == ("completed", terms)
    assert Evidence.objects.get().product_version == version


@pytest.mark.parametrize("version", [1, "7", "x", "", "9" * 40, "2\0"])
def test_a_substitute_is_another_published_version(version):
    task, user = claimed()
    refused(
        "substitute_unknown", substitute, field="version", task=task, user=user, version=version
    )


def test_the_advocate_who_asks_needs_an_administrator():
    task, _ = claimed()
    another_version(task)
    boss, advocate = a_user("administrator"), line_of(task).account.advocate
    asked = substitute(task, advocate)
    assert list(Notice.objects.values_list("user", flat=True)) == [boss.pk]
    one = {"approval_id": asked.pk, **WHEN}
    refused("not_yours_to_decide", work.grant_approval, user_id=advocate.pk, **one)
    work.grant_approval(user_id=boss.pk, **one)


def test_a_step_that_waits_is_nudged():
    task, _ = claimed()
    lead = a_lead()
    Approval.objects.create(
        kind="step",
        line=task.line,
        order=task.order,
        account=task.account,
        task=task,
        reason="big",
        asked_at=LATER,
    )
    asked = Approval.objects.get()
    before = Outbox.objects.count()
    work.grant_approval(approval_id=asked.pk, user_id=lead.pk, **WHEN)
    assert Outbox.objects.count() == before  # it is no waiting machine's task here
    assert states(task.order)[1] == ["claimed"]
