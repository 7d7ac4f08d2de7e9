"""What a soak leaves behind: a JSON file for programs and a text for people."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from chaos.cells.ground import Verdict

MEGABYTE = 1_000_000
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Look:
    """The run at one moment."""

    second: int
    lodged: int
    closed: int
    memory: Mapping[str, int]
    """Resident bytes by part."""
    happened: Sequence[str]
    """What was broken since the last look."""

    @property
    def under_way(self) -> int:
        """Shipments that were lodged and not closed."""
        return self.lodged - self.closed

    def line(self) -> str:
        """For the terminal."""
        broken = "; ".join(self.happened) or "nothing"
        return f"{self.second // 60:3}:{self.second % 60:02}  {self.closed} of {self.lodged} closed   {broken}"


@dataclass
class Soak:
    """One run, as far as it has come."""

    seed: int
    minutes: float
    database: str = ""
    looks: list[Look] = field(default_factory=list)
    faults: Mapping[str, int] = field(default_factory=dict)
    verdicts: Sequence[Verdict] = ()
    lodged: int = 0
    closed: int = 0
    submissions: int = 0
    kills_looked_at: int = 0
    """After how many kills the committed offsets were looked at, before any restart."""
    broke: str = ""
    """What ended the run before its end."""
    stacks: Sequence[str] = ()
    """Stack traces in the logs: what nobody expected."""

    @property
    def under_way(self) -> float:
        """Shipments under way at once, the median of all looks while new ones set out."""
        setting_out = [look.under_way for look in self.looks if look.second <= 60 * self.minutes]
        return statistics.median(setting_out) if setting_out else 0

    @property
    def kept(self) -> bool:
        """Whether every promise was kept, and there was something to keep."""
        looked = all(each.looked_at for each in self.verdicts) and bool(self.verdicts)
        broken = any(each.faults for each in self.verdicts)
        return looked and not (broken or self.broke or self.stacks) and 0 < self.lodged == self.closed

    def write(self, folder: Path) -> None:
        """Write `report.json` and `report.txt`."""
        folder.mkdir(parents=True, exist_ok=True)
        told = asdict(self) | {"kept": self.kept, "under_way": self.under_way}
        (folder / "report.json").write_text(json.dumps(told, indent=2, default=str) + "\n")
        (folder / "report.txt").write_text(self.text())

    def text(self) -> str:
        """For people."""
        lines = [
            f"Soak of {self.minutes:g} minutes, seed {self.seed}, database {self.database}",
            f"{self.closed} of {self.lodged} shipments closed; {self.submissions} submissions acknowledged",
            f"{self.under_way:g} shipments were under way at once (median)",
            f"{self.kills_looked_at} times the offsets were looked at right after a kill",
            f"{sum(self.faults.values())} faults:",
            *(f"  {count:4}  {what}" for what, count in sorted(self.faults.items())),
            "Verdicts:",
            *(f"  {_verdict(each)}" for each in self.verdicts),
            *(f"  {fault}" for each in self.verdicts for fault in list(each.faults)[:_SHOWN]),
            *(f"Stack trace: {each}" for each in self.stacks[:_SHOWN]),
            "Memory in MB, first, highest and last look:",
            *self._memory(),
            *([f"It broke: {self.broke}"] if self.broke else []),
            "Every promise was kept." if self.kept else "NOT every promise was kept.",
        ]
        return "\n".join(lines) + "\n"

    def _memory(self) -> list[str]:
        series: dict[str, list[int]] = {}
        for look in self.looks:
            for part, held in look.memory.items():
                series.setdefault(part, []).append(held)
        return [
            f"  {part:14} {held[0] / MEGABYTE:6.0f} {max(held) / MEGABYTE:6.0f} {held[-1] / MEGABYTE:6.0f}"
            for part, held in series.items()
        ]


def _verdict(each: Verdict) -> str:
    found = f"{len(each.faults)} faults" if each.faults else "kept"
    return f"{each.number:2}: looked at {each.looked_at}, {found}"
