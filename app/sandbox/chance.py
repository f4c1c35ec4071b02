"""Chance that repeats: numbers drawn from a seed and a place, never from a generator's state.

What is drawn for order 7 is the same whether it is drawn first or last, in this Python or the next.
Not here: what is drawn for (`scenario`, `order`, `faults`).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")
Place = int | str

_BITS: Final = (1 << 64) - 1
_STEP: Final = 0x9E3779B97F4A7C15
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def number(seed: int, *places: Place) -> int:
    """A number of 64 bits that belongs to `seed` and `places` (SplitMix64's mixing)."""
    state = seed & _BITS
    for place in places:
        part = place if isinstance(place, int) else zlib.crc32(place.encode())
        state = (state ^ (part & _BITS)) + _STEP & _BITS
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _BITS
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _BITS
        state ^= state >> 31
    return state


def share(seed: int, *places: Place) -> float:
    """A number from 0 up to, not including, 1."""
    return (number(seed, *places) >> 11) / (1 << 53)


def choice(options: Sequence[T], seed: int, *places: Place) -> T:
    """One of `options`."""
    return options[number(seed, *places) % len(options)]


def letters(length: int, seed: int, *places: Place) -> str:
    """`length` (≤ 12) small letters and digits, the first of them a digit 1–9."""
    drawn = number(seed, *places)
    out = [_DIGITS[1 + drawn % 9]]
    for _ in range(length - 1):
        drawn //= 36
        out.append(_DIGITS[drawn % 36])
    return "".join(out)


def uuid(seed: int, *places: Place) -> str:
    """A UUID in its canonical form, version 4 by its marks."""
    high, low = number(seed, *places, 1), number(seed, *places, 2)
    high = high & ~0xF000 | 0x4000
    low = low & ~(0b11 << 62) | 0b10 << 62
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
