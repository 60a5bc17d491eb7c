"""Every metric with its labels, as `/metrics` describes it."""

from __future__ import annotations

from docs.site.reference.writing import code, head, table
from gateway.metrics import REGISTRY

_SAYS = (
    "`/metrics` 的全部指标。告警怎样用它们见[告警](../runbooks/alerts.md)；看板在 `deploy/grafana`。",
    "Every metric of `/metrics`. What the alerts make of them: [alerts](../runbooks/alerts.md); the board is in `deploy/grafana`.",
)


def page(english: bool) -> str:  # noqa: FBT001
    """The page."""
    heads = ("metric", "type", "labels", "says") if english else ("指标", "类型", "标签", "说明")
    rows = []
    for collector in sorted(REGISTRY._collector_to_names, key=lambda each: str(getattr(each, "_name", ""))):  # noqa: SLF001 - the library names labels nowhere else
        name, kind = getattr(collector, "_name", None), getattr(collector, "_type", "")
        if name:
            labels = "、".join(map(code, getattr(collector, "_labelnames", ())))
            shown = f"{name}_total" if kind == "counter" else name
            rows.append((code(shown), kind, labels, getattr(collector, "_documentation", "")))
    return head(english, ("指标", "Metrics"), _SAYS, "gateway/metrics.py") + "\n" + table(heads, rows)
