"""A soak is kept only where there was something to keep, and its report says what happened."""

import json
from pathlib import Path

import pytest
from chaos.cells.ground import Verdict
from chaos.soak.__main__ import main
from chaos.soak.report import Look, Soak

SEEN = [Look(5, 2, 1, {"registry": 100_000_000}, ["killed registry"])]


def a_soak(**changes: object) -> Soak:
    whole = {"seed": 1, "minutes": 1, "looks": SEEN, "verdicts": [Verdict(1, 4)], "lodged": 2, "closed": 2}
    return Soak(**(whole | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "broken",
    [
        {"verdicts": [Verdict(1, 4, ["1: twice"])]},
        {"verdicts": [Verdict(1, 4), Verdict(2, 0)]},
        {"verdicts": []},
        {"closed": 1},
        {"lodged": 0, "closed": 0},
        {"broke": "no broker"},
        {"stacks": ["registry.log: Traceback"]},
    ],
)
def test_it_is_kept_only_where_everything_was(broken: dict[str, object]) -> None:
    assert a_soak().kept
    assert not a_soak(**broken).kept


def test_the_report_tells_what_was_broken_and_found(tmp_path: Path) -> None:
    a_soak(faults={"kill: registry": 3}, verdicts=[Verdict(1, 4, ["1: D-1 has 2 effects"])]).write(tmp_path)
    told = json.loads((tmp_path / "report.json").read_text())
    assert (told["kept"], told["seed"], told["faults"]) == (False, 1, {"kill: registry": 3})
    assert told["looks"][0]["happened"] == ["killed registry"]
    text = (tmp_path / "report.txt").read_text()
    assert "1: D-1 has 2 effects" in text
    assert "NOT every promise was kept" in text


def test_how_many_were_under_way_is_told_of_the_time_in_which_shipments_set_out() -> None:
    looks = [Look(second, 60 + second, second, {}, []) for second in (5, 10, 15)] + [Look(90, 75, 75, {}, [])]
    told = a_soak(looks=looks)
    assert told.under_way == 60
    assert "60 shipments were under way at once" in told.text()


def test_its_usage_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "--minutes" in capsys.readouterr().out


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--folder", str(tmp_path)])
    assert "is there already" in capsys.readouterr().err
