"""Logs without secrets, metrics without surprises."""

import io
import json
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from app import errors, telemetry

AT = datetime(2026, 11, 20, 12, 0, 0, 1, tzinfo=UTC)


@pytest.fixture
def stream():
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = kept
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_names_its_room_its_level_and_its_time(stream):
    telemetry.configure("info", "json", stream)
    telemetry.logger("intake").info("started", workers=2)
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "started", "level": "info", "room": "intake", "workers": 2}


def test_the_configured_level_holds(stream):
    telemetry.configure("warning", "json", stream)
    telemetry.logger("intake").info("quiet")
    telemetry.logger("intake").warning("loud")
    assert [line["event"] for line in lines(stream)] == ["loud"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_lines_that_could_not_be_said_are_counted_and_told_later(tmp_path, form):
    reading, writing = os.pipe()
    with Path("/dev/full").open("w") as full:
        voice = telemetry.Voice(full, form)
        for _ in range(3):
            voice.write("lost\n")
        assert voice.lost == 3
        os.dup2(writing, full.fileno())
        os.close(writing)
        voice.write("said\n")
        assert voice.lost == 0
    told = os.read(reading, 4096).decode()
    os.close(reading)
    assert "log_lines_lost" in told
    assert "3" in told.splitlines()[0]
    assert told.splitlines()[1:] == ["said"]


def test_a_stream_that_is_closed_or_was_never_there_raises_nothing(tmp_path):
    with (tmp_path / "log").open("w") as stream:
        pass
    for gone in (stream, None):
        voice = telemetry.Voice(gone, "json")
        voice.write("lost\n")
        voice.flush()
        assert (voice.lost, voice.isatty()) == (1, False)


def test_an_unknown_level_says_which_would_be_right():
    with pytest.raises(errors.ConfigurationError, match="use debug, info, warning or error"):
        telemetry.configure("chatty", "json")


@pytest.mark.parametrize("name", sorted(telemetry.SECRET_NAMES))
def test_what_goes_by_the_name_of_a_secret_is_blanked(stream, name):
    telemetry.configure("info", "json", stream)
    telemetry.logger("web").info("hello", **{name: "hunter2"})
    assert "hunter2" not in stream.getvalue()


def test_an_exceptions_words_stay_out_of_the_log_and_its_frames_stay_in(stream):
    telemetry.configure("info", "json", stream)
    try:
        int("Astrid")
    except ValueError:
        telemetry.logger("web").exception("failed")
    (line,) = lines(stream)
    assert line["types"] == ["builtins.ValueError"]
    assert "test_an_exceptions_words" in line["frames"][-1]
    assert "Astrid" not in stream.getvalue()


def test_the_libraries_log_in_the_same_form_and_uvicorn_keeps_paths_to_itself(stream):
    telemetry.configure("info", "json", stream)
    logging.getLogger("uvicorn.error").info("started")
    logging.getLogger("uvicorn.access").info("POST /externalapi/listener/v1/a-key/listener")
    logging.getLogger("httpx").info("GET https://sso.example/certs?token=x")
    assert [line["event"] for line in lines(stream)] == ["started"]


def test_an_arrival_is_one_line_of_json(stream):
    told = telemetry.ArrivalLog("info", "json", stream)
    told.tell(AT, 'a"b', "refused", code=24, reference="0190", length=512, seconds=0.25)
    assert lines(stream) == [
        {
            "event": "arrival", "level": "info", "timestamp": "2026-11-20T12:00:00.000001Z",
            "room": "listener", "source": 'a"b', "outcome": "refused", "code": 24, "seq": None,
            "reference": "0190", "bytes": 512, "seconds": 0.25,
        }
    ]  # fmt: skip


def test_an_arrival_is_told_to_people_in_one_line(stream):
    telemetry.ArrivalLog("info", "console", stream).tell(AT, "orange", "appended", seq=7)
    assert stream.getvalue() == (
        "2026-11-20T12:00:00.000001Z [info     ] arrival  source=orange outcome=appended"
        " code=0 seq=7 reference=- bytes=0 seconds=0.000000\n"
    )


def test_arrivals_are_silent_above_info(stream):
    telemetry.ArrivalLog("warning", "json", stream).tell(AT, "orange", "appended")
    assert stream.getvalue() == ""


def test_a_scrape_shows_what_was_counted_what_waits_and_what_is_asked_of_the_store():
    metrics = telemetry.Metrics()
    metrics.watch_queue(lambda: (3, 900))
    metrics.arrival("orange", "appended")
    metrics.arrival("orange", "appended")
    metrics.arrival(None, "refused", 40)
    metrics.committed(0.02, 5)
    text, content_type = metrics.render(
        [telemetry.Sample("listener_quarantine_open", "Open rows", {"source": "orange"}, 4)]
    )
    told = text.decode().splitlines()
    assert 'listener_arrivals_total{code="0",outcome="appended",source="orange"} 2.0' in told
    assert 'listener_arrivals_total{code="40",outcome="refused",source="-"} 1.0' in told
    assert "listener_commit_seconds_sum 0.02" in told
    assert "listener_batch_units_sum 5.0" in told
    assert "listener_queue_units 3.0" in told
    assert "listener_queue_bytes 900.0" in told
    assert 'listener_quarantine_open{source="orange"} 4.0' in told
    assert content_type.startswith("text/plain")


COUNT = """
import sys
from app import telemetry
metrics = telemetry.Metrics()
metrics.arrival("orange", "appended")
metrics.committed(0.01, 1)
print(metrics.render()[0].decode())
"""


def test_several_processes_are_scraped_as_one(tmp_path):
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    told = [
        subprocess.run(
            [sys.executable, "-c", COUNT], env=environ, check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    ]
    assert 'listener_arrivals_total{code="0",outcome="appended",source="orange"} 2.0' in told[1]
