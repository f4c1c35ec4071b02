"""Every named warning a notification can bear: ONE table, each row told to an ops person.

A warning says that a body was taken although something in it was not as its contract has it. Rows
with `tolerance` are deviations that a `strict` source does not get away with (code 24); the others
only tell. Source: DESIGN §5 "Tolerance", facts/wire.md §8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

BLANK_TRIMMED: Final = "blank_trimmed"
EVENT_TYPE_DISAGREES: Final = "event_type_disagrees"
EXTERNAL_ID_SHAPE: Final = "external_id_shape"
FIELD_ALIAS: Final = "field_alias"
FIELD_UNREADABLE: Final = "field_unreadable"
IMPOSSIBLE_OFFSET: Final = "impossible_offset"
MERIDIEM_IGNORED: Final = "meridiem_ignored"
NO_ORDER_ID: Final = "no_order_id"
NULL_AS_ABSENT: Final = "null_as_absent"
NUL_REPLACED: Final = "nul_replaced"
NUMBER_AS_TEXT: Final = "number_as_text"
NUMBER_OUT_OF_RANGE: Final = "number_out_of_range"
OBJECT_TYPE_DISAGREES: Final = "object_type_disagrees"
ORDER_ARRAY: Final = "order_array"
ORDER_FLAT: Final = "order_flat"
STATE_OUTSIDE_CONTRACT: Final = "state_outside_contract"
TIME_UNREADABLE: Final = "time_unreadable"
TYPE_MISSING: Final = "type_missing"
UNKNOWN_EVENT_TYPE: Final = "unknown_event_type"
UNKNOWN_ITEM_STATE: Final = "unknown_item_state"
UNKNOWN_STATE: Final = "unknown_state"
UNKNOWN_TYPE: Final = "unknown_type"
ZONE_ASSUMED: Final = "zone_assumed"
ZONE_MISSING: Final = "zone_missing"


@dataclass(frozen=True, slots=True)
class Explained:
    """What a warning means, what to do about it, and whether `strict` refuses it."""

    sentence: str
    remedy: str
    tolerance: bool = True


TABLE: Final[Mapping[str, Explained]] = MappingProxyType(
    {
        BLANK_TRIMMED: Explained(
            "An id came with blanks around it; we keep it without them.",
            "Ask the operator to send ids without leading or trailing blanks.",
        ),
        EVENT_TYPE_DISAGREES: Explained(
            "The body names another event than the path it was sent to.",
            "A known eventType in the body wins; ask the operator to use each event's own path.",
        ),
        EXTERNAL_ID_SHAPE: Explained(
            "externalId came in the shape of another version (text up to v4, a list in v5).",
            "Ask the operator which version of the contract it follows.",
        ),
        FIELD_ALIAS: Explained(
            "A field came under a name of another contract (such as eventDate for eventTime).",
            "Ask the operator to use the field names of its contract.",
        ),
        FIELD_UNREADABLE: Explained(
            "A field of a pulled entry had another type than documented; it was left out.",
            "Look at the raw body; ask the operator whether its interface has changed.",
        ),
        IMPOSSIBLE_OFFSET: Explained(
            "The time has an offset no clock on earth has (such as -30:00), so when it happened is "
            "unknown; the text is kept.",
            "Ask the operator to send times in UTC (Z) or with a real offset.",
        ),
        MERIDIEM_IGNORED: Explained(
            "The time says AM beside a 24-hour clock; the AM was left out.",
            "Nothing to do: this is how the feed writes times.",
        ),
        NO_ORDER_ID: Explained(
            "The notification names no order, so it belongs to none in our lists.",
            "Look at the raw body; ask the operator which order was meant.",
            tolerance=False,
        ),
        NULL_AS_ABSENT: Explained(
            "A field that may be left out was sent as null; it counts as absent.",
            "Nothing to do, or ask the operator to leave out what it does not know.",
        ),
        NUL_REPLACED: Explained(
            "A text held the NUL character; it is shown as U+FFFD. The raw body is as it came.",
            "Ask the operator where the NUL comes from: often a broken export.",
            tolerance=False,
        ),
        NUMBER_AS_TEXT: Explained(
            "An id came as a JSON number; we keep its digits as text.",
            "Ask the operator to send ids as text: leading zeros are lost in numbers.",
        ),
        NUMBER_OUT_OF_RANGE: Explained(
            "The body holds a number too large for a double (such as 1e400); its digits are kept.",
            "Look at the raw body; ask the operator what the number means.",
            tolerance=False,
        ),
        OBJECT_TYPE_DISAGREES: Explained(
            "The event's type and its object_type speak of different things.",
            "The object_type wins; look at the raw body and ask the operator what was meant.",
            tolerance=False,
        ),
        ORDER_ARRAY: Explained(
            "The order came in a list of one.",
            "Ask the operator to send the order itself, one for each notification.",
        ),
        ORDER_FLAT: Explained(
            "The order's fields came directly in event, not in event.productOrder or serviceOrder.",
            "Ask the operator to wrap the order as the contract has it.",
        ),
        STATE_OUTSIDE_CONTRACT: Explained(
            "The state is one that this version of the operator's interface does not have.",
            "Ask the operator which version it speaks.",
        ),
        TIME_UNREADABLE: Explained(
            "A time was written in no form we know, so it is unknown; the text is kept.",
            "Look at the raw body; ask the operator how it writes times.",
        ),
        TYPE_MISSING: Explained(
            "The order has no @type, which version 5 of the contract wants.",
            "Ask the operator to send @type in the order.",
        ),
        UNKNOWN_EVENT_TYPE: Explained(
            "The eventType is in no contract we know; it was kept as kind other, as configured.",
            "If it means something, ask for it to be added to the table of event types.",
            tolerance=False,
        ),
        UNKNOWN_ITEM_STATE: Explained(
            "An item's state is a word we do not know; it is kept as raw_state.",
            "If it means something, ask for it to be added to the table of states.",
            tolerance=False,
        ),
        UNKNOWN_STATE: Explained(
            "The order's state is a word we do not know; it is kept as raw_state.",
            "If it means something, ask for it to be added to the table of states.",
            tolerance=False,
        ),
        UNKNOWN_TYPE: Explained(
            "The type of the entry is none we know; it was kept as kind other.",
            "If it means something, ask for it to be added to the kind's table.",
            tolerance=False,
        ),
        ZONE_ASSUMED: Explained(
            "The time came without a zone; the zone configured for the source was used.",
            "Ask the operator to send times in UTC (Z) or with an offset.",
        ),
        ZONE_MISSING: Explained(
            "The time came without a zone and none is configured, so when it happened is unknown.",
            'Set zone = "Area/City" for the source in listener.toml.',
        ),
    }
)
