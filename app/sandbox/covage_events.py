"""Covage's events: the type each step makes, its data, both shapes, and the log they stand in.

An event is kept as a small record; its data is a function of the seed and the record. Times are
whole microseconds since 1970 (UTC). Source: seed 002, facts/wire.md §5. Not here: HTTP (`covage`).
"""

from __future__ import annotations

import base64
import json
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.sandbox import chance
from app.sandbox.scenario import Step

TYPES: Final[Mapping[Step, str]] = {
    Step.SUBMITTED: "order-submitted",
    Step.DROPPED: "order-dropped",
    Step.ACKNOWLEDGED: "order-acknowledged",
    Step.RUNNING: "order-running",
    Step.REJECTED: "order-rejected",
    Step.ACCESS_SATURATED: "order-localloop-saturation",
    Step.RELIEF_QUOTED: "order-localloop-desaturation-quote-emitted",
    Step.RELIEF_ACCEPTED: "order-localloop-desaturation-quote-accepted",
    Step.ACCESS_RELIEF_PLANNED: "order-localloop-desaturation-planned",
    Step.NETWORK_SATURATED: "order-network-saturation",
    Step.NETWORK_RELIEF_PLANNED: "order-network-desaturation-planned",
    Step.REQUALIFIED: "order-requalified",
    Step.APPOINTMENT_AGREED: "order-appointment-agreed",
    Step.APPOINTMENT_CONFIRMED: "order-appointment-confirmed",
    Step.APPOINTMENT_DECLINED: "order-appointment-declined",
    Step.APPOINTMENT_MISSED: "order-appointment-missed",
    Step.APPOINTMENT_DEFERRED: "order-appointment-deferred",
    Step.ACCESS_SENSITIVE: "order-sensibleaccess",
    Step.ACCESS_CONFIRMED: "order-sensibleaccess-orderconfirmed",
    Step.DELAYED: "order-delayed",
    Step.DELAY_CONFIRMED: "order-delayed-orderconfirmed",
    Step.PROVIDER_NOTE: "order-information-from-provider",
    Step.NOTE: "order-info",
    Step.VISIT_SUCCEEDED: "order-on-site-intervention-succeeded",
    Step.VISIT_FAILED: "order-on-site-intervention-failed",
    Step.REPORT: "CRI",
    Step.CANCELLED: "order-cancelled",
    Step.COMPLETED: "order-completed",
    Step.SERVICE_ACTIVATED: "service-activated",
    Step.SERVICE_TERMINATED: "service-terminated",
    Step.SERVICE_MODIFIED: "service-modified",
    Step.SERVICE_UPDATED: "service-updated",
    Step.SERVICE_SLAMMED: "service-slammed",
    Step.SERVICE_NOTE: "service-info",
}
"""All 34 types of seed 002."""

SECOND: Final = 1_000_000
LATEST: Final = 30 * 60 * SECOND
"""How far behind the newest event a late one may appear, in microseconds."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RUN: Final = 5


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its place in the log is its name. `own` is the data a client sent."""

    order: int
    type: str
    created: int
    occurred: int
    malformed: bool = False
    lag: int = 0
    own: Mapping[str, Any] | None = None

    @property
    def object_type(self) -> str:
        """What it is about: order or service."""
        return "service" if self.type.startswith("service-") else "order"


