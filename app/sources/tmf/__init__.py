"""Operators that speak TM Forum or Orange/ONAP and push: nothing of their own, only the flavours."""

from __future__ import annotations

from typing import Final

from app.notifications import flavours
from app.notifications import notification as canonical


class Tmf:
    """The kind of source whose bodies are plain TM Forum or ONAP notifications."""

    name = "tmf"
    title = "TM Forum (TMF622, TMF641) and Orange/ONAP notifications"
    channel = canonical.Channel.PUSH

    def parse(self, arrival: canonical.Arrival) -> canonical.Notification | canonical.Refusal:
        """Read one body. Bad input is a `Refusal`, never an exception."""
        return flavours.read(arrival)


KIND: Final = Tmf()
