"""The alerts in docs/runbooks are about metrics that exist, and each leads to a page that exists."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.metrics import MetricWrapperBase

from chassis import metrics
from declarations import metrics as of_declarations

RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks"
RULES: list[dict[str, Any]] = [
    rule for group in json.loads((RUNBOOKS / "alerts.json").read_text())["groups"] for rule in group["rules"]
]
NAMES = [rule["alert"] for rule in RULES]
FROM_OUTSIDE = {"job", "instance", "le"}
"""Labels that Prometheus adds."""


def samples() -> dict[str, set[str]]:
    """Names of samples as a scrape shows them, with their labels."""
    found: dict[str, set[str]] = {}
    for each in (*vars(metrics).values(), *vars(of_declarations).values()):
        if isinstance(each, MetricWrapperBase):
            suffixes = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_count", "_sum"]}[
                str(each._type)
            ]
            found |= {each._name + suffix: set(each._labelnames) for suffix in suffixes}
    return found


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_every_metric_of_an_expression_exists_and_has_the_labels_asked_for(rule: dict[str, Any]) -> None:
    named = set(re.findall(r"\btrade_\w+", rule["expr"]))
    known = samples()
    assert named
    assert named <= known.keys()
    asked = {label.strip() for group in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in group.split(",")}
    told = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert asked | told <= FROM_OUTSIDE | set().union(*(known[each] for each in named))
    if asked:
        assert told <= asked, "what the expression aggregates away cannot be told"


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_every_alert_is_listed_with_its_threshold_and_leads_to_its_page(rule: dict[str, Any]) -> None:
    row = next(line for line in (RUNBOOKS / "alerts.md").read_text().splitlines() if f"| {rule['alert']} |" in line)
    cells = [cell.strip() for cell in row.strip("|").split(" | ")]
    assert cells[1:4] == [f"`{rule['expr']}`", rule["for"], rule["labels"]["severity"]]
    page, _, place = rule["annotations"]["runbook"].removeprefix("docs/runbooks/").partition("#")
    headings = [line.lstrip("# ") for line in (RUNBOOKS / page).read_text().splitlines() if line.startswith("#")]
    assert not place or place in {heading.lower().replace(" ", "-") for heading in headings}
    assert re.search(rf"\({re.escape(page)}{'#' + place if place else ''}\)", row)


def test_what_an_operator_must_hear_of_has_an_alert() -> None:
    alerted = set(re.findall(r"\btrade_\w+", " ".join(rule["expr"] for rule in RULES)))
    gauges = {
        each._name for each in vars(metrics).values() if isinstance(each, MetricWrapperBase) and each._type == "gauge"
    }
    counted_beside_an_age_or_another_count = {
        "trade_consumer_lag_records", "trade_unsent_events", "trade_parked_deliveries", "trade_overdue_timers",
    }  # fmt: skip
    assert gauges - alerted == counted_beside_an_age_or_another_count
    assert len(set(NAMES)) == len(NAMES)