class Log:
    """Events by the time of their creation, which never falls.

    An event with a `lag` (microseconds) stays unseen until the newest event is that much newer, or
    a reader has read to the newest there is to see.
    """

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._created = array("q")
        self._late: list[int] = []
        self._run = 0

    def __len__(self) -> int:
        """How many events there are."""
        return len(self._events)

    def __getitem__(self, place: int) -> Event:
        """The event at `place`."""
        return self._events[place]

    def next_creation(self, moment: int, *, equal: bool) -> int:
        """When the next event is created: at `moment`, but later than the one before.

        With `equal` at the same microsecond as that (no more than five in a row).
        """
        before = self._created[-1] if self._created else 0
        if equal and before and self._run < _RUN - 1:
            self._run += 1
            return before
        self._run = 0
        return max(moment, before + 1)

    def append(self, event: Event) -> int:
        """One event more; gives its place."""
        self._events.append(event)
        self._created.append(event.created)
        if event.lag:
            self._late.append(len(self._events) - 1)
        return len(self._events) - 1

    def hidden(self) -> frozenset[int]:
        """The places nobody sees yet."""
        if not self._late:
            return frozenset()
        newest = self._created[-1]
        self._late = [p for p in self._late if self._created[p] + self._events[p].lag > newest]
        return frozenset(self._late)

    def read(self, last: int | None) -> None:
        """Note that a reader was given all up to place `last` (None: nothing).

        Was that the newest to be seen, then what is hidden appears: behind the reader's back.
        """
        hidden = self.hidden()
        seen = (p for p in range(len(self._events) - 1, -1, -1) if p not in hidden)
        if last is None or last >= next(seen, 0):
            self._late.clear()

    def window(self, after: int | None, *, falls: bool) -> range:
        """The places later (with `falls` earlier) than the moment `after`, oldest first."""
        if after is None:
            return range(len(self._events))
        if falls:
            return range(bisect_left(self._created, after))
        return range(bisect_right(self._created, after), len(self._events))


class Wording:
    """How an event is written down. `zone`: of the old shape's zoneless times."""

    def __init__(self, seed: int, shape: str, zone: str) -> None:
        self._seed = seed
        self._shape = shape
        self._zone = ZoneInfo(zone)

    def is_old(self, order: int) -> bool:
        """Whether that order's events have the shape of seed 002."""
        return self._shape == "old" or (self._shape == "both" and order % 2 == 0)

    def object_uuid(self, order: int, object_type: str) -> str:
        """The identifier of the order, or of the service it made; the old shape has both forms."""
        if self.is_old(order) and order % 3:
            return chance.letters(8, self._seed, object_type, order)
        return chance.uuid(self._seed, object_type, order)

    def alias(self, order: int, object_type: str) -> str:
        """`O170331_12004`: the name people use."""
        day = 1 + chance.number(self._seed, "day", order) % 28
        return f"{object_type[0].upper()}2503{day:02d}_{10_000 + order % 90_000:05d}"

    def event_uuid(self, place: int, order: int) -> str:
        """The event's identifier: eight signs (unique among 1.6 million), or a UUID."""
        if self.is_old(order):
            return chance.letters(4, self._seed, "event", place) + _four(place * 7919 + self._seed)
        return chance.uuid(self._seed, "event", place)

    def time(self, moment: int, order: int, *, malformed: bool = False) -> str:
        """`2017-05-09T15:59:55.669742`, in the new shape with Z; or as the seed's worst sample."""
        utc = _EPOCH + timedelta(microseconds=moment)
        if not self.is_old(order):
            return f"{utc:%Y-%m-%dT%H:%M:%S.%f}Z"
        local = utc.astimezone(self._zone)
        if malformed:
            return f"{local:%Y-%m-%dT%H}:{local.minute}:{local:%S} AM.{local:%f}"
        return f"{local:%Y-%m-%dT%H:%M:%S.%f}"

    def sort_value(self, moment: int, order: int) -> str:
        """base64 of a JSON array that holds the time sorted by, as written in the event."""
        shown = self.time(moment, order)
        local = (_EPOCH + timedelta(microseconds=moment)).astimezone(self._zone)
        if local.fold and self.is_old(order):
            shown = local.isoformat(timespec="microseconds")
        return base64.b64encode(json.dumps([shown]).encode()).decode()

    def moment_of(self, sort_value: str) -> int | None:
        """The time a sort value holds; None where it is none."""
        try:
            (text,) = json.loads(base64.b64decode(sort_value, validate=True))
            found = datetime.fromisoformat(text)
        except (ValueError, TypeError):
            return None
        return microseconds(found if found.tzinfo else found.replace(tzinfo=self._zone))

    def written(self, place: int, event: Event, sign: Callable[[str], str]) -> dict[str, Any]:
        """The event as it is sent, without `sort_value`; `sign` turns a file's path into a URL."""
        order, old = event.order, self.is_old(event.order)
        data = event.own if event.own is not None else self._data(event, sign)
        written: dict[str, Any] = {
            "model": "event",
            "creation_date": self.time(event.created, order),
            "modification_date": self.time(event.created, order),
            "event_uuid": self.event_uuid(place, order),
            "type": event.type,
            "object_type": event.object_type,
            "object_uuid": self.object_uuid(order, event.object_type),
            "event_date": self.time(event.occurred, order, malformed=event.malformed),
            "data": data,
        }
        if not old:
            del written["model"]
            written["object_alias"] = self.alias(order, event.object_type)
            written["data"] = data or {}
        return written

    def _data(self, event: Event, sign: Callable[[str], str]) -> dict[str, Any] | None:
        make = _DATA.get(event.type)
        return make(self, event, sign) if make else None

    def file_path(self, order: int) -> str:
        """`/pvi/<order alias>/<work order alias>/Public/<file>`: where a report is."""
        return f"/pvi/{self.alias(order, 'order')}/{self.alias(order, 'work')}/Public/report.pdf"

    def draw(self, what: str, order: int) -> int:
        """A number of 64 bits that belongs to the order."""
        return chance.number(self._seed, what, order)


