"""Processes beside this one: started, replaced when they die, ended with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from app import processes

HOUSE = Path(__file__).parent.parent
DEADLINE = 20.0


def until(condition):
    """What `condition` gives once it is true."""
    ends = time.monotonic() + DEADLINE
    while not (found := condition()):
        if time.monotonic() > ends:
            raise TimeoutError
        time.sleep(0.01)
    return found


def wait(lifeline, told, word=b"ended"):
    """A member: says that it is there, and that its lifeline was cut."""
    note(told, b"pid %d" % os.getpid())
    over = threading.Event()
    lifeline.on_cut(over.set)
    over.wait()
    note(told, word)


def give_up(_lifeline, told):
    """A member that no other try would help."""
    note(told, b"pid %d" % os.getpid())
    raise SystemExit(2)


def parent(told):
    """A process that starts a member and lives on."""
    processes.Family([processes.Member("wait", wait, (told,))]).start()
    signal.pause()


def note(told, line):
    with Path(told).open("ab") as file:
        file.write(line + b"\n")


@pytest.fixture
def told(tmp_path):
    return tmp_path / "told"


def pids(told):
    lines = told.read_text().splitlines() if told.exists() else []
    return [int(line.split()[1]) for line in lines if line.startswith("pid ")]


@pytest.fixture(autouse=True)
def found_by_members(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(HOUSE))
    monkeypatch.setattr(processes, "FIRST", 0.05)
    monkeypatch.setattr(processes, "LOOK", 0.02)


def test_a_member_is_told_what_to_do_and_ends_when_it_is_cut(told):
    family = processes.Family([processes.Member("wait", wait, (str(told), b"over"))])
    family.start()
    until(lambda: pids(told))
    family.stop(DEADLINE)
    assert told.read_text().splitlines()[-1] == "over"


def test_one_that_dies_is_replaced(told):
    family = processes.Family([processes.Member("wait", wait, (str(told),))])
    family.start()
    watching = threading.Thread(target=family.watch)
    watching.start()
    (first,) = until(lambda: pids(told))
    os.kill(first, signal.SIGKILL)
    again = until(lambda: len(pids(told)) == 2 and pids(told))
    family.stop(DEADLINE)
    watching.join(DEADLINE)
    assert again[1] != first
    assert not watching.is_alive()


def test_one_that_gives_up_ends_the_watch_with_its_code(told):
    family = processes.Family([processes.Member("up", give_up, (str(told),), gives_up=2)])
    family.start()
    assert family.watch() == 2
    family.stop(DEADLINE)
    assert len(pids(told)) == 1


def test_one_that_does_not_end_is_killed(told):
    family = processes.Family([processes.Member("wait", wait, (str(told),))])
    family.start()
    (pid,) = until(lambda: pids(told))
    os.kill(pid, signal.SIGSTOP)
    family.stop(0.2)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_parent_that_is_killed_takes_its_members_along(told):
    script = f"from tests import test_processes; test_processes.parent({str(told)!r})"
    one = subprocess.Popen([sys.executable, "-c", script], cwd=HOUSE)
    until(lambda: pids(told))
    one.kill()
    one.wait(DEADLINE)
    until(lambda: told.read_text().splitlines()[-1] == "ended")
