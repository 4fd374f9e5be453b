"""Files are taken, mapped and loaded part by part; counts are right whatever stops a worker."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.db import OperationalError

from o2b import events
from o2b.fsm import law
from o2b.models import Event, Outbox
from subscriptions.models import (
    UsageEvent,
    UsageFile,
    UsageFilePart,
    UsageFileRow,
    UsageMapping,
    UsageRejected,
    UsageTotal,
)
from subscriptions.usage.files import services
from subscriptions.usage.files.services import loading, uploading
from subscriptions.usage.files.services.loading import FileNotReady
from subscriptions.usage.files.services.mapping import MappingRefused
from subscriptions.usage.files.sheet import FileRefused
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, by_meter, totals
from tests.subscriptions.usage.files.build import (
    HEADER,
    NOW,
    a_mapping,
    asterisk,
    body,
    counts,
    freeswitch,
    loaded,
    mapped,
    plain,
    rows,
    uploaded,
    uuid,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def subject(world: World) -> str:
    """Whose calls they are."""
    a_meter("calls", unit="s")
    return a_metered_service(world, by_meter("calls")).number


def test_law() -> None:
    assert law(UsageFile) == {
        ("uploaded", "start", "running"),
        ("stopped", "start", "running"),
        ("failed", "start", "running"),
        ("running", "stop", "stopped"),
        ("running", "fail", "failed"),
        ("running", "finish", "done"),
    }


def test_asterisk(subject: str) -> None:
    file = loaded(
        body(
            asterisk(subject, 61, "1770645600.1"),
            asterisk(subject, 0, "1770645600.2", "NO ANSWER"),
            asterisk(subject, 61, "1770645600.1"),
            asterisk("nobody", 5, "1770645600.3"),
        )
    )
    assert (file.shape, file.state, file.rows) == ("asterisk", "done", 4)
    assert counts(file) == {"accepted": 1, "duplicate": 1, "pending": 1, "skipped": 1}
    assert [row[:4] for row in rows(file)] == [
        (1, "1770645600.1", "accepted", ""),
        (2, "1770645600.2", "skipped", "not_counted"),
        (3, "1770645600.1", "duplicate", ""),
        (4, "1770645600.3", "pending", "unknown_subject"),
    ]
    assert rows(file)[1][4] == "“disposition” is “NO ANSWER”."
    assert totals() == [("2026-02-09", "", "61", 1)]
    assert UsageEvent.objects.get().properties == {"dst": "4930222"}
    assert not UsageFilePart.objects.exists()


def test_freeswitch(subject: str) -> None:
    file = loaded(
        body(
            freeswitch(subject, 61, uuid(1)),
            freeswitch(subject, 0, uuid(2), "NO_ANSWER"),
            # a name with a quote that nobody doubled
            freeswitch(subject, 5, uuid(3)).replace('"Ann"', '"An "x" n"'),
            # and one that moves every column
            freeswitch(subject, 5, uuid(4)).replace('"Ann"', '"A","n"'),
        )
    )
    assert file.shape == "freeswitch"
    assert [row[1:4] for row in rows(file)] == [
        (uuid(1), "accepted", ""),
        (uuid(2), "skipped", "zero"),
        (uuid(3), "accepted", ""),
        ("", "rejected", "wrong_width"),
    ]
    assert totals() == [("2026-02-09", "", "66", 2)]


def test_plain(subject: str) -> None:
    file = loaded(
        body(
            HEADER,
            plain(subject, "61,5", "a"),
            "",
            plain(subject, "1,2,3", "b"),
            plain(subject, "1", "c", "soon"),
            plain(subject, "7", "d", "09.02.2027 10:00:00"),
        ),
        zone="Europe/Berlin",
    )
    assert (file.shape, file.delimiter) == ("plain", ";")
    assert rows(file) == [
        (2, "a", "accepted", "", ""),
        (4, "b", "rejected", "no_number", "“seconds”: “1,2,3” is no number of this form."),
        (5, "c", "rejected", "no_time", "“time”: “soon” is no time of this form."),
        (6, "d", "rejected", "in_the_future", rows(file)[3][4]),
    ]
    assert rows(file)[3][4].startswith("“time”: It lies in the future")
    assert UsageEvent.objects.get().at.isoformat() == "2026-02-09T13:00:04+00:00"
    kept = UsageRejected.objects.order_by("pk")
    assert [(each.key, each.field) for each in kept] == [
        ("b", "value"),
        ("c", "time"),
        ("d", "time"),
    ]
    assert '"file": "calls.csv", "row": 4' in kept[0].told


def test_the_same_file_again_counts_nothing(subject: str) -> None:
    data = body(HEADER, plain(subject, "61", "a"), plain(subject, "5", "b"))
    loaded(data)
    other = body(HEADER, plain(subject, "61", "a"), plain(subject, "6", "b"))
    assert counts(loaded(data)) == {"duplicate": 2}
    assert [row[4] for row in rows(loaded(other))] == [
        "An event of this id was taken before.",
        "An event of this id was taken before, and said something else.",
    ]
    assert totals() == [("2026-02-09", "", "66", 2)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The file is empty."),
        (b"\n\n", "The file has no rows."),
        (b"id,time\n", "The file has a header, and no rows."),
        (b"id\n1\n", "Row 1: One column only"),
        (b"id,,time\n1,2,3\n", "Row 1, column 2: The header has no name."),
        (b"id,time,ID\n1,2,3\n", "Row 1, column ID: The header names it twice."),
        (b"1,2,3\n4,5,6\n", "Row 1: The first row names the columns"),
        (b"id,time\n1,a\0b\n", "Row 2, column time: It holds a NUL."),
        (b"id,time\n1,2\n3,\xe4\n", "Row 3, column 2: It is no UTF-8: choose Latin-1"),
        (b"id,time\n1," + b"x" * 1_100_000 + b"\n", "Row 2, column 2: A cell has at most 32,767"),
        (b"id,time\n1," + b"x" * 40_000 + b"\n", "Row 2, column 2: A cell has at most 32,767"),
        (b'id,time\n1,"a\n' + b"b\n" * 400, "Row 2: A quote that begins here is not closed."),
        (b"PK\x03\x04rest", "This is a file of kind XLSX: send CSV."),
        (b"\xff\xfei\0d\0", "The file is UTF-16 text: save it as CSV UTF-8."),
    ],
)
def test_files_that_cannot_be_read(data: bytes, message: str) -> None:
    with pytest.raises(FileRefused) as caught:
        uploaded(data)
    assert caught.value.message.startswith(message)
    assert caught.value.field == "file"
    assert not UsageFile.objects.exists()


def test_latin_1_is_read_where_it_is_chosen(subject: str) -> None:
    data = "id,subject,time,seconds,who\nä,x,2026-02-09 10:00:00,1,Jörg\n".encode("latin-1")
    with pytest.raises(FileRefused) as caught:
        uploaded(data)
    assert caught.value.reason == "encoding"
    assert caught.value.extra["row"] == 2
    file = uploaded(data, encoding="latin-1")
    assert uploading.zlib.decompress(bytes(file.parts.get().body)).decode().count("Jörg") == 1


def test_a_shape_that_is_said_must_fit() -> None:
    with pytest.raises(FileRefused, match="Row 1: It has 4 cells"):
        uploaded(body(HEADER, plain("x", "1", "a")), shape="asterisk")


def test_a_killed_worker_goes_on_where_it_was(
    subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "AT_ONCE", 2)
    monkeypatch.setattr(loading, "IN_THE_DOOR", 0)
    file = mapped(body(HEADER, *(plain(subject, "1", f"e{n}") for n in range(5))))
    services.start_file(file_id=file.pk, at=NOW, by_id=None)
    assert list(Outbox.objects.values_list("task", "key")) == [
        ("subscriptions.take_usage_file", file.pk)
    ]
    assert services.take_part(file_id=file.pk, at=NOW)
    write = loading.write_all

    def dying(rows: Any) -> Any:
        write(rows)
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(loading, "write_all", dying)
    with pytest.raises(OperationalError):
        services.take_part(file_id=file.pk, at=NOW)
    file.refresh_from_db()
    assert (file.state, counts(file)) == ("running", {"accepted": 2})
    assert totals() == [("2026-02-09", "", "2", 2)]
    monkeypatch.setattr(loading, "write_all", write)
    owed = [Outbox.objects.get().pk]
    assert services.take_part(file_id=file.pk, at=NOW, owed=owed)
    assert not services.take_part(file_id=file.pk, at=NOW, owed=owed)
    file.refresh_from_db()
    assert (file.state, counts(file)) == ("done", {"accepted": 5})
    assert totals() == [("2026-02-09", "", "5", 5)]
    assert not Outbox.objects.exists()
    assert not services.take_part(file_id=file.pk, at=NOW)
    assert Event.objects.filter(name="usage_file.done").get().facts["accepted"] == 5


def test_a_worker_loads_what_is_owed(subject: str) -> None:
    file = mapped(body(HEADER, *(plain(subject, "1", f"e{n}") for n in range(501))))
    services.start_file(file_id=file.pk, at=NOW, by_id=None)
    assert (UsageFile.objects.get().state, Outbox.objects.count()) == ("running", 1)
    events.drain()
    assert not Outbox.objects.exists()
    assert (UsageFile.objects.get().state, counts(UsageFile.objects.get())) == (
        *("done", {"accepted": 501}),
    )


def test_what_nobody_foresaw_fails_the_file_and_it_can_go_on(
    subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "IN_THE_DOOR", 0)
    file = mapped(body(HEADER, plain(subject, "1", "a")))
    services.start_file(file_id=file.pk, at=NOW, by_id=None)
    take = loading.take_usage
    monkeypatch.setattr(loading, "take_usage", lambda events, at: 1 / 0)
    assert not services.take_part(file_id=file.pk, at=NOW, owed=[Outbox.objects.get().pk])
    file.refresh_from_db()
    assert (file.state, file.problem) == ("failed", "ZeroDivisionError: division by zero")
    assert not Outbox.objects.exists()
    monkeypatch.setattr(loading, "take_usage", take)
    services.start_file(file_id=file.pk, at=NOW, by_id=None)
    assert not services.take_part(file_id=file.pk, at=NOW)
    file.refresh_from_db()
    assert (file.state, file.problem, counts(file)) == ("done", "", {"accepted": 1})


def test_a_file_is_stopped_and_goes_on(subject: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "AT_ONCE", 1)
    monkeypatch.setattr(loading, "IN_THE_DOOR", 0)
    file = mapped(body(HEADER, plain(subject, "1", "a"), plain(subject, "1", "b")))
    services.start_file(file_id=file.pk, at=NOW, by_id=None)
    with pytest.raises(FileNotReady):
        services.start_file(file_id=file.pk, at=NOW, by_id=None)
    assert services.take_part(file_id=file.pk, at=NOW)
    services.stop_file(file_id=file.pk, at=NOW, by_id=None)
    assert not services.take_part(file_id=file.pk, at=NOW)
    file.refresh_from_db()
    assert (file.state, counts(file)) == ("stopped", {"accepted": 1})
    with pytest.raises(FileNotReady):
        services.stop_file(file_id=file.pk, at=NOW, by_id=None)
    services.start_file(file_id=file.pk, at=NOW, by_id=None)
    assert not services.take_part(file_id=file.pk, at=NOW)
    file.refresh_from_db()
    assert (file.state, counts(file)) == ("done", {"accepted": 2})
    with pytest.raises(FileNotReady, match="upload it again"):
        services.start_file(file_id=file.pk, at=NOW, by_id=None)


def test_a_mapping_must_fit_and_say_the_zone(subject: str) -> None:
    file = uploaded(body(HEADER, plain(subject, "1", "a")))
    with pytest.raises(FileNotReady, match="how its columns are read"):
        services.start_file(file_id=file.pk, at=NOW, by_id=None)
    for given, field in (
        ({"value": "minutes"}, "value"),
        ({"meter": ""}, "meter"),
        ({"time_format": "dots", "time_zone": ""}, "time_zone"),
    ):
        with pytest.raises(MappingRefused) as caught:
            services.map_file(file_id=file.pk, mapping=a_mapping(**given), at=NOW, by_id=None)
        assert caught.value.field == field
    file.refresh_from_db()
    assert file.mapping == {}


def test_a_mapping_is_kept_and_loads_the_next_file_at_once(subject: str) -> None:
    file = uploaded(body(HEADER, plain(subject, "1", "a")))
    said = a_mapping(time_format="dots")
    for _again in range(2):
        services.map_file(file_id=file.pk, mapping=said, at=NOW, by_id=None, keep_as=" Calls ")
    assert UsageMapping.objects.get().name == "Calls"
    data = body(HEADER, plain(subject, "5", "b"))
    taken = uploaded(data, mapping_name="Calls")
    assert (taken.state, counts(taken)) == ("done", {"accepted": 1})
    with pytest.raises(uploading.MappingUnknown):
        uploaded(data, mapping_name="Other")
    with pytest.raises(MappingRefused):
        uploaded(b"id,subject,when,seconds\nx,y,z,1\n", mapping_name="Calls")
    assert UsageFile.objects.count() == 2


def test_what_nobody_loads_is_thrown_away_and_results_of_long_ago(subject: str) -> None:
    data = body(HEADER, plain(subject, "1", "a"))
    forgotten, done = uploaded(data), loaded(data)
    later = uploaded(data, at=NOW + timedelta(days=2))
    assert not UsageFile.objects.filter(pk=forgotten.pk).exists()
    assert UsageFileRow.objects.filter(file=done).count() == 1
    services.discard_files(at=NOW + timedelta(days=91))
    assert not UsageFileRow.objects.exists()
    assert set(UsageFile.objects.values_list("pk", flat=True)) == {done.pk}
    assert not UsageFilePart.objects.filter(file=later).exists()


def test_many_rows(subject: str) -> None:
    data = body(HEADER, *(plain(subject, "1", f"e{n}") for n in range(12_000)))
    file = uploaded(data)
    assert file.parts.count() == 3
    services.map_file(file_id=file.pk, mapping=a_mapping(time_format="dots"), at=NOW, by_id=None)
    services.start_file(file_id=file.pk, at=NOW, by_id=None)
    assert services.take_part(file_id=file.pk, at=NOW)
    file.refresh_from_db()
    assert (file.taken, file.rows) == (5_000, 12_000)
    while services.take_part(file_id=file.pk, at=NOW):
        pass
    file.refresh_from_db()
    assert (file.state, counts(file)) == ("done", {"accepted": 12_000})
    assert totals() == [("2026-02-09", "", "12000", 12_000)]


def test_the_stream_may_have_been_read(subject: str) -> None:
    stream = BytesIO(body(HEADER, plain(subject, "1", "a")))
    stream.read()
    file = services.take_file(stream=stream, file_name="../a/b\0.csv", at=NOW, by_id=None)
    assert (file.file_name, file.rows, file.size) == ("b.csv", 1, len(stream.getvalue()))


def test_rows_correct_events_and_name_their_account(world: World) -> None:
    a_meter("calls", unit="s")
    item = a_metered_service(world, by_meter("calls"))
    whose, at = item.account.reference, "09.02.2026 14:00:04"
    data = body(
        f"{HEADER};account;replaces;retracts",
        f"a;{item.number};{at};10;{whose};;",
        f"b;{item.number};{at};20;A-none;;",
        f"c;{item.number};{at};30;;a;",
        f"d;{item.number};{at};40;{whose};;",
        f"e;;;;{whose};;d",
    )
    file = loaded(data)
    assert counts(file) == {"accepted": 4, "rejected": 1}
    assert [(key, code) for _, key, status, code, _ in rows(file) if status == "rejected"] == [
        ("b", "other_account")
    ]
    assert [(row.quantity, row.count) for row in UsageTotal.objects.all()] == [(30, 1)]
