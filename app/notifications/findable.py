"""The words a notification is found by: those of its refs and of the messages in its summary.

Folded, so that case, accents and punctuation do not count: `Kanaltätning, ref. A-12` is
`kanaltatning ref a 12`. Personal data is not here, for it is in neither; bodies are not either, for
they hold it. Ids are found as they were sent (`store.search`), not by words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

MESSAGES: Final[tuple[tuple[str, ...], ...]] = (
    ("message",),
    ("description",),
    ("reason",),
    ("cancellationReason",),
    ("reject_reason",),
    ("reject_code",),
    ("reject_subcode",),
    ("reject_description",),
    ("milestone", "name"),
    ("milestone", "description"),
    ("milestone", "message"),
    ("jeopardy", "name"),
    ("jeopardy", "exception"),
    ("error", "code"),
    ("error", "reason"),
    ("orderMessage", "code"),
    ("orderMessage", "messageInformation"),
    ("orderItemMessage", "code"),
    ("orderItemMessage", "messageInformation"),
)
"""Where a summary holds what an operator says in words; a list on the way is all its elements."""

LONGEST_WORD: Final = 64
MOST_WORDS: Final = 1000
SHORTEST_BEGINNING: Final = 3
"""A shorter word that is sought is compared whole: it would begin half of them."""


_ASCII: Final = {n: chr(n).lower() if chr(n).isalnum() else " " for n in range(128)}


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand side by side; of the last one, maybe only the beginning (`open`)."""

    words: tuple[str, ...]
    open: bool


def words(refs: Mapping[str, str], summary: Mapping[str, Any]) -> str:
    """The folded words of a notification, one blank between two; empty where there are none."""
    said = (path for path in MESSAGES if path[0] in summary)
    told = [*refs.values(), *(text for path in said for text in _texts(summary, path))]
    found = [word for text in told for word in fold(text)]
    return " ".join(found[:MOST_WORDS])


def fold(text: str) -> list[str]:
    """`text` as words of letters and digits, without case and accents, each cut to 64 characters.

    The same text gives the same words wherever it stands, so that what is sought is folded alike.
    """
    if text.isascii():
        kept = text.translate(_ASCII)
    else:
        plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        bare = (c for c in plain if not unicodedata.combining(c))
        kept = "".join(c if c.isalnum() else " " for c in bare)
    return [word[:LONGEST_WORD] for word in kept.split()]


def phrases(sought: str) -> list[Phrase]:
    """What must be found for `sought`: a phrase for each part of it between blanks.

    `a-12 kanal` is found by `A-12` side by side and by a word that begins with `kanal`.
    """
    parts = (tuple(fold(part)) for part in sought.split())
    return [Phrase(part, len(part[-1]) >= SHORTEST_BEGINNING) for part in parts if part]


def _texts(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _texts(one, path)
    elif path and isinstance(value, dict):
        yield from _texts(value.get(path[0]), path[1:])
    elif isinstance(value, str) and not path:
        yield value
