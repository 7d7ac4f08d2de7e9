"""Numbers of enterprises: public vectors, known faults of the libraries, and properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from registry.domain import check_digits
from registry.domain.identifiers import (
    CHECK_DIGIT,
    CHECK_DIGIT_WARNING,
    FOREIGN_WARNING,
    FORM,
    MEMBERS,
    SCHEME_COUNTRY,
    SCHEME_FORM,
    SCHEME_UNKNOWN,
    SCHEMES,
    Accepted,
    Fault,
    IdentifierRules,
    Number,
)
from registry.libraries import rules

RULES = rules()
USCC_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def judge(written: str) -> Accepted | Fault:
    scheme, _, value = written.partition(":")
    return RULES.judge(Number(scheme, value), "identifiers[0]")


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.code)
def test_the_example_of_each_scheme_passes_without_a_warning(scheme):
    assert judge(f"{scheme.code}:{scheme.example}") == Accepted(Number(scheme.code, scheme.example))


def test_every_member_state_has_a_scheme():
    assert {code[:2] for code in SCHEMES} - {"LE"} == set(MEMBERS)


@pytest.mark.parametrize(
    "number",
    [
        "CN-USCC:91110000600037341L",
        "RU-INN:7707083893",
        "RU-INN:500100732259",
        "RU-OGRN:1027700132195",
        "KZ-BIN:190540000014",
        "KZ-BIN:190540000540",  # the first weighting gives 10, so the second one decides
        "BY-UNP:200988541",
        "BY-UNP:МА1953684",  # Cyrillic letters, as printed
        "IN-GSTIN:27AAPFU0939F1ZV",
        "IN-PAN:AAPFU0939F",
        "IN-IEC:AAPFU0939F",
        "IN-IEC:0588123456",
        "CN-CUSTOMS:3702910001",
        "LEI:213800KUD8LAJWSQ9D15",
    ],
)
def test_known_numbers_pass(number):
    outcome = judge(number)
    assert isinstance(outcome, Accepted)
    assert outcome.warnings == ()


@pytest.mark.parametrize("head", ["N2110000600037341", "A1110000600037341", "Y1110000600037341", "9A110000600037341"])
def test_a_credit_code_with_leading_letters_passes_although_the_library_refuses_it(head):
    value = head + uscc.calc_check_digit(head)
    assert not uscc.is_valid(value)
    assert isinstance(judge(f"CN-USCC:{value}"), Accepted)


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("CN-USCC:91110000600037341M", CHECK_DIGIT),
        ("CN-USCC:9111000060003734IL", FORM),  # I never occurs
        ("CN-USCC:91A10000600037341L", FORM),  # the region must be digits
        ("RU-INN:7707083894", CHECK_DIGIT),
        ("RU-INN:77070838931", FORM),
        ("RU-OGRN:1027700132196", CHECK_DIGIT),
        ("KZ-BIN:190540000015", CHECK_DIGIT),
        ("KZ-BIN:190540000590", CHECK_DIGIT),  # both weightings give 10: never issued
        ("KZ-BIN:19054000001", FORM),
        ("BY-UNP:200988542", CHECK_DIGIT),
        ("IN-GSTIN:27AAPFU0939F1ZO", CHECK_DIGIT),
        ("IN-PAN:AAPFU0939", FORM),
        ("PK-NTN:123456", FORM),
        ("UZ-STIR:12345678", FORM),
        ("KG-INN:1234567890123", FORM),
        ("TJ-INN:1234567890", FORM),
        ("CN-CUSTOMS:370291000A", FORM),
        ("LEI:213800KUD8LAJWSQ9D16", CHECK_DIGIT),
        ("CN-UCSS:91110000600037341L", SCHEME_UNKNOWN),
        ("QQ-TAX:1", SCHEME_COUNTRY),
        ("EORI:1", SCHEME_FORM),
        ("GB-EORI:", FORM),
        ("GB-EORI:1;2", FORM),
        ("GB-EORI:" + "1" * 36, FORM),
    ],
)
def test_a_wrong_number_is_refused_with_the_rule_and_the_value(number, rule):
    outcome = judge(number)
    assert isinstance(outcome, Fault)
    assert outcome.rule == rule
    at_scheme = rule in {SCHEME_UNKNOWN, SCHEME_COUNTRY, SCHEME_FORM}
    assert outcome.field == ("identifiers[0].scheme" if at_scheme else "identifiers[0].value")
    assert outcome.value == number.partition(":")[0 if at_scheme else 2]
    assert outcome.expected


@pytest.mark.parametrize("state", ["38", "97", "99"])
def test_states_of_india_that_the_library_does_not_know_pass(state):
    passed = [digit for digit in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" if _gstin_passes(f"{state}AAPFU0939F1Z{digit}")]
    assert len(passed) == 1


def _gstin_passes(value: str) -> bool:
    return isinstance(judge(f"IN-GSTIN:{value}"), Accepted)


def test_an_iranian_number_that_breaks_the_usual_rule_warns_and_passes():
    right = judge("IR-NID:14002652653")
    assert isinstance(right, Accepted)
    assert right.warnings == ()
    wrong = judge("IR-NID:14002652654")
    assert isinstance(wrong, Accepted)
    assert wrong.warnings == (CHECK_DIGIT_WARNING,)
    assert isinstance(judge("IR-NID:1400265265"), Fault)


def test_an_iranian_remainder_of_ten_counts_as_zero():
    head = next(
        f"{number:010d}"
        for number in range(10**9, 10**9 + 5000)
        if sum((int(d) + number % 10 + 2) * w for d, w in zip(f"{number:010d}", (29, 27, 23, 19, 17) * 2, strict=True))
        % 11
        == 10
    )
    assert check_digits.iranian_legal_id(head + "0")


@pytest.mark.parametrize(
    "number", ["GB-EORI:GB603202734852", "XI-EORI:XI603202734852", "DE-HRB:HRB-12345", "US-DUNS:12"]
)
def test_a_foreign_number_is_accepted_by_its_form_with_a_warning(number):
    outcome = judge(number)
    assert isinstance(outcome, Accepted)
    assert str(outcome.number) == number
    assert outcome.warnings == (FOREIGN_WARNING,)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("pk-ntn: 1234567-8", "PK-NTN:12345678"),
        ("cn-uscc:91 110000 600037341l", "CN-USCC:91110000600037341L"),
        ("gb-eori: gb 603202734852", "GB-EORI:GB603202734852"),
    ],
)
def test_a_number_is_read_however_it_is_written(written, read):
    outcome = judge(written)
    assert isinstance(outcome, Accepted)
    assert str(outcome.number) == read


@given(st.sampled_from([*SCHEMES, "GB-EORI", "CN-X1", ""]), st.text())
def test_judging_never_raises_and_what_passes_is_in_normal_form(scheme, value):
    outcome = RULES.judge(Number(scheme, value), "identifiers[0]")
    if isinstance(outcome, Accepted):
        assert outcome.number.fault() is None


@given(st.text(alphabet=USCC_LETTERS, min_size=2, max_size=2), st.integers(0, 999999), st.data())
def test_one_wrong_character_of_a_credit_code_is_always_detected(authority, region, data):
    organisation = data.draw(st.text(alphabet=USCC_LETTERS, min_size=9, max_size=9))
    head = f"{authority}{region:06d}{organisation}"
    right = head + uscc.calc_check_digit(head)
    assert isinstance(judge(f"CN-USCC:{right}"), Accepted)
    place = data.draw(st.sampled_from([0, 1, *range(8, 18)]))
    other = data.draw(st.sampled_from([letter for letter in USCC_LETTERS if letter != right[place]]))
    assert isinstance(judge(f"CN-USCC:{right[:place]}{other}{right[place + 1 :]}"), Fault)


@given(st.integers(0, 10**11 - 1))
def test_a_kazakh_number_has_at_most_one_check_digit(head):
    passed = [digit for digit in range(10) if check_digits.kazakh_bin(f"{head:011d}{digit}")]
    assert len(passed) <= 1


def test_rules_without_a_library_check_are_refused_at_start():
    with pytest.raises(ValueError, match="RU-INN"):
        IdentifierRules({}, lambda _: True)
