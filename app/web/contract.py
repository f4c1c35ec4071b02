"""The contract, `openapi/listener.yaml`: as it is kept, as JSON, and as a page for people.

The file lies at the top of the repository; `openapi.yaml` beside this module is a link to it, which
an installed package holds as a file. The page is made here, without a script and without a request
to any other host, so that it can have the strictest of policies.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.resources
import json
import re
from typing import Any, Final

import jinja2
import markupsafe
import yaml
from fastapi import APIRouter
from starlette.responses import Response

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_MARKS: Final = ((re.compile(r"`([^`]+)`"), "code"), (re.compile(r"\*\*([^*]+)\*\*"), "strong"))
_LIMITS: Final = {
    "format": "{}",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "maxLength": "at most {} characters",
    "default": "{} where none is given",
}
_NEVER_RUN: Final = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}

router = APIRouter()


def text() -> str:
    """The contract as it is kept: YAML, OpenAPI 3.1."""
    return _file("openapi.yaml")


@functools.cache
def document() -> dict[str, Any]:
    """The contract as data. Shared: not to be changed."""
    loaded: dict[str, Any] = yaml.load(text(), Loader=_loader())  # noqa: S506 - a safe loader, in C
    return loaded


@functools.cache
def as_json() -> bytes:
    """The contract as JSON."""
    return json.dumps(document(), ensure_ascii=False, separators=(",", ":")).encode()


@functools.cache
def page() -> str:
    """The contract as one page of HTML."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(pretty=pretty, marked=marked, worded=worded)
    environment.globals["resolve"] = resolve
    return environment.from_string(_file("contract.html")).render(
        contract=document(),
        operations=operations(),
        components=document()["components"],
        style=markupsafe.Markup(_file("contract.css")),  # noqa: S704 - a file of ours
    )


@functools.cache
def policy() -> str:
    """What the page may do: show itself with its own style, named by its hash; nothing else."""
    digest = base64.b64encode(hashlib.sha256(_file("contract.css").encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def operations() -> list[dict[str, Any]]:
    """Every operation with its path and method, in the order of the file."""
    return [
        {"path": path, "method": method, **operation}
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """What a `$ref` within the contract points at; a node without one is itself."""
    reference = node.get("$ref")
    if reference is None:
        return node
    found: Any = document()
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return resolve(found)


def pretty(value: Any) -> str:
    """A value as JSON for people."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def marked(text: str) -> markupsafe.Markup:
    """A description of the contract as HTML: paragraphs, `code` and **strong**; nothing else."""
    paragraphs = []
    for paragraph in filter(None, text.strip().split("\n\n")):
        told = str(markupsafe.escape(paragraph))
        for mark, tag in _MARKS:
            told = mark.sub(rf"<{tag}>\1</{tag}>", told)
        paragraphs.append(f"<p>{told}</p>")
    return markupsafe.Markup("".join(paragraphs))  # noqa: S704 - escaped above


def worded(schema: dict[str, Any]) -> str:
    """What a small schema takes, in words."""
    kinds = schema.get("type", "anything")
    told = [" or ".join(kinds) if isinstance(kinds, list) else str(kinds)]
    if "enum" in schema:
        told = [", ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])]
    for name, words in _LIMITS.items():
        if name in schema:
            told.append(words.format(schema[name]))
    return "; ".join(told)


def _file(name: str) -> str:
    return importlib.resources.files("app.web").joinpath(name).read_text("utf-8")


def _loader() -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@router.get("/openapi.json")
def openapi() -> Response:
    """The contract, for programs."""
    headers = {**_NEVER_RUN, "access-control-allow-origin": "*"}
    return Response(as_json(), media_type="application/json", headers=headers)


@router.get("/docs")
def docs() -> Response:
    """The contract, for people."""
    headers = {**_NEVER_RUN, "content-security-policy": policy()}
    return Response(page(), media_type="text/html", headers=headers)
