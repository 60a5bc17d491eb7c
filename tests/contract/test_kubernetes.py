"""deploy/kubernetes against the schemas of Kubernetes and against the code, and the proof that each check bites."""

from __future__ import annotations

import importlib.util
from copy import deepcopy
from pathlib import Path

import click
import manifests
import pytest
import typer
import uvicorn
import yaml
from manifests import containers, labels_of, name_of, pod_of, probes_of

from gateway import regions
from gateway.cli.main import app
from gateway.conformance import keys
from gateway.runtime import configure, master_key
from gateway.store.engine import POOL_SIZE
from gateway.web.app import create
from gateway.worker import hands
from gateway.worker.__main__ import _parser as worker_parser
from gateway.worker.scrape import Probes

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/kubernetes"
BASE, GROWING = FOLDER / "base", FOLDER / "overlays/autoscale"
RULES = (
    manifests.twice_named,
    manifests.selecting_nobody,
    manifests.scaling_nobody,
    manifests.ports_nobody_has,
    manifests.references_to_nothing,
    manifests.unguarded,
    manifests.not_by_the_schema,  # last: it takes by far the longest
)


@pytest.fixture(scope="module", params=[BASE, GROWING], ids=["base", "autoscale"])
def documents(request):
    return manifests.resolve(request.param)


@pytest.fixture(scope="module")
def growing():
    return manifests.resolve(GROWING)


def only(documents, kind, name=None):
    return [each for each in documents if each["kind"] == kind and name in {None, each["metadata"]["name"]}]


