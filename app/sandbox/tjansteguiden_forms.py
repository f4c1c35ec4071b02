"""How Tjänsteguiden writes its answers down: XML, or JSON where `output_format=json`.

A form is a tree of dicts, lists (repeated elements) and texts. What is public: `orders`,
`set_status`, `api_login`, `customer_info` (examples/tjansteguiden). Assumed (~): `order_info`,
`order_log`, `customers`, the words of an error, and that the JSON has the root's content.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from starlette.responses import Response

from app.sandbox.order import Order
from app.sandbox.tjansteguiden_orders import Entry, Kept

XML: Final = "text/xml"
XSP: Final = "31420"
_ASAP_EVERY: Final = 3
_UNWRITABLE: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def answer(root: str, content: Mapping[str, Any], *, as_json: bool, status: int = 200) -> Response:
    """`content` under `root` as XML, or as JSON without the root."""
    if as_json:
        return Response(
            json.dumps(content, ensure_ascii=False), status, media_type="application/json"
        )
    element = ET.Element(root)
    _fill(element, content)
    ET.indent(element)
    body = ET.tostring(element, encoding="utf-8", xml_declaration=True)
    return Response(body, status, media_type=XML)


def _fill(element: ET.Element, content: Mapping[str, Any]) -> None:
    for name, value in content.items():
        for each in value if isinstance(value, list) else [value]:
            child = ET.SubElement(element, name)
            if isinstance(each, Mapping):
                _fill(child, each)
            else:
                child.text = _UNWRITABLE.sub("", str(each))


class Forms:
    """The trees of what is asked for. `zone`: of the zoneless times."""

    def __init__(self, seed: int, zone: str) -> None:
        self._seed = seed
        self._zone = ZoneInfo(zone)

    def time(self, moment: datetime, *, short: bool = False) -> str:
        """`2024-10-06 11:48:00` in local time, `short` without seconds."""
        return (
            f"{moment.astimezone(self._zone):{'%Y-%m-%d %H:%M' if short else '%Y-%m-%d %H:%M:%S'}}"
        )

    def day(self, moment: datetime) -> str:
        """The local calendar day."""
        return f"{moment.astimezone(self._zone):%Y-%m-%d}"

    def customer_id(self, kept: Kept) -> str:
        """The number of the customer who placed it."""
        return str(Order(self._seed, kept.number).reference + 500_000)

    def row(self, kept: Kept) -> dict[str, str]:
        """An order as the method `orders` lists it."""
        order = Order(self._seed, kept.number)
        asap = order.draw("delivery") % _ASAP_EVERY == 0
        return {
            "id": str(kept.id),
            "type": "order",
            "date": self.time(kept.came, short=kept.short),
            "status": kept.status,
            "service": str(2400 + order.draw("service") % 100),
            "xsp": XSP,
            "delivery": "asap" if asap else f"{self.day(kept.came)} 00:00:00",
            "customer": self.customer_id(kept),
        }

    def info(self, kept: Kept) -> dict[str, str]:
        """An order as `order_info` tells it (~)."""
        order = Order(self._seed, kept.number)
        return {
            **self.row(kept),
            "accessid": order.access_id,
            "servicename": order.service,
            "reference": order.external_id,
        }

    def entry(self, entry: Entry) -> dict[str, str]:
        """A line of `order_log` (~)."""
        return {
            "id": str(entry.id),
            "date": self.time(entry.at),
            "type": entry.type,
            "message": entry.message,
            "user": entry.by,
        }

    def customer(self, kept: Kept) -> dict[str, Any]:
        """The person behind an order as `customer_info` tells: nobody who exists."""
        order = Order(self._seed, kept.number)
        return {
            "customer": {
                "id": self.customer_id(kept),
                "socket": f"{order.access_id}A01",
                "serial": order.serial,
                "firstname": order.firstname,
                "surname": order.surname,
                "email": f"{order.firstname.lower()}.{order.number}@example.org",
                "address": order.address,
                "zip": f"{10_000 + order.draw('zip') % 89_999}",
                "city": order.city,
            },
            "data": {"phone": f"0700{order.draw('phone') % 1_000_000:06d}", "premise": "1002"},
        }
