"""openapi/listener.yaml is the contract: it is valid, it tells what the code does, it is served.

Whether every answer keeps it: `test_contract_kept`.
"""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import schemathesis
import yaml
from fastapi.routing import APIRoute
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from app import sources
from app.doors import problems
from app.notifications import event_types, states
from app.notifications.notification import Attention, Channel, Flavour, Kind, ResourceType
from app.orders import order
from app.web import admin, contract, health, listener, oauth

FILE = Path(__file__).parents[2] / "openapi" / "listener.yaml"
DOCUMENT = yaml.load(FILE.read_text("utf-8"), Loader=yaml.CSafeLoader)
SCHEMAS = DOCUMENT["components"]["schemas"]
RESPONSES = DOCUMENT["components"]["responses"]
EXAMPLES = DOCUMENT["components"]["examples"]
SAMPLES = {sample.name: sample for sample in sources.samples("tmf")}
NO_DOUBLE = "tmf622_2015.orderValueChangeNotification.number_out_of_range"
"""Holds 1e400: JSON can say it, but no reader of this file could."""


def validator(pointer):
    """A validator of what `pointer` (`#/components/…`) of the contract describes."""
    whole = DRAFT202012.create_resource(DOCUMENT)
    registry = Registry().with_resource("urn:contract", whole)
    return jsonschema.Draft202012Validator({"$ref": f"urn:contract{pointer}"}, registry=registry)


def request_schema(path):
    """Where the contract describes the JSON body of a POST to `path`."""
    body = contract.resolve(DOCUMENT["paths"][path]["post"]["requestBody"])
    return body["content"]["application/json"]["schema"]["$ref"]


# ── the file ─────────────────────────────────────────────────────────────────────────────────────


def test_it_is_openapi_3_1():
    assert DOCUMENT["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(DOCUMENT).validate()


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_json_schema(name):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


def test_every_reference_leads_somewhere_and_every_component_is_used():
    pointed = set(re.findall(r"'#/components/([^']+)'", FILE.read_text("utf-8")))
    there = {
        f"{kind}/{name}"
        for kind, named in DOCUMENT["components"].items()
        for name in named
        if kind != "securitySchemes"
    }
    assert pointed == there


def test_operations_have_names_of_their_own():
    names = [operation["operationId"] for operation in contract.operations()]
    assert len(names) == len(set(names))


def test_operations_are_under_a_tag_that_is_explained():
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    assert {tag for operation in contract.operations() for tag in operation["tags"]} == tags


# ── what the code does ───────────────────────────────────────────────────────────────────────────


def shape(path):
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_every_route_is_in_the_contract_and_every_path_is_a_route():
    routers = (health.router, oauth.router, contract.router, *admin.routers)
    routes = {
        (method.lower(), shape(route.path))
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    told = {(one["method"], one["path"]) for one in contract.operations()}
    by_the_door = {(method, path) for method, path in told if listener.path_of(path) is not None}
    assert {(method, shape(path)) for method, path in told - by_the_door} == routes
    mounted = {
        ("post", f"{mount.prefix}/{event}")
        for mount in event_types.MOUNTS.values()
        for event in mount.events
    }
    shared = event_types.SHARED_PATH
    keyed = shared.replace("/listener/v1/", "/listener/v1/{key}/")
    assert by_the_door == {("post", shared), ("post", keyed)} | mounted


def test_the_shared_path_names_every_spelling_that_is_known_and_no_other():
    told = [
        spelling
        for branch in SCHEMAS["Listener"]["oneOf"]
        for spelling in contract.resolve(contract.resolve(branch)["properties"]["eventType"])[
            "enum"
        ]
    ]
    known = {spelling for row in event_types.TABLE for spelling in row.spellings}
    turned = {one[0].swapcase() + one[1:] for one in known if "_" not in one}
    assert sorted(told) == sorted(known | turned)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Kind", Kind),
        ("State", states.STATES),
        ("Flavour", Flavour),
        ("Channel", Channel),
        ("Attention", Attention),
        ("ResourceType", ResourceType),
        ("Flag", order.FLAGS),
    ],
)
def test_our_words_are_all_told(name, values):
    assert SCHEMAS[name]["enum"] == list(values)


def test_every_code_of_the_error_table_has_an_example_that_is_what_is_sent():
    shown = set()
    for response in RESPONSES.values():
        content = response.get("content", {"application/json": {}})
        for example in content["application/json"].get("examples", {}).values():
            said = example.get("value", {})
            if "code" not in said:
                continue
            row = problems.TABLE[said["code"]]
            assert (said["status"], said["reason"]) == (row.status, row.reason)
            shown.add(said["code"])
    assert shown == set(problems.TABLE)


@pytest.mark.parametrize("operation", contract.operations(), ids=lambda one: one["operationId"])
def test_every_error_answer_is_described_under_its_own_status(operation):
    for status, node in operation["responses"].items():
        examples = contract.resolve(node).get("content", {}).get("application/json", {})
        for example in examples.get("examples", {}).values():
            said = contract.resolve(example)["value"]
            if said.get("@type") == "ErrorRepresentation":
                assert str(said["status"]) == status


# ── the samples ──────────────────────────────────────────────────────────────────────────────────


def test_the_examples_are_the_samples():
    assert set(EXAMPLES) == set(SAMPLES) - {NO_DOUBLE}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_its_sample_value_by_value(name):
    assert EXAMPLES[name]["value"] == json.loads(SAMPLES[name].body)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_stands_where_it_is_posted_to_and_fits_there(name):
    path = SAMPLES[name].path
    body = contract.resolve(DOCUMENT["paths"][path]["post"]["requestBody"])
    shown = body["content"]["application/json"]["examples"]
    assert shown[name] == {"$ref": f"#/components/examples/{name}"}
    validator(request_schema(path)).validate(EXAMPLES[name]["value"])


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_what_a_tm_forum_path_takes_the_shared_path_takes_by_its_event_type(name):
    value = EXAMPLES[name]["value"]
    fits = validator("#/components/schemas/Listener").is_valid(value)
    assert fits == (event_types.find(value.get("eventType") or "") is not None)


# ── what is served ───────────────────────────────────────────────────────────────────────────────


def test_it_is_served_as_it_is_kept(asking):
    answer = asking.get("/openapi.json", scopes=None)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == DOCUMENT
    assert contract.text() == FILE.read_text("utf-8")


def test_the_page_for_people_shows_every_operation_and_asks_nobody_else(asking):
    answer = asking.get("/docs", scopes=None)
    page, policy = answer.text, answer.headers["content-security-policy"]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for operation in contract.operations():
        assert f'id="{operation["operationId"]}"' in page
    assert "default-src 'none'" in policy
    assert "script" not in re.sub(r"<(pre|p|td|summary).*?</\1>", "", page, flags=re.DOTALL)
    loaded = re.findall(r'(?:src|href|action)="([^"#][^"]*)"', page)
    assert set(loaded) == {"/openapi.json"}
    assert "@import" not in page
    assert "url(" not in page
