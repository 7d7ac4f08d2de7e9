"""Metrics of declarations in addition to those of every service."""

from prometheus_client import Counter

from declarations.domain.state import CaseReason

CASES_OPENED = Counter(
    "trade_cases_opened_total",
    "Cases when decided, by reason; a decision lost to another replica is counted again. "
    "removed_before_release: goods left without release, customs must act: docs/runbooks/cases.md.",
    ["reason"],
)
for _reason in CaseReason:
    CASES_OPENED.labels(reason=_reason)  # start at zero, so that the first case of a process is an increase
