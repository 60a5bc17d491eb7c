"""docker-compose.yml and Dockerfile against the code: every command, option and setting they name exists."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import click
import pytest
import typer
import uvicorn
import yaml

from gateway import regions
from gateway.cli.main import app
from gateway.conformance import keys, simulator
from gateway.runtime import configure, master_key
from gateway.worker.__main__ import _parser as worker_parser

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("tongban")}
PORTS = {"sichuan": 9001, "chongqing": 9002}


def command(name):
    return [str(word) for word in SERVICES[name]["command"]]


def test_every_part_of_the_gateway_is_there():
    destinations = set(regions.discover())
    assert {"web", "beat", "migrate", "postgres", "redis"} <= set(SERVICES)
    assert {name for name in SERVICES if name.startswith("worker-")} == {f"worker-{d}" for d in destinations}
    assert {name for name in SERVICES if "rehearsal" in SERVICES[name].get("profiles", ())} == {
        f"simulated-{destination}" for destination in destinations
    }
    assert SERVICES["web"]["deploy"]["replicas"] > 1


@pytest.mark.parametrize("name", sorted(OURS))
def test_its_command_exists_and_takes_its_options(name):
    program, *arguments = command(name)
    match program:
        case "tongban":
            group = typer.main.get_command(app)
            with click.Context(group) as context:
                verb, found, rest = group.resolve_command(context, arguments)
                assert found is not None, verb
                found.make_context(verb, list(rest), parent=context)
        case "uvicorn":
            parsed = uvicorn.main.make_context("uvicorn", list(arguments))
            assert parsed.params["app"] == "gateway.asgi:app"
        case "python":
            assert arguments[0] == "-m"
            assert importlib.util.find_spec(arguments[1]) is not None
            parser = {"gateway.worker": worker_parser, "gateway.conformance.simulator": simulator.parser}
            parser[arguments[1]]().parse_args(arguments[2:])
        case _:
            pytest.fail(f"{program} is no program of ours")


def test_each_worker_and_simulator_serves_the_region_in_its_name():
    for name in OURS:
        part, _, region = name.partition("-")
        if part in {"worker", "simulated"}:
            assert region in command(name), name


def test_its_environment_is_a_complete_configuration(tmp_path):
    folder = tmp_path / "etc"
    keys.write(folder, {slug: f"http://{slug}.invalid:{port}" for slug, port in PORTS.items()})
    environment = {
        name: value.replace("/etc/tongban", str(folder)).replace(":?set it in .env", "")
        for name, value in SERVICES["web"]["environment"].items()
    }
    settings = configure(Path(environment["TONGBAN_CONFIG"]), environment)
    assert settings.server.host == "0.0.0.0"
    assert settings.database_url.endswith("@postgres:5432/tongban")
    assert settings.redis_url == "redis://redis:6379/0"
    assert master_key(settings).hex() == (folder / "master.key").read_text()
    assert {"postgres", "redis"} <= set(SERVICES)


def test_workers_and_schedule_are_asked_where_they_answer():
    port = SERVICES["web"]["environment"]["TONGBAN_METRICS_PORT"]
    asked = {
        name: " ".join(SERVICES[name]["healthcheck"]["test"])
        for name in OURS
        if "healthcheck" in SERVICES[name]
    }
    assert {"web", "beat", *(f"worker-{slug}" for slug in regions.discover())} == set(asked)
    for name, words in asked.items():
        assert (f":{port}/healthz" if name != "web" else ":8080/readyz") in words


def test_redis_keeps_rings_and_evicts_nothing():
    words = " ".join(command("redis"))
    assert "--appendonly yes" in words
    assert "--maxmemory-policy noeviction" in words


def test_images_name_no_host_and_a_version():
    for name, service in SERVICES.items():
        assert re.fullmatch(r"[a-z]+:[0-9][a-z0-9.-]*", service["image"]), name
    assert SERVICES["postgres"]["image"].startswith("postgres:18")


def test_volumes_and_services_named_are_declared():
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", ())) <= set(SERVICES), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source.startswith("./") or source in COMPOSE["volumes"], volume


def test_nothing_but_the_web_is_reached_from_outside_and_that_only_from_this_host():
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"web"}
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["web"]["ports"])


def test_the_image_copies_what_is_there_and_runs_as_no_root():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    for line in lines:
        words = line.split()
        if words[:1] == ["COPY"] and not words[1].startswith("--"):
            for source in words[1:-1]:
                assert (ROOT / source).exists(), source
                assert source in allowed, source
    assert [line for line in lines if line.startswith("USER")] == ["USER tongban"]


def test_the_image_installs_exactly_the_tested_versions():
    def pins(name):
        return set(re.findall(r"^([a-z0-9._-]+==\S+)", (ROOT / name).read_text(), re.MULTILINE))

    assert pins("deploy/requirements.lock") < pins("requirements.lock")
    assert not re.search(
        r"^pytest|^ruff|^mypy", (ROOT / "deploy/requirements.lock").read_text(), re.MULTILINE
    )