def settings_of(documents):
    return only(documents, "ConfigMap")[0]["data"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_nothing_is_wrong_with_them(documents, rule):
    assert list(rule(documents)) == []


def test_every_file_belongs_to_a_kustomization():
    for folder in (BASE, GROWING):
        named = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
        files = {file.name for file in folder.glob("*.yaml")} - {"kustomization.yaml"}
        assert files == {name for name in named if name.endswith(".yaml")}


def test_every_part_of_the_gateway_is_there(documents):
    names = {each["metadata"]["name"] for each in only(documents, "Deployment")}
    assert names == {
        "tongban-web",
        "tongban-beat",
        *(f"tongban-worker-{slug}" for slug in regions.discover()),
    }
    assert [each["metadata"]["name"] for each in only(documents, "Job")] == ["tongban-migrate"]
    for each in documents:
        assert each["kind"] == "Namespace" or each["metadata"]["namespace"] == "tongban"


@pytest.mark.parametrize("name", ["web", "beat", "migrate", *(f"worker-{s}" for s in regions.discover())])
def test_its_command_exists_and_takes_its_options(name):
    (each,) = [
        one for one in manifests.resolve(BASE) if pod_of(one) and name_of(one).endswith(f"/tongban-{name}")
    ]
    ((program, *arguments),) = [[str(word) for word in one["command"]] for one in containers(each)]
    match program:
        case "tongban":
            group = typer.main.get_command(app)
            with click.Context(group) as context:
                verb, found, rest = group.resolve_command(context, arguments)
                found.make_context(verb, list(rest), parent=context)
        case "uvicorn":
            assert uvicorn.main.make_context("uvicorn", arguments).params["app"] == "gateway.asgi:app"
        case "python":
            assert arguments[0] == "-m"
            assert importlib.util.find_spec(arguments[1]) is not None
            asked = worker_parser().parse_args(arguments[2:])
            if name != "beat":
                assert asked.destination == [labels_of(each)["tongban/destination"]]
        case _:
            pytest.fail(f"{program} is no program of ours")


def test_its_settings_are_a_complete_configuration(documents, tmp_path):
    folder = tmp_path / "etc"
    keys.write(folder, dict.fromkeys(regions.discover(), "http://x.invalid"))
    (folder / "database_url").write_text("postgresql://tongban@db/tongban")
    (folder / "redis_url").write_text("redis://queue/0")
    environment = {
        name: value.replace("/etc/tongban", str(folder)) for name, value in settings_of(documents).items()
    }
    settings = configure(Path(environment["TONGBAN_CONFIG"]), environment)
    assert (settings.database_url, settings.redis_url) == (
        "postgresql://tongban@db/tongban",
        "redis://queue/0",
    )
    assert master_key(settings).hex() == (folder / "master.key").read_text()
    mounts = {
        mount["mountPath"] for each in documents for one in containers(each) for mount in one["volumeMounts"]
    }
    assert "/etc/tongban" in mounts
    for each in documents:
        for container in containers(each):
            assert container["envFrom"] == [{"configMapRef": {"name": "tongban-settings"}}]


def test_the_ports_are_those_the_programs_listen_on(documents):
    port = int(settings_of(documents)["TONGBAN_METRICS_PORT"])
    for each in only(documents, "Deployment"):
        ((own,),) = [one["ports"] for one in containers(each)]
        if each["metadata"]["name"] == "tongban-web":
            words = containers(each)[0]["command"]
            assert str(own["containerPort"]) == words[words.index("--port") + 1]
        else:
            assert own["containerPort"] == port


def test_probes_ask_what_is_answered(documents):
    here = Probes(alive=lambda: True, ready=lambda: True)
    web = set(create().state.describe(regions.discover())["paths"])
    for each in only(documents, "Deployment"):
        for probe in probes_of(containers(each)[0]):
            path = probe["httpGet"]["path"]
            asks_web = each["metadata"]["name"] == "tongban-web"
            assert path in web if asks_web else here.answer(path)[0] == 200
        liveness, readiness = (containers(each)[0][kind] for kind in ("livenessProbe", "readinessProbe"))
        # A store that is away must take a pod out of service and never restart it.
        assert (liveness["httpGet"]["path"], readiness["httpGet"]["path"]) == ("/healthz", "/readyz")


def test_what_is_in_hand_may_be_finished_before_a_pod_is_killed(documents):
    for each in only(documents, "Deployment"):
        grace = pod_of(each)["spec"]["terminationGracePeriodSeconds"]
        container = containers(each)[0]
        if each["metadata"]["name"] == "tongban-web":
            words = container["command"]
            pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
            assert grace > pause + int(words[words.index("--timeout-graceful-shutdown") + 1])
        elif "worker" in each["metadata"]["name"]:
            assert grace > hands._STOP_WITHIN_S


def test_a_worker_differs_from_another_by_its_destination_only(documents):
    texts = {
        each["metadata"]["name"].removeprefix("tongban-worker-"): yaml.safe_dump(each)
        for each in only(documents, "Deployment")
        if "worker" in each["metadata"]["name"]
    }
    assert len({text.replace(slug, "SLUG") for slug, text in texts.items()}) == 1


def test_what_grows_has_no_fixed_number_and_ends_before_the_connections_do(growing):
    fixed = {each["metadata"]["name"] for each in only(growing, "Deployment") if "replicas" in each["spec"]}
    assert fixed == {"tongban-beat"}
    most = [each["spec"]["maxReplicas"] for each in only(growing, "HorizontalPodAutoscaler")]
    most += [each["spec"]["maxReplicaCount"] for each in only(growing, "ScaledObject")]
    (postgres,) = [
        words
        for words in yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["postgres"][
            "command"
        ]
        if str(words).startswith("max_connections=")
    ]
    # one pool is left for migrations and whoever looks
    assert (sum(most) + 1) * POOL_SIZE <= int(postgres.partition("=")[2])
    for each in only(growing, "ScaledObject"):
        assert each["spec"]["minReplicaCount"] >= 1
        slug = each["spec"]["scaleTargetRef"]["name"].removeprefix("tongban-worker-")
        assert f'{{region="{slug}"}}' in each["spec"]["triggers"][0]["metadata"]["query"]


# --- the checks bite ---


def set_at(*way, to):
    """A mutation: the value at a path of the first document of a kind."""

    def mutate(documents):
        kind, *rest = way
        place = next(each for each in documents if each["kind"] == kind)
        for word in rest[:-1]:
            place = place[word]
        place[rest[-1]] = to

    return mutate


POD = ("Deployment", "spec", "template", "spec")
MAIN = (*POD, "containers", 0)
MUTATIONS = {
    "a word of the schema misspelt": set_at(*MAIN, "imagePullPolici", to="Always"),
    "a wrong type": set_at("Deployment", "spec", "replicas", to="two"),
    "labels that leave the selector": set_at(
        "Deployment", "spec", "template", "metadata", "labels", "app.kubernetes.io/component", to="wep"
    ),
    "a Service for nobody": set_at("Service", "spec", "selector", "app.kubernetes.io/name", to="tongbam"),
    "a port that is not there": set_at("Service", "spec", "ports", 0, "targetPort", to="https"),
    "a probe of another port": set_at(*MAIN, "livenessProbe", "httpGet", "port", to="health"),
    "a ConfigMap that is not there": set_at(*MAIN, "envFrom", 0, "configMapRef", "name", to="settings"),
    "a volume that is not there": set_at(*MAIN, "volumeMounts", 0, "name", to="config"),
    "root": set_at(*POD, "securityContext", "runAsUser", to=0),
    "an image that can be written": set_at(*MAIN, "securityContext", "readOnlyRootFilesystem", to=False),
    "an image that moves": set_at(*MAIN, "image", to="tongban:latest"),
    "no resources": set_at(*MAIN, "resources", to={}),
    "the scaling of nobody": set_at("ScaledObject", "spec", "scaleTargetRef", "name", to="tongban-worker"),
    "a bare number where KEDA reads text": set_at(
        "ScaledObject", "spec", "triggers", 0, "metadata", "threshold", to=15
    ),
    "a budget for nobody": set_at(
        "PodDisruptionBudget", "spec", "selector", "matchLabels", "app.kubernetes.io/component", to="w"
    ),
    "a scrape of nobody": set_at(
        "PodMonitor", "spec", "selector", "matchLabels", "app.kubernetes.io/component", to="w"
    ),
    "a scrape of no port": set_at("PodMonitor", "spec", "podMetricsEndpoints", 0, "port", to="numbers"),
    "a policy for no port": set_at("NetworkPolicy", "spec", "ingress", to=[{"ports": [{"port": "smtp"}]}]),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_each_mistake_in_a_manifest_is_found(growing, name):
    spoilt = deepcopy(growing)
    MUTATIONS[name](spoilt)
    assert next((fault for rule in RULES for fault in rule(spoilt)), None)
