"""Operators that push TM Forum or Orange/ONAP notifications: nothing of their own to learn."""

from __future__ import annotations

from typing import Final

from app.notifications import flavours, notification as canonical


class Tmf:
    """The kind of source whose bodies are plain TM Forum or ONAP notifications."""

    name = "tmf"
    title = "TM Forum (TMF622, TMF641) and Orange/ONAP notifications"
    channel = canonical.Channel.PUSH

    def parse(self, arrival: canonical.Arrival) -> canonical.Notification | canonical.Refusal:
        """Read one body. Bad input is a `Refusal`, never an exception."""
        return flavours.read(arrival)


KIND: Final = Tmf()
