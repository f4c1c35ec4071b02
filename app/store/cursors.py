"""The places in a list that are given out: opaque text that carries the log's epoch (law 10).

Not here: the durable cursors of feeds and followers.
"""

from __future__ import annotations

import base64
import binascii
import json
import re

from app import errors

_LARGEST = 2**63 - 1
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


def encode(epoch: str, place: int | str) -> str:
    """The cursor of `place` (a seq of the log, or the id of a row of another list) in `epoch`."""
    plain = json.dumps([epoch, place], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(plain.encode()).rstrip(b"=").decode()


def decode(text: str, current_epoch: str, head: int | None = None) -> int:
    """The seq a cursor made by `encode` stands for.

    Raises `errors.InvalidParameter` for what is no cursor, `errors.Gone` for one of another epoch;
    its message tells the cursor of `head`, to go on from.
    """
    place = _place(text, current_epoch, head)
    if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place <= _LARGEST:
        raise errors.InvalidParameter(_MALFORMED)
    return place


def decode_id(text: str, current_epoch: str) -> str:
    """The id a cursor of a list ordered by id stands for; raises as `decode` does."""
    place = _place(text, current_epoch, None)
    if not isinstance(place, str) or not _ID.fullmatch(place):
        raise errors.InvalidParameter(_MALFORMED)
    return place


_MALFORMED = "this is no cursor; expected the `next` of an earlier answer of this list, unchanged"


def _place(text: str, current_epoch: str, head: int | None) -> object:
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        epoch, place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        unchanged = isinstance(epoch, str) and encode(epoch, place) == text
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise errors.InvalidParameter(_MALFORMED) from error
    if not unchanged:
        raise errors.InvalidParameter(_MALFORMED)
    if epoch != current_epoch:
        message = f"the cursor is of epoch {epoch}, the log is now in epoch {current_epoch}"
        if head is not None:
            message += f"; its head is seq {head}, cursor {encode(current_epoch, head)}"
        raise errors.Gone(message)
    return place
