"""What Tjänsteguiden's methods told: entries, a person, and whether a command was carried out.

The forms of order_info and order_log are not public (~): the fields of `response`, of its `order`,
or of its repeated `log`, `entry` or `message`. Source: seed 001, facts/wire.md §4, DESIGN §13.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from app import errors
from app.notifications.notification import Attention, Fault, Kind, Notification
from app.sources import base, fields, paging
from app.sources.tjansteguiden import answers, calls, turns, words
from app.sources.tjansteguiden.answers import Answer

LINE_NAMES: Final = ("log", "entry", "message", "row")  # ~
PERSON_PARTS: Final = ("customer", "data")
FAILED: Final = "Automatisk hantering av ordern misslyckades; vi följer upp den manuellt."
"""What the operator is told of an order we could not take over (`tell_failures`)."""

LOGIN_OR_RATE: Final = frozenset({401, 403, 429})
RETRY: Final = timedelta(minutes=1)

_SUCCESS: Final = range(200, 300)
SERVER_ERROR: Final = 500
_TROUBLE: Final = range(SERVER_ERROR, 600)
_TOO_MANY: Final = 429


# ── what was told ────────────────────────────────────────────────────────────────────────────────


def _order_of(answer: Answer) -> dict[str, Any]:
    """The order an order_info tells of."""
    rows = answers.listed(answer.response.get("order"))
    told = rows[0] if len(rows) == 1 else answer.response
    return told if isinstance(told, dict) else {}


def status_of(answer: Answer) -> str | None:
    """The status an order_info tells, if it does (~)."""
    return words.text_of(_order_of(answer), "status")


def info(answer: Answer, order_id: str) -> list[base.Entry]:
    """The status (as a row of orders) and the rest. Raises `errors.SenderFault`."""
    told = _order_of(answer)
    if not told:
        raise errors.SenderFault("the order_info tells nothing")
    row = words.status_row(order_id, told)
    bodies = [row] if row is not None else []
    return [_entry(body) for body in [*bodies, words.entry(words.INFO, order_id, told)]]


def log(answer: Answer, order_id: str) -> list[base.Entry]:
    """The lines of a log, as they were listed."""
    return [_line(line, order_id) for line in _lines(answer)]


def _lines(answer: Answer) -> list[Any]:
    """The lines of a log. Raises `errors.SenderFault` for what is none: an empty one says so."""
    name = next((name for name in LINE_NAMES if name in answer.response), None)
    if name is not None:
        return answers.listed(answer.response[name])
    if not answer.told:
        raise errors.SenderFault("the answer is no order_log")
    return []


def _line(line: Any, order_id: str) -> base.Entry:
    fault = None if isinstance(line, dict) else Fault("entry", "has no fields", "a log line")
    return _entry(words.entry(words.LOG, order_id, line), fault)


def _entry(body: bytes, fault: Fault | None = None) -> base.Entry:
    return base.Entry(body, paging.JSON, fault=fault)


def personal(answer: Answer) -> dict[str, str]:
    """The fields of a person, in the operator's names; of a name that comes twice the first."""
    told: dict[str, str] = {}
    for part in (*(answer.response.get(name) for name in PERSON_PARTS), answer.response):
        if isinstance(part, dict):
            for name in part:
                value = words.text_of(part, name)
                if value is not None:
                    told.setdefault(name, value)
    return told


# ── what follows ─────────────────────────────────────────────────────────────────────────────────


def follow_ups(feed: calls.TjansteguidenFeed, notification: Notification) -> tuple[base.Step, ...]:
    """What a notification asks us to do at the operator, in order."""
    if notification.attention is Attention.FOLLOW_UP:
        return _complaint(feed, notification)
    if (notification.event_type, notification.kind) != (words.ORDERS, Kind.CREATED):
        return ()
    steps = [base.Step(name, {}, changes_state=False) for name in (words.INFO, calls.CUSTOMER)]
    is_new = _status(notification) == words.NEW
    if feed.write_back == "on_commit" and is_new:
        told = {"status": words.RECEIVED}
        steps.append(base.Step(calls.SET_STATUS, told, changes_state=True))
    return tuple(steps)


