"""The one engine: the same seed tells the same story, at any pace."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from app import errors, sandbox
from app.sandbox import chance, options, scenario
from app.sandbox.order import Order
from tests.sandbox import serving


def story(made):
    return {name: list(each.published()) for name, each in made.operators.items()}


def test_the_same_seed_tells_the_same_story():
    first, second = (sandbox.create(serving.settings()) for _ in range(2))
    assert story(first) == story(second)
    assert all(story(first).values())


def test_another_seed_tells_another_story():
    first, second = (sandbox.create(serving.settings(seed=seed)) for seed in (1, 2))
    for name, told in story(first).items():
        assert told != story(second)[name]


def test_a_story_told_in_parts_is_the_story_told_at_once():
    whole = sandbox.create(serving.settings())
    parts = sandbox.create(serving.settings(pace="manual"))
    for _ in range(40):
        parts.advance(scenario.LONGEST / 20)
    assert parts.scenario.done
    assert story(parts) == story(whole)


def test_what_happened_before_it_is_looked_at_is_history_at_its_pace():
    made = sandbox.create(
        serving.settings(pace=60.0, every=60.0, covage=sandbox.Covage(shape="new"))
    )
    made.advance(3600.0)
    now = datetime.now(UTC)
    told = [
        tuple(datetime.fromisoformat(event[name]) for name in ("creation_date", "event_date"))
        for event in made.operators["covage"].published()
    ]
    assert now - timedelta(seconds=61) < told[0][0] < told[-1][0] <= now
    assert told[-1][0] - told[0][0] > timedelta(seconds=30)
    assert all(abs(created - occurred) < timedelta(seconds=2) for created, occurred in told)


def test_nothing_happens_by_hand_until_time_passes():
    made = sandbox.create(serving.settings(pace="manual"))
    assert all(each.events == 0 for each in made.operators.values())
    assert made.advance(3600) > 0
    assert made.scenario.now == serving.STARTS.replace(hour=9)


def test_every_step_is_seen_by_the_first_orders_and_heard_by_somebody():
    lived = {step for life in scenario.LIVES for step, _, _ in life.steps}
    assert lived == set(scenario.Step)
    made = sandbox.create(serving.settings())
    heard = set().union(*(each.hears for each in made.operators.values()))
    assert heard == set(scenario.Step)


def test_lives_are_as_frequent_as_their_weights():
    assert sum(life.weight for life in scenario.LIVES) == 100
    drawn = Counter(scenario.life_of(3, number).name for number in range(15, 4015))
    for life in scenario.LIVES:
        assert abs(drawn[life.name] / 40 - life.weight) < 3, life.name


@pytest.mark.parametrize("operator", options.OPERATORS)
def test_an_operator_publishes_exactly_so_many_events(operator):
    limits = {operator: sandbox.Limit(events=137)}
    made = sandbox.create(serving.settings(limits=limits, limit=sandbox.Limit(orders=0)))
    assert {name: each.events for name, each in made.operators.items()} == {
        **dict.fromkeys(options.OPERATORS, 0),
        operator: 137,
    }


def test_a_burst_lies_in_the_past_and_a_burst_without_end_is_refused():
    made = sandbox.create(sandbox.Settings(limit=sandbox.Limit(orders=200)))
    assert made.scenario.done
    assert datetime.now(UTC) - timedelta(days=90) < made.scenario.now < datetime.now(UTC)
    with pytest.raises(errors.ConfigurationError, match="needs an end"):
        sandbox.create(sandbox.Settings(limit=sandbox.Limit()))


def test_the_same_order_is_the_same_customer_everywhere():
    order = Order(7, 3)
    assert order.access_id == "STTA0004"
    assert (order.service, order.reference) == (Order(7, 3).service, Order(7, 3).reference)
    assert Order(7, 4).reference == order.reference + 1
    assert order.uuid("covage") != order.uuid("onap")


def test_chance_is_the_same_in_every_python():
    assert chance.number(1, 2, "three") == 5728234780521795885
    assert chance.uuid(1, "a") == "19fb1ed3-a8e8-4f02-83f0-9c6d8eea6a1f"
    assert chance.letters(8, 1, "x") == "67bq0kle"
    assert chance.share(1, 2) == pytest.approx(0.11345034205715454)


def test_the_pace_lets_time_pass_by_itself():
    with serving.sandbox(pace=5_000_000.0, starts_at=None) as served:
        while not (told := served.control())["done"]:
            assert told["orders"] <= 30
        assert told["operators"]["covage"]["events"] > 100
