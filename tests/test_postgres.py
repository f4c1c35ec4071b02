"""The test server itself: found, started, killed, and gone when its owner is."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests import postgres


def rows(url):
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute("SELECT count(*) FROM kept").fetchone()[0]


def test_what_was_committed_outlives_a_kill():
    with postgres.cluster(fsync=True) as server:
        url = server.database("kills")
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 10)")
        for kill in (server.kill_immediate, server.kill_hard, server.stop):
            kill()
            assert server.pid() is None
            server.start()
            assert rows(url) == 10
        base = server.base
    assert server.pid() is None
    assert not base.exists()


def test_named_binaries_come_first(tmp_path):
    assert postgres.find_binaries({"LISTENER_TEST_POSTGRES_BIN": str(tmp_path)}) == tmp_path


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_its_owner_however_that_ends(how):
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from tests import postgres\n"
        "with postgres.cluster() as server:\n"
        "    print(server.base, flush=True)\n"
        "    time.sleep(60)\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", code, str(Path(__file__).parents[1])],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with owner:
        base = Path(owner.stdout.readline().strip())
        server = postgres.Cluster(base)
        pid = server.pid()
        assert pid is not None
        owner.send_signal(how)
        owner.wait(10)
    end = time.monotonic() + 15
    while base.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not base.exists()
    assert postgres._gone(pid)
