"""The forms notifications are given out in, against the documents of each form."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from app.notifications import forms

AT = datetime(2026, 11, 20, 12, 0, 0, 5, tzinfo=UTC)
FIELDS = ("seq", "id", "source", "kind", "order_id", "occurred_at", "received_at", "summary")
ROW = {
    "seq": 7,
    "id": "0198",
    "source": "orange",
    "kind": "created",
    "order_id": "PO-1",
    "occurred_at": None,
    "received_at": AT,
    "summary": {"message": 'He said "no",\nå'},
}
TOLD = {**ROW, "received_at": "2026-11-20T12:00:00.000005Z"}


def written(name, *pages, fields=FIELDS):
    return b"".join(forms.FORMS[name].write(pages, fields)).decode()


def test_ndjson_is_a_document_a_line():
    lines = written("ndjson", [ROW, ROW], [ROW]).splitlines()
    assert [json.loads(line) for line in lines] == [TOLD] * 3


def test_csv_has_a_heading_and_gives_back_what_was_put_in():
    heading, row = csv.reader(io.StringIO(written("csv", [ROW]), newline=""))
    assert heading == list(FIELDS)
    assert row[:5] == ["7", "0198", "orange", "created", "PO-1"]
    assert row[5:7] == ["", "2026-11-20T12:00:00.000005Z"]
    assert json.loads(row[7]) == ROW["summary"]


@pytest.mark.parametrize("start", "=+-@\t\r")
def test_no_cell_is_a_formula(start):
    told = written("csv", [{"id": f"{start}HYPERLINK()"}], fields=("id",))
    assert list(csv.reader(io.StringIO(told, newline="")))[1] == [f"'{start}HYPERLINK()"]


# CloudEvents 1.0.2 §3.1: id, source, specversion, type are required; JSON format §4: a batch is an
# array; extension `sequence`: a text that sorts as the events do
def test_a_batch_is_an_array_of_cloudevents():
    found = json.loads(written("cloudevents", [ROW], [{**ROW, "order_id": None}]))
    assert found[0] == {
        "specversion": "1.0",
        "id": "0198",
        "source": "/sources/orange",
        "type": "tmf-listener.notification.created",
        "subject": "PO-1",
        "time": "2026-11-20T12:00:00.000005Z",
        "datacontenttype": "application/json",
        "sequence": "00000000000000000007",
        "data": TOLD,
    }
    assert "subject" not in found[1]


def test_the_time_of_an_event_is_when_it_happened():
    assert forms.event({**ROW, "occurred_at": datetime(2026, 11, 19, tzinfo=UTC)})["time"] == (
        "2026-11-19T00:00:00.000000Z"
    )


@pytest.mark.parametrize(("name", "empty"), [("ndjson", ""), ("cloudevents", "[\n]\n")])
def test_nothing_is_nothing_in_form(name, empty):
    assert written(name) == empty


def test_of_nothing_csv_has_the_heading():
    assert written("csv") == ",".join(FIELDS) + "\r\n"


@pytest.mark.parametrize(
    ("raw", "told"),
    [(b"\xc3\xa5", ("å", "utf-8")), (b"\xff", ("/w==", "base64")), (None, (None, None))],
)
def test_bytes_are_text_where_they_can_be(raw, told):
    assert forms.readable(raw) == told
