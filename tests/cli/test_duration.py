from datetime import timedelta

import pytest
import typer

from app.cli import duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("45s", timedelta(seconds=45)),
        ("30m", timedelta(minutes=30)),
        ("1h", timedelta(hours=1)),
        ("90d", timedelta(days=90)),
        ("2w", timedelta(days=14)),
        ("1h30m", timedelta(minutes=90)),
    ],
)
def test_a_length_of_time_is_read_as_people_type_it(text, expected):
    assert duration.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["", "1", "h", "0s", "-1h", "1 h", "1.5h", "1y", "1h30", "999999999w", "\u0661h"]
)
def test_what_is_no_length_of_time_is_refused_with_an_example(text):
    with pytest.raises(typer.BadParameter, match="expected for example 30m, 1h"):
        duration.parse(text)
