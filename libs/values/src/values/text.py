"""The characters that a text may have, the same at every door.

    reference   one line that identifies something: only visible characters (none that display ignores or shows as a
                blank, no format, private-use or unassigned ones), in NFC, no compatibility forms (full-width letters,
                ligatures, superscripts), ASCII digits, and letters of only one alphabet per word
    line        one line for people: no control characters, no direction overrides
    prose       as a line, with line feeds and tabs

Lines and prose may have other characters that display ignores: variation selectors in Chinese names and Mongolian, and
joiners in Persian. They are not used to look anything up.

Sources: Unicode Standard Annex 15 (normal forms), Annex 44 with `DerivedCoreProperties.txt`
(Default_Ignorable_Code_Point), Technical Standard 39 (mixed scripts; alphabets that look alike), Technical Report 36
(direction overrides).
"""

import re
import unicodedata
from collections.abc import Iterator

from values.faults import TextFault

CONTROL = "text.control"
HIDDEN = "text.hidden"
COMPOSED = "text.not_composed"
COMPATIBILITY = "text.compatibility"
DIGIT = "text.digit"
SCRIPTS = "text.mixed_scripts"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_IN_PROSE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_TURNING = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_HIDDEN_CATEGORIES = frozenset({"Cf", "Co", "Cs", "Cn", "Zs"})
"""Format, private-use, surrogate and unassigned characters, and blanks other than the space."""
IGNORABLE = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
"""Ranges (first, last) of characters that display ignores: Default_Ignorable_Code_Point, of every category."""
BLANK = ((0x2800, 0x2800), (0x13441, 0x13442), (0x16FE4, 0x16FE4), (0x1D159, 0x1D159))
"""Symbols and letters that look like a blank: Braille, hieroglyphs, the Khitan filler, a note without a head."""
_UNSEEN = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in IGNORABLE + BLANK) + "]")
_LOOK_ALIKE = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "COPTIC", "CHEROKEE", "LISU", "GEORGIAN")
"""Alphabets with look-alike letters; mixing two of them in one word makes another name that looks the same."""
_WORD = re.compile(r"\w+")


def line_fault(text: str) -> TextFault | None:
    """The fault of one line for people, if any."""
    return _first(text, CONTROL, _CONTROL) or _first(text, HIDDEN, _TURNING)


def prose_fault(text: str) -> TextFault | None:
    """The fault of a text of several lines, if any."""
    return _first(text, CONTROL, _CONTROL_IN_PROSE) or _first(text, HIDDEN, _TURNING)


def hidden_fault(text: str) -> TextFault | None:
    """The first invisible character; a space counts as visible."""
    hidden = (sign for sign in text if unicodedata.category(sign) in _HIDDEN_CATEGORIES or _UNSEEN.match(sign))
    return next((TextFault(HIDDEN, _visible(sign)) for sign in hidden if sign != " "), None)


def reference_fault(text: str) -> TextFault | None:
    """The fault of a reference, if any; no two valid references look alike."""
    if text.isascii():
        return _first(text, CONTROL, _CONTROL)
    return next(_reference_faults(text), None)


def _reference_faults(text: str) -> Iterator[TextFault]:
    if fault := _first(text, CONTROL, _CONTROL):
        yield fault
    if fault := hidden_fault(text):
        yield fault
    if not unicodedata.is_normalized("NFC", text):
        yield TextFault(COMPOSED)
    for sign in text:
        if not unicodedata.is_normalized("NFKC", sign):
            yield TextFault(COMPATIBILITY, _visible(sign))
        if unicodedata.category(sign) == "Nd" and not sign.isascii():
            yield TextFault(DIGIT, _visible(sign))
    for word in _WORD.findall(text):
        if len({alphabet for sign in word if (alphabet := _alphabet(sign))}) > 1:
            yield TextFault(SCRIPTS, word)


def _alphabet(sign: str) -> str:
    """The alphabet of a letter, if it is one of those with look-alike letters."""
    first = unicodedata.name(sign, "").partition(" ")[0]
    return first if first in _LOOK_ALIKE else ""


def _first(text: str, code: str, pattern: re.Pattern[str]) -> TextFault | None:
    found = pattern.search(text)
    return None if found is None else TextFault(code, _visible(found[0]))


def _visible(sign: str) -> str:
    """A character's code point, as many faulty characters cannot be seen."""
    return f"U+{ord(sign):04X}"
