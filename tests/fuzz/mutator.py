"""Bodies nobody would think of: samples with something broken, by a seeded die.

`Mutator(seed).next()` gives one (path, body) after the other, the same for the same seed. Most are
broken in one to three places, as text or as JSON; some are whole.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

from app import sources
from app.notifications import event_types

TEXTS = (
    "", " ", "\t42\n", "\0", "a\0b", "\ud800", "\udc00\ud800", "\U0001f600", "\u2028", "\ufeff",
    "\uffff", "\u202eoslo", "e\u0301", "İ", "x" * 255, "x" * 256, "x" * 2001, "é" * 70_000, "null",
    "2026-03-02T09:15:00Z", "2026-03-02T09:15:00", "2026-13-40T99:99:99Z", "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:59.999999999+14:00", "2013-04-19T16:42:25-30:00", "0001-01-01T00:00:00+23:59",
    "2017-05-09T16:1:04 AM.637766", "2026-03-02", "1740906900", "../../etc/passwd", "{{7*7}}",
    "'; DROP TABLE log; --", "<script>", "%00", "%s%n", "\\u0000", "acknowledged", "COMPLETED",
    "completed ", "1e400",
)  # fmt: skip
NUMBERS = (
    "0", "-0", "1", "-1", "1.5", "1e5", "1E+5", "1e-400", "1e400", "-1e400", "1" + "0" * 400,
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616",
    "1" + "0" * 254, "1" + "0" * 255, "1" + "0" * 4299, "1" + "0" * 5000, "0." + "3" * 400, "NaN",
    "Infinity", "-Infinity", "01", "1.", ".5", "0x10", "1_000", "+1",
)  # fmt: skip
RAW = (
    b"\0", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"\xc2\xa0",
    b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\u0000", b"\\ud83d", b"\\u", b"//", b"/*", b"\r",
    b"\x7f", b"\\",
)  # fmt: skip
NAMES = (
    "id", "eventId", "eventTime", "eventType", "event", "productOrder", "serviceOrder", "state",
    "externalId", "orderItem", "productOrderItem", "@type", "href", "fieldPath", "a\0", "",
    "x" * 300,
)  # fmt: skip
LONGEST = 1024 * 1024
DEEPEST = 12_000


class Written:
    """Something as it is to be written: a number no double holds, lists deeper than Python's."""

    def __init__(self, text: str) -> None:
        self.text = text


class Mutator:
    """Gives bodies, each with the path it is posted to."""

    def __init__(self, seed: int) -> None:
        self._die = random.Random(seed)
        self._samples = sources.samples("tmf")
        self._paths = [event_types.SHARED_PATH] + [
            f"{mount.prefix}/{name}"
            for mount in event_types.MOUNTS.values()
            for name in (*mount.events, "noSuchEvent")
        ]

    def next(self) -> tuple[str, bytes]:
        """The next one."""
        die = self._die
        sample = die.choice(self._samples)
        path = sample.path if die.random() < 0.7 else die.choice(self._paths)
        value: Any = json.loads(sample.body)
        if isinstance(value, dict) and die.random() < 0.6:
            value["eventId"] = f"fuzz-{die.getrandbits(64):x}"
        for _ in range(die.choice((0, 1, 1, 2, 3))):
            value = self._break(value)
        body = self._written(value).encode("utf-8", "surrogatepass")
        for _ in range(die.choice((0, 0, 0, 1, 2))):
            body = self._garble(body)
        return path, body[:LONGEST]

    # ── as JSON ──────────────────────────────────────────────────────────────────────────────────

    def _break(self, value: Any) -> Any:
        """`value` with one thing in it replaced, dropped, added, wrapped or doubled."""
        places = list(_places(value))
        place = self._die.choice(places)
        if not place:
            return self._odd() if self._die.random() < 0.1 else value
        holder = value
        for step in place[:-1]:
            holder = holder[step]
        last = place[-1]
        match self._die.randrange(6):
            case 0:
                del holder[last]
            case 1 | 2:
                holder[last] = self._odd()
            case 3:
                holder[last] = [holder[last]]
            case 4:
                holder[last] = self._another(value, places)
            case _ if isinstance(holder, dict):
                holder[self._die.choice(NAMES)] = self._odd()
            case _:
                holder.append(self._odd())
        return value

    def _another(self, value: Any, places: list[tuple[Any, ...]]) -> Any:
        """A copy of something else in `value`."""
        for step in self._die.choice(places):
            value = value[step]
        return copy.deepcopy(value)

    def _odd(self) -> Any:
        """Anything that is seldom where it is put."""
        die = self._die
        depth = die.choice((2, 50, 96, 101, 199, 201, DEEPEST))
        number = Written(die.choice(NUMBERS))
        every = (
            die.choice(TEXTS),
            number,
            die.choice((None, True, False, [], {})),
            [die.choice(TEXTS), number, None],
            {name: die.choice(TEXTS) for name in die.sample(NAMES, 4)},
            [die.choice((None, 1, "x", {}))] * die.choice((100, 5000, 5001)),
            _nested(depth, lists=die.random() < 0.5),
        )
        return die.choices(every, weights=(2, 2, 1, 1, 1, 0.3, 0.7))[0]

    def _written(self, value: Any) -> str:
        """`value` as JSON; numbers as they are, a name now and then twice."""
        die = self._die
        comma = "," + die.choice(("", "", " ", "\n\t"))
        ascii_ = die.random() < 0.5

        def named(name: str, one: Any) -> str:
            pair = f"{json.dumps(name, ensure_ascii=ascii_)}: {write(one)}"
            return pair if die.random() < 0.99 else pair + comma + pair[: pair.index(":")] + ":1"

        def write(one: Any) -> str:
            match one:
                case Written():
                    return one.text
                case list():
                    return f"[{comma.join(map(write, one))}]"
                case dict():
                    return f"{{{comma.join(named(name, it) for name, it in one.items())}}}"
                case _:
                    return json.dumps(one, ensure_ascii=ascii_)

        return write(value)

    # ── as bytes ─────────────────────────────────────────────────────────────────────────────────

    def _garble(self, body: bytes) -> bytes:
        """`body` cut, flipped, doubled, filled or encoded otherwise."""
        die = self._die
        at = die.randrange(len(body) + 1)
        end = min(len(body), at + die.randrange(1, 40))
        ways: tuple[Callable[[], bytes], ...] = (
            lambda: body[:at],
            lambda: body[at:],
            lambda: body[:at] + body[end:],
            lambda: body[:end] + body[at:],
            lambda: body[:at] + die.choice(RAW) + body[at:],
            lambda: body[:at] + die.randbytes(end - at) + body[end:],
            lambda: (
                body[:at]
                + bytes(byte ^ (1 << die.randrange(8)) for byte in body[at : at + 1])
                + body[at + 1 :]
            ),
            lambda: body.decode("utf-8", "replace").encode(
                die.choice(("utf-16", "utf-32-be", "utf-8-sig"))
            ),
            lambda: b" " * at + body + b"\n" * 3,
            lambda: body + die.choice(self._samples).body,
            lambda: b"",
        )
        return die.choice(ways)()


def _nested(depth: int, *, lists: bool) -> Written:
    return Written("[" * depth + "]" * depth if lists else '{"a":' * depth + "1" + "}" * depth)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Any:
    """The way to everything in `value`."""
    yield path
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for step, one in list(inner)[:40]:
        yield from _places(one, (*path, step))
