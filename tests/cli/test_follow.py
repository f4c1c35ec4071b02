import json
import os
import signal
import subprocess
import sys


def test_a_follower_sees_what_comes_and_ends_quietly(command, served, monkeypatch, home):
    monkeypatch.setenv("LISTENER_DATA_DIR", str(served.folder / "data"))
    path = home / "followed.json"
    follower = subprocess.Popen(
        [sys.executable, "-m", "app", "notifications", "--follow", "--json", "-q", "followed-"],
        cwd=home,
        env={**os.environ, "PYTHONPATH": served.environment["PYTHONPATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with follower:
        for n in range(100):  # until it follows, what is sent is among what it begins with or not
            body = {
                "eventId": f"followed-{n}",
                "eventDate": "2026-11-20T12:00:00Z",
                "eventType": "ServiceOrderStateChangeNotification",
                "event": {"id": f"followed-{n}", "state": "held"},
            }
            path.write_text(json.dumps(body))
            assert command("send", str(path), "--url", served.url).code == 0
        seen = {json.loads(follower.stdout.readline())["order_id"]}
        while "followed-99" not in seen:
            seen.add(json.loads(follower.stdout.readline())["order_id"])
        follower.send_signal(signal.SIGINT)
        assert follower.wait(30) == 0
        assert "Traceback" not in follower.stderr.read()
