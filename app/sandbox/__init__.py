"""Operators to try against, over real HTTP: ON-API, Covage, Tjänsteguiden and a TMF seller.

One scenario moves orders through their lives at all four; each says so in its own words, keeps its
own count of what it was told, and goes wrong on request. It shares no parser with what it tests.
"""

from app.sandbox.faults import Fault
from app.sandbox.options import (
    Account,
    Covage,
    Limit,
    OnApi,
    Seller,
    Settings,
    Target,
    Tjansteguiden,
)
from app.sandbox.server import Sandbox, create

__all__ = [
    "Account",
    "Covage",
    "Fault",
    "Limit",
    "OnApi",
    "Sandbox",
    "Seller",
    "Settings",
    "Target",
    "Tjansteguiden",
    "create",
]
