"""Which rows of the lists are asked for, as query parameters: the same in JSON and on pages.

Not here: what they mean in SQL (`store.filters`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from app import clock
from app.doors import deps, paging
from app.notifications import forms, notification as canonical, states
from app.store import attention as openings, log, orders, silence


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


_EARLIEST = datetime.min.replace(tzinfo=UTC)
Length = Annotated[str, Field(max_length=20, pattern=clock.LENGTH)]
"""A length of time, such as `2h` or `90d`."""


class OrdersWanted(deps.Parameters):
    """Which orders are wanted."""

    source: paging.Source = None
    resource_type: canonical.ResourceType | None = None
    order_id: paging.Wanted | None = None
    state: Annotated[str | None, AfterValidator(_known_state)] = None
    final: Literal["true", "false"] | None = None
    flag: (
        Literal["out_of_order", "late", "conflicting", "changed_after_final", "removed"] | None
    ) = None
    attention: canonical.Attention | Literal["any", "none"] | None = None
    external_id: paging.Wanted | None = None
    access_id: paging.Wanted | None = None
    service_id: paging.Wanted | None = None
    about_order_id: paging.Wanted | None = None
    own_ref: paging.Wanted | None = None
    silent: Literal["true"] | None = None
    no_news_for: Length | None = None
    news_within: Length | None = None
    q: paging.Wanted | None = None

    def wanted(self, now: datetime, patience: silence.Patience | None = None) -> orders.Filter:
        """The filter as the store takes it; lengths of time count back from `now`.

        `patience` says who is silent; without it nobody is.
        """
        given = self.model_dump(include=OrdersWanted.model_fields.keys() - set(_OWN))
        gravest = self.attention if isinstance(self.attention, canonical.Attention) else None
        opened = None if self.attention is None or gravest else self.attention == "any"
        return orders.Filter(
            **given,
            final=None if self.final is None else self.final == "true",
            attention=gravest,
            has_attention=opened,
            silent=tuple(silence.cutoffs(patience or {}, now).items()) if self.silent else None,
            silent_since=_before(now, self.no_news_for),
            news_since=_before(now, self.news_within),
        )


class Orders(OrdersWanted, paging.Page):
    """Which orders to list: those with the newest news first, or (`asc`) with the oldest."""

    order: Literal["asc", "desc"] = "desc"


class OrdersExport(OrdersWanted):
    """Which orders to give out, in which form."""

    format: Literal[forms.Name.CSV, forms.Name.NDJSON] = forms.Name.CSV


_OWN = ("final", "attention", "silent", "no_news_for", "news_within")


def _before(now: datetime, length: str | None) -> datetime | None:
    if length is None:
        return None
    try:
        return now - clock.length(length)
    except (ValueError, OverflowError):
        return _EARLIEST


class Order(deps.Parameters):
    """Which of the things that go by one id: an order, a service, a task to cancel it."""

    resource_type: canonical.ResourceType | None = None


Code = Annotated[int | None, BeforeValidator(paging.digits), Field(ge=1, le=999)]
"""A code of the table of refusals (`problems.TABLE`)."""


class Quarantine(paging.Page):
    """Which refused bodies; those that are open, unless another state or `all` is asked for."""

    state: Literal["open", "released", "discarded", "all"] = "open"
    source: paging.Source = None
    code: Code = None


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


class Expected(paging.Page):
    """Which of the orders that came to no end; `told`: of which anything was told, or nothing."""

    source: paging.Source = None
    told: Literal["true", "false"] | None = None


class Commands(paging.Page):
    """Which of what we do at operators to list."""

    source: paging.Source = None
    order_id: paging.Wanted | None = None
    state: Literal["queued", "running", "unknown", "done", "failed", "cancelled"] | None = None
