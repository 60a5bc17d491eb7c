"""The API's document is complete, and its page asks no other host for anything."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import httpx
import pytest
from jsonschema import Draft202012Validator

from gateway.regions import discover
from gateway.web import docs
from gateway.web.app import create
from gateway.web.problem import CODES, Problem

PINNED = {
    "GET /v1/cases",
    "POST /v1/cases",
    "POST /v1/cases/{case_no}/messages",
    "GET /v1/cases/{case_no}/messages",
    "GET /v1/cases/{case_no}",
    "GET /v1/cases/{case_no}/explain",
    "GET /v1/parked",
    "GET /v1/parked/groups",
    "POST /v1/parked/{id}/release",
    "GET /v1/items",
    "GET /v1/items/{item}",
    "POST /v1/precheck",
    "POST /v1/translate",
    "GET /v1/deliveries",
    "POST /v1/deliveries/{id}/retry",
    "POST /v1/deliveries/{id}/cancel",
    "GET /v1/peers",
    "POST /v1/peers/{slug}/pause",
    "POST /v1/peers/{slug}/resume",
    "POST /v1/peers/{slug}/pace",
    "POST /v1/peers/{slug}/probe",
    "GET /v1/reruns",
    "POST /v1/reruns",
    "GET /v1/reruns/{id}",
    "POST /v1/reruns/{id}/approve",
    "POST /v1/reruns/{id}/pause",
    "POST /v1/reruns/{id}/resume",
    "POST /v1/reruns/{id}/cancel",
    "GET /v1/tallies",
    "GET /healthz",
    "GET /readyz",
    "GET /readyz/intake",
    "GET /metrics",
} | {f"POST /v1/{slug}/messages" for slug in discover()}

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def application():
    app = create()
    app.state.runtime = runtime = SimpleNamespace(regions=discover())
    runtime.pinned = lambda: runtime
    return app


@pytest.fixture(scope="module")
def document(application):
    return application.state.describe(discover())


def operations(document):
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_pinned_address_is_described_and_nothing_else(document):
    assert set(operations(document)) == PINNED


def test_every_operation_and_parameter_is_described_in_chinese(document):
    for name, operation in operations(document).items():
        assert CHINESE.search(operation["summary"]), name
        assert CHINESE.search(operation["description"]), name
        for parameter in operation.get("parameters", ()):
            assert CHINESE.search(parameter["description"]), (name, parameter["name"])


def test_every_member_of_every_answer_is_described_with_an_example(document):
    for name, schema in document["components"]["schemas"].items():
        assert "description" in schema, name
        for member, shape in schema.get("properties", {}).items():
            reference = shape.get("$ref") or shape.get("items", {}).get("$ref")
            assert reference or "description" in shape, (name, member)
            inner = (
                reference
                or "allOf" in shape
                or shape.get("type") == "array"
                or member in {"findings", "instance"}
            )
            assert inner or "example" in shape, (name, member)


def test_every_operation_names_its_errors_as_problems(document):
    for name, operation in operations(document).items():
        answers = operation["responses"]
        assert "500" in answers, name
        if operation.get("security"):
            assert {"400", "401", "403", "503"} <= set(answers), name
        for status, answer in answers.items():
            assert CHINESE.search(answer["description"]), (name, status)
            if int(status) >= 400 and not name.endswith("/messages"):
                assert list(answer["content"]) == ["application/problem+json"], (name, status)


def test_every_problem_has_the_pinned_members(document):
    shape = document["components"]["schemas"]["Problem"]
    validator = Draft202012Validator({"components": document["components"], **shape})
    for code, (status, _) in CODES.items():
        body = Problem(code, "说明", findings=[{"path": "a", "code": "9043", "text": "b"}]).body()
        validator.validate(body)
        assert (body["type"], body["status"]) == (f"urn:tongban:problem:{code}", status)
    assert "findings" not in Problem("not-found", "说明").body()


def test_the_document_is_openapi_3_0_without_loose_ends(document):
    assert document["openapi"].startswith("3.0.")
    text = json.dumps(document)
    for reference in re.findall(r'"#/components/schemas/(\w+)"', text):
        assert reference in document["components"]["schemas"]
    for word in ('"anyOf"', '"const"', '{"type": "null"}', "{origin}", "{target}", "{regions}"):
        assert word not in text


def test_what_a_reader_can_send_is_said_whole(document):
    """Bounds as 3.0 writes them, the regions there are, what an empty value means, and how a reason may read."""
    schemas = document["components"]["schemas"]
    bound = schemas["PaceRequest"]["properties"]["per_second"]
    assert (bound["minimum"], bound["exclusiveMinimum"]) == (0, True)
    reason = re.compile(schemas["Reasoned"]["properties"]["reason"]["pattern"])
    assert reason.search("对方通知今晚升级")
    assert not any(map(reason.search, ("", "  ", "x\x00", "\x1b")))
    slugs = [*discover()]
    assert schemas["PrecheckRequest"]["properties"]["side"]["enum"] == slugs
    assert schemas["PrecheckRequest"]["properties"]["target"]["enum"] == [*slugs, None]
    for parameter in document["paths"]["/v1/cases"]["get"]["parameters"]:
        assert parameter.get("allowEmptyValue", False) == (parameter["name"] != "limit")
        assert "nullable" not in parameter["schema"]


def test_every_example_of_a_body_fits_the_schema_beside_it(document):
    for name, operation in operations(document).items():
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        for kind, example in body.get("examples", {}).items():
            found = body["schema"]["discriminator"]["mapping"][kind]
            assert {"$ref": found} in body["schema"]["oneOf"]
            shape = {"components": document["components"], "oneOf": body["schema"]["oneOf"]}
            Draft202012Validator(shape).validate(example["value"])
            assert example["value"]["kind"] == kind, name


async def test_the_page_fetches_everything_from_its_own_host(application):
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        page = await client.get("/docs")
        assert page.status_code == 200
        assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert len(assets) == 4
        for asset in assets:
            assert not re.match(r"[a-z]+:|//", asset)
            found = await client.get(f"/{asset}")
            assert found.status_code == 200
            assert len(found.content) > 100
        assert "://" not in page.text
        assert (await client.get("/openapi.json")).json()["paths"].keys() >= {"/v1/cases"}
        assert (await client.get("/docs/index.html")).status_code == 404


def test_the_browser_is_told_to_ask_no_other_host():
    assert "default-src 'none'" in docs._POLICY
    assert not re.search(r"https?:|\*", docs._POLICY)
    assert "validatorUrl: null" in docs._START
    assert "://" not in docs._START
