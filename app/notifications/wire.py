"""What the flavours' models are made of: the types of fields and the shapes every contract shares.

Only fields we read are modelled; all others are left to the raw body. Names are those of TM Forum,
in Python's spelling (`to_camel` gives theirs). What a field comes to mean is in `canonical`.
Source: facts/wire.md §2.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, TypeVar

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    StrictBool,
    StrictStr,
    Tag,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from app.notifications import findings, timestamps

HREF_LENGTH: Final = 2000
WORD_LENGTH: Final = 255
MOST_ELEMENTS: Final = 5000
_TOO_LARGE: Final = 10**findings.IDENTIFIER_LENGTH

Element = TypeVar("Element")
Many = Annotated[list[Element], Field(max_length=MOST_ELEMENTS)]
"""A list; bounded, so that no body of 1 MiB can keep the process for seconds."""


def _identifier(**text: Any) -> CoreSchema:
    return core_schema.custom_error_schema(
        core_schema.union_schema(
            [
                core_schema.str_schema(strict=True, max_length=findings.IDENTIFIER_LENGTH, **text),
                core_schema.int_schema(strict=True, gt=-_TOO_LARGE, lt=_TOO_LARGE),
            ]
        ),
        custom_error_type="identifier",
        custom_error_message="not an identifier",
    )


def _identifier_schema(_type: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
    return _identifier()


def _filled_identifier_schema(_type: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
    return _identifier(pattern=r"[^\s\x1c-\x1f]")  # what str.strip leaves something of


def _time(text: str) -> timestamps.Time:
    time = timestamps.read(text)
    if time is None:
        raise PydanticCustomError("timestamp", "not a time")
    return time


def _timestamp_schema(_type: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
    return core_schema.custom_error_schema(
        core_schema.no_info_after_validator_function(_time, core_schema.str_schema(strict=True)),
        custom_error_type="timestamp",
        custom_error_message="not a time",
    )


Text = StrictStr
Word = Annotated[StrictStr, Field(max_length=WORD_LENGTH)]
"""A short text: a state, an action."""
Flag = StrictBool
Href = Annotated[StrictStr, Field(max_length=HREF_LENGTH)]
Identifier = Annotated[str | int, GetPydanticSchema(_identifier_schema)]
"""Text or an integer (which becomes its digits); blanks around it are trimmed later."""
FilledIdentifier = Annotated[str | int, GetPydanticSchema(_filled_identifier_schema)]
"""An identifier that is not blank."""
Timestamp = Annotated[timestamps.Time, GetPydanticSchema(_timestamp_schema)]
"""A text that is a row of `timestamps.TABLE`."""


class Wire(BaseModel):
    """A part of a body, as its contract has it; fields we do not read are left out."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel)


class ExternalIdentifier(Wire):
    """One external id of v5."""

    id: Identifier | None = None
    external_identifier_type: Identifier | None = None


def _shape(value: Any) -> str:
    match value:
        case list():
            return "~list"
        case dict():
            return "~object"
        case _:
            return "~text"


ExternalId = Annotated[
    Annotated[Identifier, Tag("~text")] | Annotated[Many[ExternalIdentifier], Tag("~list")],
    Discriminator(_shape),
]
"""Text up to v4, a list of ExternalIdentifier in v5."""
Texts = Annotated[
    Annotated[Text, Tag("~text")] | Annotated[Many[Text], Tag("~list")], Discriminator(_shape)
]
"""Text, or a list of texts."""


class Reference(Wire):
    """What names another resource: its id and href."""

    id: Identifier | None = None
    href: Href | None = None


TextOrReference = Annotated[
    Annotated[Text, Tag("~text")] | Annotated[Reference, Tag("~object")], Discriminator(_shape)
]
"""A link as text (2015), or a reference (v4 and later)."""


class Envelope(Wire):
    """What every contract puts around `event`, with every name it goes by."""

    event_id: Identifier | None = Field(
        default=None, validation_alias=AliasChoices("eventId", "eventUuid", "id")
    )
    event_time: Timestamp | None = Field(
        default=None,
        validation_alias=AliasChoices(
            "eventTime", "eventDate", "date", "timeOcurred", "timeOccurred"
        ),
    )
    correlation_id: Identifier | None = None
    resource_path: Text | None = None
    field_path: Texts | None = None


class Item(Wire):
    """One item of an order; flavours add the items inside it."""

    id: Identifier | None = None
    action: Word | None = None
    state: Word | None = None
    appointment: TextOrReference | None = None

    def inner(self) -> Sequence[Item]:
        """The items inside this one."""
        return ()


class Milestone(Wire):
    """A step that was reached."""

    id: Identifier | None = None
    name: Text | None = None
    description: Text | None = None
    message: Text | None = None
    milestone_date: Timestamp | None = None
    status: Text | None = None


class JeopardyAlert(Wire):
    """A risk that the order will not be done as promised."""

    id: Identifier | None = None
    name: Text | None = None
    alert_date: Timestamp | None = None
    exception: Text | None = None
    jeopardy_type: Text | None = None
    message: Text | None = None


class ErrorMessage(Wire):
    """An error that hinders the order."""

    code: Identifier | None = None
    reason: Text | None = None
    message: Text | None = None
    status: Identifier | None = None
    reference_error: Text | None = None
    timestamp: Timestamp | None = None


class Order(Wire):
    """An order of any flavour; the methods give what each flavour has under a name of its own.

    `ALIASES`: names that are not the flavour's own, and the own name of each.
    """

    ALIASES: ClassVar[Mapping[str, str]] = MappingProxyType({"externalID": "externalId"})

    id: Identifier | None = None
    href: Href | None = None
    external_id: ExternalId | None = Field(
        default=None, validation_alias=AliasChoices("externalId", "externalID")
    )
    state: Word | None = None
    requested_start_date: Timestamp | None = None
    requested_completion_date: Timestamp | None = None
    expected_completion_date: Timestamp | None = None
    completion_date: Timestamp | None = None

    def listed(self) -> Sequence[Item]:
        """The items of the order, those inside others not included."""
        return ()

    def milestones(self) -> Sequence[Milestone]:
        """The steps that were reached."""
        return ()

    def alerts(self) -> Sequence[JeopardyAlert]:
        """The risks that are told."""
        return ()

    def errors(self) -> Sequence[ErrorMessage]:
        """The errors that are told."""
        return ()

    def other_references(self) -> Sequence[tuple[str | int | None, str | int | None]]:
        """(type, id) of the order's ids in other systems, `externalId` not included."""
        return ()


class CancelOrder(Wire):
    """A task to cancel an order; its state is not the order's."""

    id: Identifier | None = None
    href: Href | None = None
    state: Word | None = None
    cancellation_reason: Text | None = None
    requested_cancellation_date: Timestamp | None = None
    effective_cancellation_date: Timestamp | None = None

    def about(self) -> Reference | None:
        """The order that is to be cancelled."""
        return None

    def message(self) -> str | None:
        """What the operator says of the task."""
        return None


class Resource(Wire):
    """Any other resource (a service): its id, href and state."""

    id: Identifier | None = None
    href: Href | None = None
    state: Word | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """How one kind of event looks in one flavour.

    `wrappers`: the names the resource may bear in `event` (none: `event` is the resource).
    `required`: the resource must be there. `payload`: what `event` holds beside the resource.
    `time`: the name the flavour itself has for the time.
    """

    envelope: type[Envelope]
    resource: type[Wire] | None
    wrappers: tuple[str, ...] = ()
    required: bool = False
    payload: type[Wire] | None = None
    time: str = "eventTime"
