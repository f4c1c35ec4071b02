import json
import shlex
import socket
import urllib.request

from tests import serving


def curl(line):
    """What `curl -i URL -H … -d …` would send, as a request."""
    words = shlex.split(line)
    assert words[:2] == ["curl", "-i"]
    headers = dict(words[n + 1].split(": ", 1) for n, word in enumerate(words) if word == "-H")
    body = words[words.index("-d") + 1].encode()
    return urllib.request.Request(words[2], data=body, headers=headers, method="POST")


def curl_line(greeting):
    (line,) = [line for line in greeting.splitlines() if line.startswith("curl ")]
    return line


def test_the_greeting_names_the_url_and_a_token(served):
    assert f"URL    {served.url}" in served.log
    (token,) = [line.split()[1] for line in served.log.splitlines() if line.startswith("token ")]
    request = urllib.request.Request(
        f"{served.url}/admin/notifications", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


def test_the_curl_line_answers_201_and_again_201(served):
    request = curl(curl_line(served.log))
    for _ in range(2):
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 201
            assert json.loads(answer.read()) == json.loads(request.data)


def test_the_curl_line_tells_of_an_order(served):
    sent = json.loads(curl(curl_line(served.log)).data)
    assert sent["eventType"] == "ServiceOrderStateChangeNotification"
    assert {"id", "state"} <= sent["event"].keys()


def test_it_stops_with_0_when_it_is_told_to(tmp_path):
    with serving.listener(tmp_path) as server:
        assert server.terminate() == 0


def test_what_a_killed_server_left_is_removed_by_the_next(tmp_path):
    place = tmp_path / "tmp"
    place.mkdir()
    alone = {"environment": {"TMPDIR": str(place)}, "arguments": serving.DOOR}
    (place / "listener-metrics-of-somebody").mkdir()
    with serving.listener(tmp_path / "one", **alone) as one:
        one.kill()
        assert len(list(place.iterdir())) == 2
        one.start()
        (own,) = place.glob(f"listener-metrics-{one.pid}-*")
        assert {found.name for found in place.iterdir()} == {
            own.name,
            "listener-metrics-of-somebody",
        }
        one.terminate()
    assert [found.name for found in place.iterdir()] == ["listener-metrics-of-somebody"]


def test_a_taken_port_ends_with_2_and_names_the_option(command):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        outcome = command("serve", "--port", str(taken.getsockname()[1]))
    assert outcome.code == 2
    assert outcome.out == ""
    assert "--port" in outcome.err


def test_several_workers_need_postgresql(command):
    outcome = command("serve", "--workers", "2")
    assert outcome.code == 2
    assert "PostgreSQL" in outcome.err


def test_the_greeting_names_the_sources_where_it_cannot_choose_one(tmp_path):
    two = '[[source]]\nname = "orange"\n\n[[source]]\nname = "stadsnat"\n'
    with serving.listener(tmp_path, config=two, arguments=("--hello",)) as server:
        assert "listener token --source NAME" in server.log
        assert "name one with --source: orange, stadsnat" in server.log
        server.terminate()
