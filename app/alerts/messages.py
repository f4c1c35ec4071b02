"""What an alert says: as JSON for a webhook, as text for people. Pure; without personal data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Final, Literal

from app.notifications.notification import rfc3339
from app.store import alerts

WORDS: Final = {
    "alarm": "orders raise an alarm",
    "buyer_action": "orders wait for us to act",
    "follow_up": "orders need following up",
    "silent": "orders are silent",
    "trouble": "the source is in trouble",
    "test": "this is a test",
}
"""Each severity in words; a number goes before those about orders (`counted`)."""

ONE: Final = {
    "alarm": "order raises an alarm",
    "buyer_action": "order waits for us to act",
    "follow_up": "order needs following up",
    "silent": "order is silent",
}
"""The same of one order."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is told. `id` is the same however often it is tried, another for begin and end."""

    id: str
    event: Literal["opened", "cleared", "test"]
    source: str | None
    severity: str
    count: int
    text: str
    orders: tuple[str, ...]
    since: datetime
    at: datetime


def counted(severity: str, count: int) -> str:
    """How many orders are of a severity that is about orders: `1 order is silent`."""
    return f"{count} {(ONE if count == 1 else WORDS)[severity]}"


def of(alert: alerts.Alert, at: datetime) -> Message:
    """What is to be told of `alert`: its end where it is over, else its begin."""
    event: Literal["opened", "cleared"] = "opened" if alert.over_at is None else "cleared"
    return Message(
        id=f"{alert.id}-{event}",
        event=event,
        source=alert.source,
        severity=alert.severity,
        count=alert.count,
        text=alert.text,
        orders=tuple(alert.orders),
        since=alert.opened_at,
        at=at,
    )


def trial(id_: str, at: datetime) -> Message:
    """A message that says only that it arrives."""
    text = "Alerts arrive here. Nothing has happened."
    return Message(f"{id_}-test", "test", None, "test", 0, text, (), at, at)


def document(message: Message, link: str | None) -> bytes:
    """`message` as the JSON that is posted."""
    told = {
        "id": message.id,
        "type": f"alert.{message.event}",
        "source": message.source,
        "severity": message.severity,
        "count": message.count,
        "text": message.text,
        "orders": list(message.orders),
        "since": rfc3339(message.since),
        "at": rfc3339(message.at),
        "link": link,
    }
    return json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")


def mail(message: Message, *, sender: str, to: tuple[str, ...], link: str | None) -> EmailMessage:
    """`message` as a mail."""
    made = EmailMessage()
    made["From"] = sender
    made["To"] = ", ".join(to)
    made["Subject"] = _subject(message)
    made["Date"] = message.at
    made["Message-ID"] = f"<{message.id}@{sender.partition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    if message.event != "test":  # both ends of one alert are one thread
        made["References"] = f"<{message.id.rpartition('-')[0]}@{sender.partition('@')[2]}>"
    lines = [message.text, ""]
    if message.orders:
        lines += ["The oldest:", *(f"  {order}" for order in message.orders), ""]
    if message.event != "test":
        lines.append(f"Since {rfc3339(message.since)}")
    if message.event == "cleared":
        lines.append(f"Over at {rfc3339(message.at)}")
    if link is not None:
        lines.append(link)
    made.set_content("\n".join(lines) + "\n")
    return made


def _subject(message: Message) -> str:
    if message.event == "test":
        return "[tmf-listener] test"
    what = WORDS[message.severity]
    said = counted(message.severity, message.count) if message.severity in ONE else what
    return (
        f"[tmf-listener] {message.source}: {said if message.event == 'opened' else 'over: ' + what}"
    )
