"""Which rows of the lists are asked for, as query parameters: the same in JSON and on pages.

Not here: what they mean in SQL (`store.filters`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

from app.doors import deps, paging
from app.notifications import forms, notification as canonical, states
from app.store import attention as openings, log


def _known_state(state: str | None) -> str | None:
    if state is not None and state not in states.STATES:
        raise ValueError(f"expected one of {', '.join(states.STATES)}")
    return state


class Wanted(deps.Parameters):
    """Which notifications are wanted."""

    source: paging.Source = None
    kind: canonical.Kind | None = None
    state: Annotated[str | None, AfterValidator(_known_state)] = None
    order_id: paging.Wanted | None = None
    event_id: paging.Wanted | None = None
    external_id: paging.Wanted | None = None
    flavour: canonical.Flavour | None = None
    channel: canonical.Channel | None = None
    attention: canonical.Attention | None = None
    conflict: Literal["true", "false"] | None = None
    q: paging.Wanted | None = None

    def wanted(self) -> log.Filter:
        """The filter as the store takes it."""
        given = self.model_dump(include=set(Wanted.model_fields) - {"conflict"})
        conflict = None if self.conflict is None else self.conflict == "true"
        return log.Filter(**given, conflict=conflict)


class Notifications(Wanted, paging.Page):
    """Which notifications to list, in which order."""

    order: Literal["asc", "desc"] = "desc"


class Export(Wanted):
    """Which notifications to give out, in which form; `personal`: with what is personal."""

    format: forms.Name = forms.Name.NDJSON
    personal: Literal["true", "false"] = "false"


class Quarantine(paging.Page):
    """Which refused bodies; those that are open, unless another state or `all` is asked for."""

    state: Literal["open", "released", "discarded", "all"] = "open"
    source: paging.Source = None


class Attention(paging.Page):
    """Which rows of the work list; `unassigned`: those nobody has taken."""

    state: Literal["open", "closed", "cleared", "all"] = "open"
    source: paging.Source = None
    attention: canonical.Attention | None = None
    order_id: paging.Wanted | None = None
    assignee: paging.Wanted | None = None
    unassigned: Literal["true"] | None = None

    def wanted(self) -> openings.Wanted:
        """The filter as the store takes it."""
        given = self.model_dump(exclude={"limit", "after", "unassigned", "assignee"})
        return openings.Wanted(**given, assignee="" if self.unassigned else self.assignee)
