"""The alerts in docs/runbooks are about metrics that exist, and each leads to a page that exists."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.metrics import MetricWrapperBase

from chassis.telemetry import metrics
from declarations import metrics as of_declarations

RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks"
RULES: list[dict[str, Any]] = [
    rule for group in json.loads((RUNBOOKS / "alerts.json").read_text())["groups"] for rule in group["rules"]
]
NAMES = [rule["alert"] for rule in RULES]
FROM_OUTSIDE = {"job", "instance", "le"}
"""Labels that Prometheus adds."""
UP = {"up": {"job", "instance"}}
"""The metric that Prometheus itself adds: 1 if the target answered the last scrape."""
SERVICES = {each.parent.name for each in RUNBOOKS.parents[1].glob("services/*/pyproject.toml")}


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
    named = set(re.findall(r"\btrade_\w+|\bup\b", rule["expr"]))
    known = samples() | UP
    assert named
    assert named <= known.keys()
    asked = {label.strip() for group in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in group.split(",")}
    told = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert asked | told <= FROM_OUTSIDE | set().union(*(known[each] for each in named))
    chosen = {name for group in re.findall(r"\{([^}]*)\}", rule["expr"]) for name in re.findall(r"(\w+)[=!]", group)}
    assert chosen <= FROM_OUTSIDE | set().union(*(known[each] for each in named))
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
        "trade_http_requests_in_hand", "trade_grpc_calls_in_hand", "trade_door_waiting",
    }  # fmt: skip
    assert gauges - alerted == counted_beside_an_age_or_another_count
    assert len(set(NAMES)) == len(NAMES)


def test_of_every_service_it_is_told_when_no_replica_is_left() -> None:
    gone = {found[1] for rule in RULES if (found := re.fullmatch(r'absent\(up\{job="(\w+)"\} == 1\)', rule["expr"]))}
    assert SERVICES
    assert gone == SERVICES


def test_every_door_that_fails_is_told_of() -> None:
    """What is answered with 5xx, what fails between services, and who is turned away."""
    alerted = " ".join(rule["expr"] for rule in RULES)
    assert 'trade_http_request_seconds_count{status=~"5.."}' in alerted
    assert 'trade_grpc_call_seconds_count{code=~"INTERNAL|UNKNOWN|UNAVAILABLE|DEADLINE_EXCEEDED"}' in alerted
    assert {"trade_door_turned_away_total", "trade_door_places_taken"} <= set(re.findall(r"trade_\w+", alerted))
