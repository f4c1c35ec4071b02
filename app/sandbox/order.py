"""What an order is about, whoever is asked: the same order 7 at each operator is the same customer.

All of it is a function of the seed and the order's number; nobody in it exists. Not here: what
happens to an order (`scenario`), an operator's own numbers for it (the operator's module).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.sandbox import chance

SERVICES: Final = ("BB-100-10", "BB-100-100", "BB-250-250", "BB-500-500", "BB-1000-1000", "IPTV-1")
CITIES: Final = ("Demostad", "Provköping", "Testeborg", "Övningsås")
STREETS: Final = ("Demogatan", "Provgatan", "Testvägen", "Övningsstigen")
FIRST_NAMES: Final = ("Alva", "Bo", "Cilla", "Dag", "Ebba", "Folke", "Greta", "Hugo")
SURNAMES: Final = ("Testsson", "Provander", "Demolin", "Exempelgren")


@dataclass(frozen=True, slots=True)
class Order:
    """Order `number` of the scenario with this `seed`."""

    seed: int
    number: int

    @property
    def access_id(self) -> str:
        """The access the service runs on: at most 32 of [a-zA-Z0-9]."""
        return f"STTA{self.number + 1:04d}"

    @property
    def service(self) -> str:
        """The wholesale service that was ordered."""
        return chance.choice(SERVICES, self.seed, "service", self.number)

    @property
    def external_id(self) -> str:
        """The service provider's own name for the order."""
        return f"SP-{self.seed % 100_000:05d}-{self.number + 1:06d}"

    @property
    def reference(self) -> int:
        """A number of eight digits for operators that count their orders; ascends with `number`."""
        return 10_000_000 + self.draw("reference", of=0) % 80_000_000 + self.number

    @property
    def firstname(self) -> str:
        """The customer's first name."""
        return chance.choice(FIRST_NAMES, self.seed, "firstname", self.number)

    @property
    def surname(self) -> str:
        """The customer's surname."""
        return chance.choice(SURNAMES, self.seed, "surname", self.number)

    @property
    def address(self) -> str:
        """The customer's street and number."""
        street = chance.choice(STREETS, self.seed, "street", self.number)
        return f"{street} {1 + self.draw('house') % 120}"

    @property
    def city(self) -> str:
        """The customer's city."""
        return chance.choice(CITIES, self.seed, "city", self.number)

    @property
    def serial(self) -> str:
        """A personal number that nobody has: day 01 of a year before all registers."""
        return f"1890{1 + self.draw('month') % 12:02d}01{self.draw('serial') % 10_000:04d}"

    def draw(self, what: str, *, of: int | None = None) -> int:
        """A number of 64 bits that is this order's own (or of order number `of`)."""
        return chance.number(self.seed, what, self.number if of is None else of)

    def uuid(self, whose: str) -> str:
        """The order's UUID at the operator `whose`."""
        return chance.uuid(self.seed, whose, self.number)
