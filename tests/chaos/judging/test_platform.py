"""All ten invariants are judged, each on at least one case."""

import pytest
from chaos.judging.platform import judged, kept
from chaos.judging.verdicts import Verdict
from chaos.judging.world import World

pytestmark = pytest.mark.serverless


def test_nothing_to_look_at_is_a_failure() -> None:
    with pytest.raises(AssertionError, match="6: there was nothing to look at"):
        kept(judged(World(), []))


def test_every_invariant_is_judged_once_and_what_was_seen_before_is_added() -> None:
    verdicts = judged(World(), [], more=["7: seen right after a kill", "10: late"])
    assert [each.number for each in verdicts] == list(range(1, 11))
    faults = {each.number: list(each.faults) for each in verdicts if each.faults}
    assert faults == {7: ["7: seen right after a kill"], 10: ["10: late"]}
    assert kept([Verdict(1, 0), Verdict(2, 3)], but={1}) == [Verdict(2, 3)]
