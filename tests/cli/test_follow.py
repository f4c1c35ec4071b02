import json
import os
import signal
import subprocess
import sys


def test_a_follower_sees_what_comes_and_ends_quietly(command, served, monkeypatch, home):
    monkeypatch.setenv("LISTENER_DATA_DIR", str(served.folder / "data"))

    def send(order):
        path = home / "followed.json"
        body = {
            "eventId": order,
            "eventDate": "2026-11-20T12:00:00Z",
            "eventType": "ServiceOrderStateChangeNotification",
            "event": {"id": order, "state": "held"},
        }
        path.write_text(json.dumps(body))
        assert command("send", str(path), "--url", served.url).code == 0

    send("followed-before")
    follower = subprocess.Popen(
        [sys.executable, "-m", "app", "notifications", "--follow", "--json", "-q", "followed-"],
        cwd=home,
        env={**os.environ, "PYTHONPATH": served.environment["PYTHONPATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with follower:
        assert json.loads(follower.stdout.readline())["order_id"] == "followed-before"
        for order in ("followed-1", "followed-2"):
            send(order)
            assert json.loads(follower.stdout.readline())["order_id"] == order
        follower.send_signal(signal.SIGINT)
        assert follower.wait(30) == 0
        assert "Traceback" not in follower.stderr.read()
