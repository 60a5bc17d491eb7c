"""Kubernetes manifests as `kubectl apply -k` would send them, and what can be wrong with them, without a cluster."""

from __future__ import annotations

import functools
import json
import re
from copy import deepcopy

import jsonschema
import kubernetes_validate
import yaml

#: the oldest and the newest Kubernetes that is promised
VERSIONS = ("1.30", "1.37")

_UNDERSTOOD = {"apiVersion", "kind", "namespace", "resources", "images", "patches"}


def _schema(required, **properties):
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


_NAME = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"}
_SELECTOR = _schema(
    [], matchLabels={"type": "object", "minProperties": 1}, matchExpressions={"type": "array"}
)
_WHOLE = {"type": "integer", "minimum": 0}
#: What we use of the custom resources, after the reference pages of KEDA 2 and the Prometheus operator.
CUSTOM = {
    ("keda.sh/v1alpha1", "ScaledObject"): _schema(
        ["scaleTargetRef", "triggers"],
        scaleTargetRef=_schema(["name"], name=_NAME, kind={"type": "string"}, apiVersion={"type": "string"}),
        minReplicaCount=_WHOLE,
        maxReplicaCount=_WHOLE,
        pollingInterval=_WHOLE,
        cooldownPeriod=_WHOLE,
        fallback=_schema(["failureThreshold", "replicas"], failureThreshold=_WHOLE, replicas=_WHOLE),
        advanced=_schema(
            [], horizontalPodAutoscalerConfig=_schema(["behavior"], behavior={"type": "object"})
        ),
        triggers={
            "type": "array",
            "minItems": 1,
            "items": _schema(
                ["type", "metadata"],
                type={"const": "prometheus"},
                metricType={"enum": ["AverageValue", "Value"]},
                # KEDA reads nothing but text here: a bare number is refused by the API server
                metadata=_schema(
                    ["serverAddress", "query", "threshold"],
                    serverAddress={"type": "string", "pattern": "^https?://"},
                    query={"type": "string"},
                    threshold={"type": "string", "pattern": r"^\d+(\.\d+)?$"},
                    activationThreshold={"type": "string", "pattern": r"^\d+(\.\d+)?$"},
                ),
            ),
        },
    ),
    ("monitoring.coreos.com/v1", "PodMonitor"): _schema(
        ["selector", "podMetricsEndpoints"],
        selector=_SELECTOR,
        podTargetLabels={"type": "array", "items": {"type": "string"}},
        podMetricsEndpoints={
            "type": "array",
            "minItems": 1,
            "items": _schema(
                ["port"],
                port=_NAME,
                path={"type": "string", "pattern": "^/"},
                interval={"type": "string", "pattern": r"^\d+(s|m)$"},
            ),
        },
    ),
}


def resolve(folder):
    """The documents of a kustomization: resources, then namespace, images and JSON patches, as kustomize does."""
    rules = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert set(rules) <= _UNDERSTOOD, f"{folder}: not understood here: {set(rules) - _UNDERSTOOD}"
    documents = []
    for name in rules["resources"]:
        path = folder / name
        if path.is_dir():
            documents += resolve(path.resolve())
        else:
            documents += [each for each in yaml.safe_load_all(path.read_text()) if each]
    for each in documents:
        if "namespace" in rules and each["kind"] != "Namespace":
            each["metadata"]["namespace"] = rules["namespace"]
        for image in rules.get("images", ()):
            for container in containers(each):
                if container["image"] == image["name"]:
                    container["image"] = f"{image['name']}:{image['newTag']}"
    for patch in rules.get("patches", ()):
        _patch(documents, patch)
    return documents


def _patch(documents, patch):
    target = patch["target"]
    hit = [
        each
        for each in documents
        if each["kind"] == target["kind"] and re.fullmatch(target["name"], each["metadata"]["name"])
    ]
    assert hit, f"nothing to patch: {target}"
    for each in hit:
        for step in yaml.safe_load(patch["patch"]):
            *way, last = step["path"].strip("/").split("/")
            place = each
            for word in way:
                place = place[int(word)] if isinstance(place, list) else place[word]
            assert step["op"] in {"remove", "replace", "add"}
            if step["op"] == "remove":
                del place[last]
            else:
                place[last] = deepcopy(step["value"])


def pod_of(document):
    return document.get("spec", {}).get("template") if document["kind"] in {"Deployment", "Job"} else None


def containers(document):
    pod = pod_of(document)
    return pod["spec"]["containers"] if pod else []


def labels_of(document):
    return pod_of(document)["metadata"]["labels"]


def name_of(document):
    return f"{document['kind']}/{document['metadata']['name']}"


def selects(selector, labels):
    """Whether a label selector (or the plain one of a Service) takes a pod in."""
    plain = selector if not {"matchLabels", "matchExpressions"} & set(selector) else None
    wanted = plain if plain is not None else selector.get("matchLabels", {})
    asked = selector.get("matchExpressions", ()) if plain is None else ()
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        labels.get(one["key"]) in one["values"] for one in asked
    )


