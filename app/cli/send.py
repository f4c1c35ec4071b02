"""`listener send`: POST notifications from files or shipped samples, and show every answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from app import scopes, settings, sources
from app.cli import acts, failure, opening, screen
from app.notifications import event_types, notification as canonical
from app.outbound import guard, send as outbound

EXAMPLES = (
    "listener send order.json another.json",
    "listener send --sample tmf622_2015.orderCreationNotification",
    "listener send --samples",
    "listener send *.json --url https://listener.example --token -  < token.txt",
)
SHOWN = 300
"""Characters of an answer that is no ErrorRepresentation."""


QUARANTINED = frozenset({400, 422})
"""Statuses of refusals of which the body is kept (DESIGN §2, law 2)."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One body to send, where to, and what it is called on the screen."""

    name: str
    path: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered to a letter: `detail` is empty where it was taken."""

    name: str
    status: int
    milliseconds: float
    detail: str

    @property
    def taken(self) -> bool:
        """Whether the listener took it."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's own numbers


def send(  # noqa: PLR0913 - one parameter an option
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE", help="Bodies to send; - reads stdin.")
    ] = None,
    *,
    sample: Annotated[
        list[str] | None, typer.Option(help="A shipped sample by name; repeat for more.")
    ] = None,
    samples: Annotated[bool, typer.Option("--samples", help="List the samples and end.")] = False,
    url: Annotated[str | None, typer.Option(help="Where to; default: here.")] = None,
    path: Annotated[
        str | None,
        typer.Option(help="The path; default: a sample's own, else the shared listener path."),
    ] = None,
    source: Annotated[str | None, typer.Option(help="The source to speak for.")] = None,
    token: Annotated[
        str | None, typer.Option(help="A token to show; - reads it from stdin. Default: a new one.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", help="'Name: value'; repeat for more.")
    ] = None,
    ca: Annotated[Path | None, typer.Option(help="Trust the certificates in this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line an answer.")] = False,
) -> None:
    """POST notifications and show a table of the answers; exit code 1 if one was not taken."""
    if samples:
        typer.echo("\n".join(_shipped()))
        return
    letters = [_file(name, path) for name in files or ()]
    letters += [_sample(name, path) for name in sample or ()]
    if not letters:
        msg = "there is nothing to send"
        raise failure.usage(msg, "name files, or a sample: listener send --samples lists them")
    found = settings.load()
    target = (url or opening.url(found)).rstrip("/")
    headers = _headers(header or ())
    if not {"authorization", "x-api-key"} & headers.keys():
        headers["authorization"] = f"Bearer {_token(found, target, source, token)}"
    replies = list(_post_all(target, headers, letters, ca))
    _show(replies, as_json=as_json)
    lost = sum(not reply.taken for reply in replies)
    if lost:
        msg = f"{lost} of {len(replies)} not taken"
        raise failure.CommandFailed(msg, _next_step(replies))


def _next_step(replies: Sequence[Reply]) -> str:
    if any(reply.status in QUARANTINED for reply in replies):
        return "what was refused is kept: look at it with listener quarantine list"
    return "nothing of it was kept: do as the answer says, then send it again"


def _post_all(
    target: str, headers: Mapping[str, str], letters: Sequence[Letter], ca: Path | None
) -> Iterator[Reply]:
    console = screen.remarks()
    try:
        with (
            outbound.Sender(target, headers, ca=ca) as sender,
            Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
        ):
            for letter in progress.track(letters, description="sending"):
                answer = sender.post(letter.path, letter.body)
                yield Reply(
                    letter.name, answer.status, round(answer.seconds * 1000, 1), _detail(answer)
                )
    except outbound.Unreachable as error:
        msg = f"no answer from {target}: {error}"
        raise failure.CommandFailed(
            msg, "start one here with listener serve, or name another with --url"
        ) from error


def _show(replies: Iterable[Reply], *, as_json: bool) -> None:
    if as_json:
        for reply in replies:
            screen.json_line(
                {
                    "name": reply.name,
                    "status": reply.status,
                    "milliseconds": reply.milliseconds,
                    "detail": reply.detail,
                }
            )
        return
    screen.table(
        ("notification", "status", "ms", "answer"),
        (
            (
                reply.name,
                screen.Word(reply.status, "green" if reply.taken else "red"),
                reply.milliseconds,
                "taken" if reply.taken else reply.detail,
            )
            for reply in replies
        ),
        numbers=("ms",),
    )


def _detail(answer: outbound.Answer) -> str:
    """Code, reason and message of an ErrorRepresentation; else what came, shortened."""
    if answer.status < 300:  # noqa: PLR2004 - HTTP's own numbers
        return ""
    text = answer.body.decode("utf-8", errors="replace")
    try:
        told = json.loads(text)
        return f"{told['code']} {told['reason']}: {told['message']}"
    except (ValueError, KeyError, TypeError):
        return text[:SHOWN]


def _file(name: str, path: str | None) -> Letter:
    try:
        body = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        msg = f"{name} cannot be read: {error.strerror}"
        raise failure.usage(msg, "name files that are there, or - for stdin") from error
    return Letter(name, path or event_types.SHARED_PATH, body)


def _shipped() -> dict[str, sources.Sample]:
    """Every sample that is there to be pushed, by name."""
    return {
        sample.name: sample
        for name, kind in sources.discover().items()
        if kind.channel is canonical.Channel.PUSH
        for sample in sources.samples(name)
    }


def _sample(name: str, path: str | None) -> Letter:
    found = _shipped().get(name)
    if found is None:
        msg = f"no sample is called {name!r}"
        raise failure.usage(msg, "list them: listener send --samples")
    return Letter(name, path or found.path, found.body)


def _headers(given: Iterable[str]) -> dict[str, str]:
    headers = {"content-type": "application/json;charset=utf-8"}
    for line in given:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            msg = f"{line!r} is no header"
            raise failure.usage(msg, "write it as --header 'Name: value'")
        headers[name.strip().lower()] = value.strip()
    return headers


def _token(found: settings.Settings, target: str, source: str | None, given: str | None) -> str:
    """The token to show: the one given, or one of our own where the target is our own listener."""
    if given == "-":
        return sys.stdin.readline().strip()
    if given is not None:
        return given
    if not _is_ours(found, target):
        msg = f"no token for {target}: ours are only for our own listener"
        raise failure.usage(msg, "give one with --token, or a key with --header 'X-API-Key: …'")
    chosen = opening.push_source(opening.configuration(found), source)
    return opening.local_issuer(found).issue(
        subject=chosen.name,
        scopes=(scopes.WRITE,),
        ttl=timedelta(minutes=15),
        source=chosen.name,
    )


def _is_ours(found: settings.Settings, target: str) -> bool:
    own = {opening.url(found), (found.public_url or "").rstrip("/")}
    return target in own or guard.is_loopback(target)


ACTS = (acts.Act(send, EXAMPLES),)
