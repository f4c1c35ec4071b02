"""What forms may ask of a kind: each offer, filled in, is a command its kind takes."""

from types import SimpleNamespace

import pytest

from app import errors, sources
from app.notifications.notification import Channel
from app.sources import offers

KINDS = [kind for kind in sources.discover().values() if kind.channel is Channel.PULL]
OFFERS = [(kind, offer) for kind in KINDS for offer in kind.offers]
FEED = SimpleNamespace(url="https://operator.example/", api_user="u", format="json")


def filled(offer):
    """A form as a browser sends it, every field of it."""
    return {
        one.name: one.choices[-1] if one.choices else "a text" if one.longest else "yes"
        for one in offer.inputs
    }


@pytest.mark.parametrize(("kind", "offer"), OFFERS, ids=lambda one: getattr(one, "command", ""))
def test_an_offer_filled_in_is_a_command_of_its_kind(kind, offer):
    request = kind.command(FEED, "O-1", offer.command, offer.arguments(filled(offer)), None)
    assert request.changes_state == offer.changes_state
    for one in offer.inputs:
        for choice in one.choices:
            kind.command(
                FEED,
                "O-1",
                offer.command,
                offer.arguments(filled(offer) | {one.name: choice}),
                None,
            )


@pytest.mark.parametrize(("kind", "offer"), OFFERS, ids=lambda one: getattr(one, "command", ""))
def test_only_what_is_optional_may_be_left_out(kind, offer):
    for one in offer.inputs:
        given = offer.arguments(filled(offer) | {one.name: " "})
        if one.optional:
            kind.command(FEED, "O-1", offer.command, given, None)
        else:
            with pytest.raises(errors.InvalidParameter):
                kind.command(FEED, "O-1", offer.command, given, None)


def test_what_kinds_offer_is_what_they_take():
    told = {kind.name: [offer.command for offer in kind.offers] for kind in KINDS}
    assert told == {
        "covage": ["events/info"],
        "on_api": [],
        "tjansteguiden": ["set_status", "add_message", "order_info", "order_log", "customer_info"],
    }


def test_a_tick_is_yes_or_left_out_and_lines_end_as_ours_do():
    tick = offers.Input("stop", "Stop", optional=True)
    text = offers.Input("message", "Message", longest=10)
    offer = offers.Offer("say", "Say", "Says it.", inputs=(text, tick))
    assert offer.arguments({"message": " a\r\nb ", "stop": "yes"}) == {
        "message": "a\nb", "stop": True,
    }  # fmt: skip
    assert offer.arguments({"other": "x"}) == {"message": ""}
