"""What declarations counts, beside what every service does."""

from prometheus_client import Counter

from declarations.domain.state import CaseReason

CASES_OPENED = Counter(
    "trade_cases_opened_total",
    "Cases as they are decided, by reason; one that loses its race to another replica counts again. "
    "removed_before_release: goods left without a release, customs must act: docs/runbooks/cases.md.",
    ["reason"],
)
for _reason in CaseReason:
    CASES_OPENED.labels(reason=_reason)  # from zero on: the first case of a process is an increase
