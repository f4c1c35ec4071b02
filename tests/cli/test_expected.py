"""`listener orders expect`: all lines of a file are kept, or none."""

import pytest

from app.store import engine, expected

GOOD = """\
source,order_id,own_ref,access_id,placed_at,answer
local,O-1,S-7,STTA0001,2026-11-20T13:00:00+01:00,RECEIVED
local, O/2 ,,,,

local,"O-3, the third",S-8,,2026-11-20 12:00:00Z,
"""


def kept(database, order_id):
    with engine.read(database) as connection:
        return expected.one(connection, "local", order_id)


def test_the_lines_of_a_file_are_kept(command, home, database):
    (home / "placed.csv").write_text("\N{BYTE ORDER MARK}" + GOOD)
    done = command("orders", "expect", "placed.csv")
    assert (done.code, done.err) == (0, "✓ 3 orders are expected\n")
    first, second = kept(database, "O-1"), kept(database, "O/2")
    assert (first.own_ref, first.access_id, first.answer) == ("S-7", "STTA0001", "RECEIVED")
    assert first.placed_at.isoformat() == "2026-11-20T12:00:00+00:00"
    assert second.placed_at == second.put_at
    assert second.own_ref is None
    assert kept(database, "O-3, the third").own_ref == "S-8"


def test_a_check_keeps_nothing(command, home, database):
    (home / "placed.csv").write_text(GOOD)
    done = command("orders", "expect", "placed.csv", "--check")
    assert (done.code, done.err) == (0, "✓ 3 orders would be expected\n")
    assert kept(database, "O-1") is None


def test_every_line_that_is_of_no_use_is_named_and_none_is_kept(command, home, database):
    lines = [
        "local,O-1,,,,",
        "nobody,O-2,,,,",
        "local,,S-7,,,",
        "local,O-3,,,2026-11-20,",
        "local,O,,,,,x",
    ]
    (home / "placed.csv").write_text("\n".join([GOOD.splitlines()[0], *lines]))
    done = command("orders", "expect", "placed.csv")
    assert done.code == 1
    for told in (
        "line 3: no source is called 'nobody'; expected local",
        "line 4: has no order_id",
        "line 5: placed_at '2026-11-20': expected a time with its zone",
        "line 6: has more columns than the head",
        "lines of placed.csv that are not of use: 4; nothing was kept",
    ):
        assert told in done.err
    assert kept(database, "O-1") is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            b"source,number\nlocal,1\n",
            "the head has no column order_id; names 'number', which is none",
        ),
        (b"", "the head has no column source; has no column order_id"),
        (b"source,order_id\nlocal,\xff\n", "no CSV in UTF-8"),
        (b'source,order_id\nlocal,"O-1\n', "no CSV in UTF-8"),
    ],
)
def test_what_is_no_such_file_is_refused(command, home, database, content, told):
    (home / "placed.csv").write_bytes(content)
    done = command("orders", "expect", "placed.csv")
    assert done.code == 2
    assert told in done.err


def test_what_is_outstanding_is_shown_and_who_is_silent(command, home, database):
    (home / "listener.toml").write_text(
        '[[source]]\nname = "local"\nstuck_after = { acknowledged = "1h" }\n'
    )
    (home / "placed.csv").write_text(
        "source,order_id,placed_at,answer\nlocal,O-1,,RECEIVED\n"
        "local,O-2,2026-01-01T00:00:00Z,RECEIVED\n"
    )
    assert "no order is outstanding" in command("orders", "outstanding").err
    assert command("orders", "expect", "placed.csv").code == 0
    told = command("orders", "outstanding", "--json").lines
    assert [(row["order_id"], row["silent"]) for row in told] == [("O-2", True), ("O-1", False)]
    shown = command("orders", "outstanding", "--silent").out
    assert "O-2" in shown
    assert "O-1" not in shown