# --- what can be wrong: each from the documents to sentences ---


def not_by_the_schema(documents):
    for each in documents:
        custom = CUSTOM.get((each["apiVersion"], each["kind"]))
        if custom:
            for error in jsonschema.Draft202012Validator(custom).iter_errors(each["spec"]):
                yield f"{name_of(each)}: {error.json_path}: {error.message[:200]}"
            continue
        for version in VERSIONS:
            if fault := _fault(json.dumps(each), version):
                yield f"{name_of(each)}: {version}: {fault}"


@functools.cache
def _fault(document, version):
    try:
        kubernetes_validate.validate(json.loads(document), version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return error.message[:200]
    return None


def twice_named(documents):
    names = [name_of(each) for each in documents]
    return [f"{name}: twice" for name in {name for name in names if names.count(name) > 1}]


def selecting_nobody(documents):
    pods = [each for each in documents if pod_of(each)]
    for each in documents:
        spec = each.get("spec", {})
        selector = spec.get("selector") or spec.get("podSelector")
        if not selector or each["kind"] == "Job":
            continue
        taken = [pod for pod in pods if selects(selector, labels_of(pod))]
        if not taken:
            yield f"{name_of(each)}: selects no pod"
        if each["kind"] == "Deployment" and taken != [each]:
            yield f"{name_of(each)}: selects {[name_of(pod) for pod in taken]}"


def scaling_nobody(documents):
    names = {each["metadata"]["name"] for each in documents if each["kind"] == "Deployment"}
    for each in documents:
        target = each.get("spec", {}).get("scaleTargetRef")
        if target and target["name"] not in names:
            yield f"{name_of(each)}: scales {target['name']}, which is not there"


def _asked_ports(document):
    spec = document.get("spec", {})
    match document["kind"]:
        case "Service":
            return [port["targetPort"] for port in spec["ports"]]
        case "PodMonitor":
            return [end["port"] for end in spec["podMetricsEndpoints"]]
        case "NetworkPolicy":
            return [port["port"] for rule in spec.get("ingress", ()) for port in rule.get("ports", ())]
    return []


def ports_nobody_has(documents):
    pods = [each for each in documents if pod_of(each)]
    for each in documents:
        spec = each.get("spec", {})
        selector = spec.get("selector") or spec.get("podSelector")
        for port in _asked_ports(each):
            for pod in pods:
                if selects(selector, labels_of(pod)) and port not in _ports(pod):
                    yield f"{name_of(each)}: {name_of(pod)} has no port {port}"
    for pod in pods:
        for container in containers(pod):
            for probe in probes_of(container):
                if probe["httpGet"]["port"] not in _ports(pod):
                    yield f"{name_of(pod)}: a probe of a port that is not there"


def _ports(pod):
    return {
        word for container in containers(pod) for port in container.get("ports", ()) for word in port.values()
    }


def probes_of(container):
    kinds = ("startupProbe", "livenessProbe", "readinessProbe")
    return [container[kind] for kind in kinds if kind in container]


def references_to_nothing(documents):
    known = {each["metadata"]["name"] for each in documents if each["kind"] == "ConfigMap"}
    for each in documents:
        for container in containers(each):
            for source in container.get("envFrom", ()):
                if source["configMapRef"]["name"] not in known:
                    yield f"{name_of(each)}: no ConfigMap {source['configMapRef']['name']}"
            volumes = {volume["name"] for volume in pod_of(each)["spec"].get("volumes", ())}
            for mount in container.get("volumeMounts", ()):
                if mount["name"] not in volumes:
                    yield f"{name_of(each)}: no volume {mount['name']}"


def unguarded(documents):
    for each in documents:
        if not pod_of(each):
            continue
        spec = pod_of(each)["spec"]
        whole = spec.get("securityContext", {})
        if not whole.get("runAsNonRoot") or whole.get("runAsUser") != 10001:
            yield f"{name_of(each)}: may run as root"
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{name_of(each)}: holds a token of the cluster"
        for container in spec["containers"]:
            own = container.get("securityContext", {})
            if (
                own.get("readOnlyRootFilesystem") is not True
                or own.get("allowPrivilegeEscalation") is not False
            ):
                yield f"{name_of(each)}: may write its image, or rise"
            if own.get("capabilities", {}).get("drop") != ["ALL"]:
                yield f"{name_of(each)}: keeps capabilities"
            if not {"requests", "limits"} <= set(container.get("resources", {})):
                yield f"{name_of(each)}: no resources"
            if not re.fullmatch(r"[a-z]+:[0-9]+\.[0-9]+\.[0-9]+", container["image"]):
                yield f"{name_of(each)}: image {container['image']} is not pinned"