def overtaken(command: str, told: Notification, latest: Notification) -> bool:
    """Whether the order has gone on since `told`, so that a status that answers it is too late."""
    return command == calls.SET_STATUS and _status(latest) != _status(told)


def _status(notification: Notification) -> str:
    return (notification.raw_state or "").casefold()


def _complaint(feed: calls.TjansteguidenFeed, notification: Notification) -> tuple[base.Step, ...]:
    """A message on an order whose chain failed; none about a message that failed itself."""
    about = str(notification.summary.get("message", ""))
    if feed.tell_failures == "off" or about.startswith(calls.ADD_MESSAGE):
        return ()
    told = {"type": feed.tell_failures, "message": FAILED}
    return (base.Step(calls.ADD_MESSAGE, told, changes_state=True),)


# ── what became of a command ─────────────────────────────────────────────────────────────────────


def result(command: str, status: int, body: bytes, order_id: str | None) -> base.CommandResult:
    """What an answer to a command says. Raises `errors.StaleGrant`: it was not carried out."""
    if status == _TOO_MANY:
        return base.Throttled(RETRY)
    if status not in _SUCCESS:
        return base.Failed(f"it was answered {status}", again=status in _TROUBLE)
    try:
        answer = answers.whole(iter([body]))
        return _told(command, answer, order_id)
    except errors.StaleGrant:
        raise
    except errors.SenderFault as fault:
        refused = str(fault).startswith("the operator answers")
        return base.Failed(str(fault), again=not refused)


def _told(command: str, answer: Answer, order_id: str | None) -> base.Done:
    order_id = order_id or words.text_of(_order_of(answer), "id")
    if command == calls.CUSTOMER:
        return base.Done(personal=personal(answer))
    if command in {words.INFO, words.LOG}:
        if order_id is None:
            raise errors.SenderFault(f"the {command} names no order")
        read = info if command == words.INFO else log
        return base.Done(entries=tuple(read(answer, order_id)))
    if not answer.told:
        raise errors.SenderFault(f"the answer does not tell what became of {command}")
    return base.Done(words.text_of(answer.response, "message"))


def was_done(
    command: str, arguments: Mapping[str, Any], body: bytes, since: datetime, zone: ZoneInfo
) -> bool | None:
    """Whether a log has the line that `command` leaves, since; null where it cannot be told.

    Raises `errors.SenderFault` for what is no log: a maintenance page tells nothing either way.
    """
    lines = _lines(answers.whole(iter([body])))
    earliest = turns.earliest_of(since)
    undated = False
    for line in lines:
        if not _is_line_of(command, arguments, words.text_of(line, "message")):
            continue
        at = turns.moment_of(words.text_of(line, "date"), zone)
        if at is not None and at >= earliest:
            return True
        undated = undated or at is None
    return None if undated else False


def _is_line_of(command: str, arguments: Mapping[str, Any], message: str | None) -> bool:
    if message is None:
        return False
    if command == calls.SET_STATUS:
        return is_status_line(message, str(arguments.get("status")))
    return fields.same_words(message, str(arguments.get("message")))


def is_status_line(message: str, status: str) -> bool:
    """Whether a log line tells of a change to `status` (~: `Status changed to received …`)."""
    said = message.casefold().split()
    return "status" in said and status.casefold() in said


def is_echo(notification: Notification, act: base.OwnAct) -> bool:
    """Whether `notification` tells of what we did ourselves."""
    if act.order_id != notification.order_id or act.text is None:
        return False
    if notification.event_type == words.ORDERS:
        return act.action == calls.SET_STATUS and notification.raw_state == act.text
    if not notification.event_type.startswith(words.LOG):
        return False
    message = str(notification.summary.get("message", ""))
    if act.action == calls.SET_STATUS:
        return is_status_line(message, act.text)
    sent = str(fields.kept(message=act.text.strip()).get("message", ""))
    return act.action == calls.ADD_MESSAGE and fields.same_words(message, sent)
