"""What reading one body brings to light beside the notification: faults and warnings.

Faults become the `Refusal` (23 if anything required is missing, else 24), warnings go with the
notification; a strict source turns the tolerated ones into faults. Source: DESIGN §5, §6.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from app.notifications import body as bodies, warnings
from app.notifications.notification import Arrival, Fault, Kind, Refusal

MISSING: Final = 23
WRONG: Final = 24
NOT_ACCEPTED: Final = 100
MOST_FAULTS: Final = 50
FAULTS_IN_MESSAGE: Final = 5
ECHO: Final = 60

IDENTIFIER_LENGTH: Final = 255
AN_IDENTIFIER: Final = f"text of 1 to {IDENTIFIER_LENGTH} characters"
A_TIME: Final = "a date and time such as 2026-03-02T09:15:00Z"

# What would be right, by the last name in the path; and, failing that, by pydantic's error type.
_EXPECTED_AT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "@type": "the name of the event's schema, such as ProductOrderStateChangeEvent",
        "event": "an object",
        "eventDate": A_TIME,
        "eventId": AN_IDENTIFIER,
        "eventTime": A_TIME,
        "eventType": "the name of an event",
        "fieldPath": "missing=<field>, the field that is missing",
        "id": AN_IDENTIFIER,
        "productOrder": "an object with the order",
        "resourcePath": "the path of the order or item, such as /order/42",
        "state": "the state of the order",
    }
)
_EXPECTED_BY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bool_type": "true or false",
        "identifier": AN_IDENTIFIER,
        "list_type": "a list",
        "model_type": "an object",
        "string_too_long": "a shorter text (ids and words: 255 characters, links: 2000)",
        "string_type": "text",
        "timestamp": A_TIME,
        "too_long": "a list of at most 5000",
    }
)


def shown(value: Any) -> str:
    """`value` for a message: what it is, and at most ECHO characters of a text."""
    match value:
        case str() if len(value) > ECHO:
            return f"a text of {len(value)} characters"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return bodies.type_name(value)


def not_accepted(arrival: Arrival, kind: Kind, event_type: str) -> Refusal | None:
    """The refusal of what its source is not configured to send (`accept`); null where it is."""
    accept = arrival.reading.accept
    if accept is None or kind in accept:
        return None
    return Refusal(
        NOT_ACCEPTED,
        f"Notifications of kind {kind} ({event_type}) are not enabled for {arrival.source}: "
        f"expected {', '.join(sorted(accept)) or 'none'}.",
    )


class Findings:
    """The faults and warnings of one body, in the order they were found."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.warnings: dict[str, str] = {}
        self._code = WRONG

    def warn(self, name: str, path: str) -> None:
        """A named warning (a row of `warnings.TABLE`) and where it was first met."""
        self.warnings.setdefault(name, path)

    def missing(self, path: str, expected: str | None = None) -> None:
        """A required field is not there (or null)."""
        self._code = MISSING
        last = path.rpartition(".")[2]
        self.faults.append(Fault(path, "is missing", expected or _EXPECTED_AT.get(last, "a value")))

    def wrong(self, path: str, problem: str, expected: str) -> None:
        """A field has the wrong type, format or value."""
        self.faults.append(Fault(path, problem, expected))

    def add(self, error: ValidationError, prefix: str) -> None:
        """Every error of pydantic's, under the path `prefix`."""
        for found in error.errors(include_url=False, include_context=False):
            steps = [prefix, *(str(step) for step in found["loc"])]
            path = ".".join(step for step in steps if step and not step.startswith("~"))
            value = found["input"]
            if found["type"] == "missing" or value is None:
                self.missing(path)
                continue
            expected = _EXPECTED_BY.get(found["type"], "another value")
            self.wrong(path, f"is {shown(value)}", expected)

    def hear(self, document: bodies.Read) -> None:
        """What was met while `document` was read."""
        for path in document.nul_at:
            self.holds_nul(path)
        if document.nul_replaced is not None:
            self.warn(warnings.NUL_REPLACED, document.nul_replaced)
        if document.out_of_range is not None:
            self.warn(warnings.NUMBER_OUT_OF_RANGE, "")

    def holds_nul(self, path: str) -> None:
        """An identifier holds the character no database keeps."""
        self.wrong(path, "holds the NUL character (\\u0000)", "an identifier without it")

    def be_strict(self, but: Collection[str] = ()) -> None:
        """Turn the warnings that are tolerances into faults, `but` for those of these names."""
        for name, path in self.warnings.items():
            row = warnings.TABLE[name]
            if row.tolerance and name not in but:
                self.wrong(path, f"is not as the contract has it ({name})", row.remedy)

    def refusal(self) -> Refusal:
        """The refusal that lists the faults: 23 if any is a missing field, else 24."""
        told = "; ".join(str(fault) for fault in self.faults[:FAULTS_IN_MESSAGE])
        more = len(self.faults) - FAULTS_IN_MESSAGE
        if more > 0:
            told += f"; and {more} more"
        return Refusal(self._code, told, tuple(self.faults[:MOST_FAULTS]))
