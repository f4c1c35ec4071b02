"""Forms many notifications are given out in, page by page: NDJSON, CSV, CloudEvents.

A row is a dict as the log tells it (DESIGN §5): JSON values and aware times. Not here: which rows
(`store.export`), and where the bytes go.
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import orjson

from app.notifications.notification import rfc3339

Row = Mapping[str, Any]
Pages = Iterable[Sequence[Row]]

EVENT_TYPE: Final = "tmf-listener.notification."
SEQUENCE_DIGITS: Final = 20
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes a cell that begins so for; see `_cell`."""


class Name(StrEnum):
    """What a form is asked for by."""

    NDJSON = "ndjson"
    CSV = "csv"
    CLOUDEVENTS = "cloudevents"


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its media type, the ending of a file's name, and how pages of rows become bytes.

    `write(pages, fields)`: `fields` are the names each row has, in their order.
    """

    media_type: str
    suffix: str
    write: Callable[[Pages, Sequence[str]], Iterator[bytes]]


def event(row: Row) -> dict[str, Any]:
    """A notification as a CloudEvent 1.0 in the JSON event format.

    `id` is ours, so the same notification is the same event; `sequence` (CloudEvents extension)
    is its place in the log, with leading zeros so that it sorts as text. `time` is when it
    happened, or, where nobody said, when we received it.
    """
    told = {
        "specversion": "1.0",
        "id": row["id"],
        "source": f"/sources/{row['source']}",
        "type": f"{EVENT_TYPE}{row['kind']}",
        "subject": row["order_id"],
        "time": rfc3339(row["occurred_at"] or row["received_at"]),
        "datacontenttype": "application/json",
        "sequence": str(row["seq"]).zfill(SEQUENCE_DIGITS),
        "data": row,
    }
    return {name: value for name, value in told.items() if value is not None}


def readable(raw: bytes | None) -> tuple[str | None, str | None]:
    """Bytes for a JSON document: (text, `utf-8`), (text, `base64`), or twice null for none."""
    if raw is None:
        return None, None
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode("ascii"), "base64"


def _ndjson(pages: Pages, _fields: Sequence[str]) -> Iterator[bytes]:
    """A JSON document a line."""
    for rows in pages:
        yield b"".join(_json(row) + b"\n" for row in rows)


def _cloudevents(pages: Pages, _fields: Sequence[str]) -> Iterator[bytes]:
    """One CloudEvents batch: a JSON array, an event a line."""
    yield b"["
    glue = b"\n"
    for rows in pages:
        for row in rows:
            yield glue + _json(event(row))
            glue = b",\n"
    yield b"\n]\n"


def _csv(pages: Pages, fields: Sequence[str]) -> Iterator[bytes]:
    """RFC 4180 in UTF-8 with a heading; lists and objects as JSON."""
    page = io.StringIO()
    writer = csv.writer(page)
    writer.writerow(fields)
    for rows in pages:
        writer.writerows([_cell(row[name]) for name in fields] for row in rows)
        yield page.getvalue().encode()
        page.seek(0)
        page.truncate()
    yield page.getvalue().encode()


def _cell(value: Any) -> Any:
    """A cell no spreadsheet takes for a formula: an apostrophe before what begins as one."""
    match value:
        case None:
            return ""
        case bool() | dict() | list():
            return _json(value).decode()
        case datetime():
            return rfc3339(value)
        case str() if value.startswith(_FORMULA):
            return f"'{value}"
        case _:
            return value


def _json(value: Any) -> bytes:
    return orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return rfc3339(value)
    raise TypeError(f"no JSON has a {type(value).__name__}")


FORMS: Final[Mapping[Name, Form]] = MappingProxyType(
    {
        Name.NDJSON: Form("application/x-ndjson", "ndjson", _ndjson),
        Name.CSV: Form("text/csv;charset=utf-8", "csv", _csv),
        Name.CLOUDEVENTS: Form("application/cloudevents-batch+json", "json", _cloudevents),
    }
)
