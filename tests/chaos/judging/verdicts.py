"""The verdict on one invariant: how many cases were judged, and which faults were found."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NAMES = {
    1: "commands: acknowledged once, refused never",
    2: "topic = histories, 1..n, same contents",
    3: "each delivery applied once or parked",
    4: "nothing overtakes, nobody else waits",
    5: "sums are conserved, guards hold",
    6: "one intent per effect, claimed, one id",
    7: "no offset past what is unresolved",
    8: "deadlines: once, not early, not lost",
    9: "every effect leads back to its cause",
    10: "at rest nothing waits",
}
"""As in docs/architecture/invariants.md, shortened for a table."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One invariant, judged."""

    number: int
    """As in docs/architecture/invariants.md."""
    looked_at: int
    """How many cases were judged: zero is itself a failure."""
    faults: Sequence[str] = ()


def demanded(verdicts: Iterable[Verdict], exercised: set[int]) -> list[Verdict]:
    """The verdicts on the exercised invariants, each on at least one case.

    An invariant without a case is left out if the load did not exercise it, and gets a fault if the load did.
    """
    kept = []
    for each in verdicts:
        if each.looked_at == 0 and each.number in exercised:
            kept.append(Verdict(each.number, 0, (*each.faults, f"{each.number}: nothing was looked at")))
        elif each.looked_at or each.faults:
            kept.append(each)
    missing = exercised - {each.number for each in kept}
    return kept + [Verdict(number, 0, (f"{number}: nothing was looked at",)) for number in sorted(missing)]


def faults_of(verdicts: Iterable[Verdict]) -> list[str]:
    """Every fault, one per line."""
    return [fault for each in verdicts for fault in each.faults]


def total(runs: Iterable[Sequence[Verdict]]) -> list[Verdict]:
    """The verdicts of several runs, added up by invariant."""
    looked: dict[int, int] = {}
    faults: dict[int, list[str]] = {}
    for verdicts in runs:
        for each in verdicts:
            looked[each.number] = looked.get(each.number, 0) + each.looked_at
            faults.setdefault(each.number, []).extend(each.faults)
    return [Verdict(number, looked[number], faults[number]) for number in sorted(looked)]


def table(verdicts: Iterable[Verdict]) -> str:
    """Invariant, looked at, faults: one line for each of the ten."""
    found = {each.number: each for each in verdicts}
    lines = [f"{'invariant':<46}{'looked at':>10}{'faults':>8}"]
    for number, name in NAMES.items():
        each = found.get(number)
        numbers = f"{each.looked_at:>10}{len(each.faults):>8}" if each else f"{'–':>10}{'–':>8}"
        lines.append(f"{number:>2}  {name:<42}{numbers}")
    return "\n".join(lines)
