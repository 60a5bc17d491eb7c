"""Alert rules and dashboard against the numbers the gateway publishes, and the proof that each check bites."""

from __future__ import annotations

import json
import re
from pathlib import Path

import promql_parser as promql
import pytest
import yaml

from gateway import metrics
from gateway.region import Outcome
from gateway.store.records import Ending

ROOT = Path(__file__).parents[2]
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((ROOT / "deploy/grafana/tongban.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
SCALERS = [
    each["spec"]["triggers"][0]["metadata"]["query"]
    for each in yaml.safe_load_all((ROOT / "deploy/kubernetes/overlays/autoscale/worker.yaml").read_text())
]
#: What Prometheus itself says of a scrape, with the label the scrape gives it.
OF_THE_SCRAPE = {"up": {"app_kubernetes_io_component", "instance", "job"}}
VALUES = {
    "direction": {"in", "out"},
    "outcome": {each.value for each in (*Outcome, *Ending)},
}


#: The series each type of metric shows.
SERIES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def own():
    """Every metric of the gateway: name as registered → (its type, its labels)."""
    return {
        metric._name: (metric._type, set(metric._labelnames))
        for metric in metrics.REGISTRY._collector_to_names
    }


def published():
    """Series name → its labels, as a scrape shows them."""
    known = {
        name + ending: labels | ({"le"} if ending == "_bucket" else set())
        for name, (kind, labels) in own().items()
        for ending in SERIES[kind]
    }
    return OF_THE_SCRAPE | known


def selectors(expression):
    """Every vector selector of a query; errors: `ValueError` when it is no PromQL."""
    found = []

    def look(node):
        if isinstance(node, promql.VectorSelector):
            found.append(node)
        return True

    promql.walk(promql.parse(expression), look)
    return found


def grouped_by(expression):
    return {
        label.strip()
        for group in re.findall(r"\b(?:by|on) ?\(([^)]*)\)", expression)
        for label in group.split(",")
    } - {""}


def faults(expression):
    """What is wrong with a query, as sentences."""
    plain = expression.replace("$__rate_interval", "5m").replace("$region", ".*")
    try:
        asked = selectors(plain)
    except ValueError as error:
        return [f"no PromQL: {error}"]
    said = [] if asked else ["asks for nothing"]
    known, labels = published(), set()
    for selector in asked:
        if selector.name not in known:
            said.append(f"{selector.name}: nobody publishes it")
            continue
        labels |= known[selector.name]
        for matcher in selector.matchers.matchers:
            if matcher.name not in known[selector.name]:
                said.append(f"{selector.name}: has no label {matcher.name}")
            elif matcher.name in VALUES and matcher.value not in VALUES[matcher.name]:
                said.append(f"{selector.name}: {matcher.name} is never {matcher.value}")
    return said + [f"groups by {label}, which nothing has" for label in sorted(grouped_by(plain) - labels)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_numbers_that_exist(rule):
    assert faults(rule["expr"]) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_in_chinese_what_it_is_and_where_to_read_on(rule):
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    for name in ("summary", "description"):
        assert re.search(r"[\u4e00-\u9fff]{2}", rule["annotations"][name])
    # A label that is summed away is empty in the text.
    told = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    assert told <= grouped_by(rule["expr"]) | (
        OF_THE_SCRAPE["up"] if rule["expr"].startswith("up{") else set()
    )
    assert all(re.fullmatch(r"\d+[smh]", rule[key]) for key in ("for",) if key in rule)
    path, _, anchor = rule["annotations"]["runbook"].partition("#")
    page = (ROOT / path).read_text()
    assert not anchor or anchor in {head.lower() for head in re.findall(r"^## (\w+)$", page, re.MULTILINE)}


def test_alerts_and_their_page_name_each_other():
    page = (ROOT / "docs/runbooks/alerts.md").read_text()
    pointed = {rule["alert"] for rule in RULES if "alerts.md" in rule["annotations"]["runbook"]}
    assert set(re.findall(r"^## (\w+)$", page, re.MULTILINE)) == pointed
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_asks_for_numbers_that_exist(panel):
    assert re.search(r"[\u4e00-\u9fff]", panel["title"])
    assert panel["targets"]
    for target in panel["targets"]:
        assert faults(target["expr"]) == []
        told = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert told <= grouped_by(target["expr"])


def test_panels_do_not_lie_over_each_other_and_have_numbers_of_their_own():
    boxes = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    cells = [
        (x, y) for b in boxes for x in range(b["x"], b["x"] + b["w"]) for y in range(b["y"], b["y"] + b["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_every_number_the_gateway_publishes_is_on_the_dashboard():
    asked = {
        selector.name
        for panel in PANELS
        for target in panel["targets"]
        for selector in selectors(target["expr"].replace("$__rate_interval", "5m"))
    }
    for name, (kind, _) in own().items():
        assert asked & {name + ending for ending in SERIES[kind]}, name


@pytest.mark.parametrize("query", SCALERS)
def test_workers_grow_by_numbers_that_exist(query):
    assert faults(query) == []


@pytest.mark.parametrize(
    "spoilt",
    [
        "max(tongban_due_age_second)",
        "max by (destination) (tongban_due_age_seconds)",
        'tongban_messages_total{direction="inn"}',
        'tongban_messages_total{outcome="lost"}',
        'tongban_due_age_seconds{destination="x"}',
        "sum(rate(tongban_messages_total[5m])",
        "rate(tongban_messages_total)",
        "tongban_intake_seconds > 1",
        "1 > 2",
    ],
)
def test_each_mistake_in_a_query_is_found(spoilt):
    assert faults(spoilt)