def _four(value: int) -> str:
    """Four signs for `value` modulo 36⁴ = 1 679 616."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return "".join(digits[value // 36**power % 36] for power in (3, 2, 1, 0))


Data = Callable[[Wording, Event, Callable[[str], str]], dict[str, Any]]


def _appointment(wording: Wording, event: Event, _: Callable[[str], str]) -> dict[str, Any]:
    day = event.created // (86_400 * SECOND) + 2
    start = day * 86_400 * SECOND + (8 + wording.draw("hour", event.order) % 8) * 3600 * SECOND
    shown, ends = (
        wording.time(moment, event.order, malformed=event.malformed)
        for moment in (start, start + 2 * 3600 * SECOND)
    )
    fibre = wording.draw("fibre", event.order) % 3 == 0
    return {"start_date": shown, "end_date": None if fibre else ends}


def _completed(wording: Wording, event: Event, _: Callable[[str], str]) -> dict[str, Any]:
    return {
        "endpoints": [
            {"type": "access", "identifier": f"PTO-{wording.draw('socket', event.order):016X}"[:14]}
        ],
        "service_uuid": wording.object_uuid(event.order, "service"),
        "service_alias": wording.alias(event.order, "service"),
    }


def _fixed(**data: Any) -> Data:
    return lambda _wording, _event, _sign: dict(data)


_DATA: Final[Mapping[str, Data]] = {
    "order-submitted": lambda wording, event, _: {
        "kosc_order_ref": wording.alias(event.order, "order")
    },
    "order-completed": _completed,
    "order-appointment-agreed": _appointment,
    "order-on-site-intervention-succeeded": _fixed(message="Line installed and measured"),
    "order-on-site-intervention-failed": _fixed(message="Nobody was at home"),
    "order-appointment-deferred": _fixed(message="The technician was taken ill"),
    "order-rejected": _fixed(
        reject_reason="ar_ko",
        reject_code="CDE_ANNUL",
        reject_subcode="CLI003",
        reject_description=None,
    ),
    "order-cancelled": _fixed(reason="sensible access"),
    "order-localloop-desaturation-planned": _fixed(desaturation_type="LL_FREE_DESAT"),
    "order-info": _fixed(message="The end customer asks for the morning"),
    "order-information-from-provider": _fixed(
        message="The order is awaiting the activation status report (OK or NOK)",
        description="Activation Status Report",
    ),
    "CRI": lambda wording, event, sign: {"fichier 1": sign(wording.file_path(event.order))},
}
