"""Every spelling of a reference becomes the same one, and no two references look alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from values import text
from values.faults import TextFault
from values.identifiers import Identifier
from values.references import (
    CONTAINER_CHECK_DIGIT,
    CONTAINER_FORM,
    CommodityCode,
    ContainerNumber,
    DeclarationNumber,
    Lrn,
    Reference,
    SubmissionId,
    SubmissionSource,
    TransportDocument,
    Ucr,
    declaration_id,
)

UNSEEN = [code for first, last in text.IGNORABLE + text.BLANK for code in range(first, last + 1)]
KINDS = [Lrn, Ucr, SubmissionId, SubmissionSource, TransportDocument, DeclarationNumber, CommodityCode, ContainerNumber]


@given(st.sampled_from(KINDS), st.text(max_size=40))
def test_a_normal_form_is_its_own_normal_form(kind, written):
    once = kind(written)
    assert kind(once) == once
    assert str(once) == once


@given(st.text(max_size=20), st.text(max_size=20))
def test_an_identifier_is_its_own_normal_form(scheme, value):
    once = Identifier(scheme, value)
    assert Identifier(once.scheme, once.value) == once


@pytest.mark.parametrize(
    "written",
    ["CN-USCC:91370200MA3DEMX012", "cn-uscc:91370200ma3demx012", "CN-USCC: 9137 0200 MA3D EMX0 12",
     " Cn-Uscc :91370200MA3DEMX012", "CN-USCC:91370200-MA3DEMX012", "CN-USCC:\u00a091370200MA3DEMX012"],
)  # fmt: skip
def test_six_spellings_of_a_declarant_make_one_declaration(written):
    assert declaration_id(Identifier.parse(written), Lrn("TWICE-1 ")) == declaration_id(
        Identifier("CN-USCC", "91370200MA3DEMX012"), Lrn("TWICE-1")
    )


def test_the_id_of_a_declaration_never_changes():
    # printf 'KZ-BIN:190540000014|L1' | sha256sum
    assert declaration_id(Identifier("KZ-BIN", "190540000014"), Lrn("L1")) == "D-b0c308286cd9122955df"


@pytest.mark.parametrize("value", ["19054000001⁴", "１９０５４０００００１４", "ſ", "ı1"])
def test_no_character_of_another_script_becomes_an_ascii_one(value):
    number = Identifier("KZ-BIN", value)
    assert number.fault() is not None
    assert not number.value.isascii()


def test_cyrillic_letters_of_a_belarusian_number_are_read_as_the_latin_ones_they_stand_for():
    assert Identifier("BY-UNP", "МА1234567") == Identifier("BY-UNP", "MA1234567")


@pytest.mark.parametrize(
    "written", ["CSQU3054383", "csqu 305438 3", "CSQU 305.438-3", "CSQU-305438/3", "csqu\u2011305438\u20113"]
)
def test_every_spelling_of_a_container_number_meets(written):
    assert ContainerNumber(written) == "CSQU3054383"
    assert ContainerNumber(written).warning() is None


@pytest.mark.parametrize(
    ("written", "code"),
    [("CSQU3054384", CONTAINER_CHECK_DIGIT), ("CSQU3054383ABC", CONTAINER_FORM), ("NOTACONTAINER", CONTAINER_FORM)],
)
def test_an_odd_container_number_warns_and_is_taken(written, code):
    number = ContainerNumber(written)
    assert number.fault() is None
    warning = number.warning()
    assert warning is not None
    assert warning.code == code


def test_a_remainder_of_ten_is_a_legal_check_digit():
    ten = next(f"{n:06d}" for n in range(10**6) if _remainder(f"MSKU{n:06d}") == 10)
    assert ContainerNumber(f"MSKU{ten}0").warning() is None


@pytest.mark.parametrize("written", ["", "  ", "-", "С SQU305438３", "CSQU305438３"])
def test_an_empty_or_foreign_container_number_cannot_be_used(written):
    assert ContainerNumber(written).fault() is not None


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("U\u200b-1", text.HIDDEN),
        ("U-1\U000e0041", text.HIDDEN),
        ("U\ue000", text.HIDDEN),
        ("U\u202e1", text.HIDDEN),
        ("U\t1", text.CONTROL),
        ("U\x001", text.CONTROL),
        ("Ｕ-1", text.COMPATIBILITY),
        ("U-²", text.COMPATIBILITY),
        ("U-٥", text.DIGIT),
        ("СHINA-1", text.SCRIPTS),
        ("ΑB-1", text.SCRIPTS),
    ],
)
def test_a_reference_that_looks_like_another_one_cannot_be_used(written, code):
    for kind in (Lrn, Ucr, TransportDocument):
        fault = kind(written).fault()
        if kind is TransportDocument and code == text.CONTROL and "\t" in written:
            assert fault is None  # white space within a number of a document does not count
            continue
        assert fault is not None
        assert fault.code == code


@pytest.mark.parametrize(
    "written", ["QD-2026-000117", "青岛2026-1", "Груз-2026/1", "INV 7", "6CN91370200MA3DEMX012-0001"]
)
def test_references_of_every_language_can_be_used(written):
    assert Lrn(written).fault() is None


@given(st.text(max_size=35))
def test_two_references_that_may_be_used_differ_to_the_eye_or_are_one(written):
    reference = Reference(written)
    if reference.fault() is None:
        assert reference.isprintable()
        assert reference == reference.strip()
        assert "  " not in reference
        assert not any(_is_unseen(ord(sign)) for sign in reference)


def test_every_character_that_is_ignored_in_display_is_known():
    assert len(UNSEEN) - sum(last - first + 1 for first, last in text.BLANK) == 4174  # as the Unicode file counts them


@pytest.mark.parametrize("kind", [Lrn, Ucr, SubmissionId, SubmissionSource, TransportDocument, DeclarationNumber])
@pytest.mark.parametrize("around", ["A{}1", "{}A1", "A1{}", "\u8fbb{}"])
def test_no_reference_holds_a_character_that_nobody_sees(kind, around):
    for code in UNSEEN:
        assert kind(around.format(chr(code))).fault() == TextFault(text.HIDDEN, f"U+{code:04X}")


@pytest.mark.parametrize("sign", list("\ufe0f\U000e0100\u034f\u1160\u17b4\u180b\u2800\u3164\uffa0\U0001d159"))
def test_a_reference_with_something_unseen_is_not_another_one(sign):
    for kind in (Lrn, Ucr, TransportDocument, SubmissionId):
        fault = kind(f"QD-2026{sign}-1").fault()
        assert fault is not None
        assert fault.code == text.HIDDEN


@pytest.mark.parametrize(
    "name", ["\u8fbb\U000e0100\u5546\u4f1a", "\u82a6\ufe00", "\u1820\u180b", "\u0645\u06cc\u200c\u0631\u0648\u062f"]
)
def test_a_name_is_written_as_its_language_writes_it(name):
    assert text.line_fault(name) is None
    assert text.prose_fault(name) is None
    assert Ucr(name).fault() is not None


def test_an_empty_reference_cannot_be_used():
    for kind in (Lrn, Ucr, TransportDocument, DeclarationNumber):
        assert kind(" ").fault() is not None


def test_a_commodity_code_has_no_separators():
    assert CommodityCode("7210.12 00") == "72101200"
    assert CommodityCode("").fault() is None


def _is_unseen(code):
    return any(first <= code <= last for first, last in text.IGNORABLE + text.BLANK)


def _remainder(first_ten):
    """The ISO 6346 algorithm, written out in full."""
    letters = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", [n for n in range(10, 39) if n not in (11, 22, 33)], strict=True))
    return (
        sum(letters.get(sign, 0) * 2**i if sign.isalpha() else int(sign) * 2**i for i, sign in enumerate(first_ten))
        % 11
    )
