"""Code lists over services: codes of real WCO declarations pass, and doors and owners know the same ones."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from contracts.codes import is_activity
from contracts.gateway import v1
from declarations.domain.declaration import Declaration
from declarations.domain.rules.codes import check_codes, warn
from declarations.reference_data import load_codes
from gateway.formats.wco import read
from matching.domain.sectors import path

pytestmark = pytest.mark.serverless

ORIGINALS = Path(__file__).resolve().parents[3] / "shared" / "data" / "wco" / "samples"
CODES = load_codes()

NO_SUCH_PLACE = {"TT_IM095a/Step1_TT_IM095a.xml"}
"""States the country ZU, which no list has."""
WITHOUT_IMPORTER = {
    "TT_IM083a/Step1_TT_IM083a.xml",
    "TT_IM083b/Step1_TT_IM083b.xml",
    "TT_IM135a/TT_IM135a.xml",
}
"""Name no importer by number: two by name and address alone, which are not carried, one not at all."""


def _declarations() -> dict[str, Declaration]:
    if not ORIGINALS.is_dir():
        pytest.skip(f"the WCO sample documents are not at {ORIGINALS}")
    found = {}
    for file in sorted(ORIGINALS.rglob("*.[xX][mM][lL]")):
        body = file.read_bytes()
        if b"WCOTypeName>DEC<" in body and b"FunctionCode>9<" in body:
            fields: dict[str, Any] = {"ucr": "U", **read(body).fields}
            plain = v1.Declaration.model_validate(fields).model_dump(mode="json")
            found[str(file.relative_to(ORIGINALS))] = TypeAdapter(Declaration).validate_python(plain)
    return found


def test_every_code_of_an_original_that_exists_passes() -> None:
    declarations = _declarations()
    assert len(declarations) > 150
    wrong = {
        (name, error.code) for name, declaration in declarations.items() for error in check_codes(declaration, CODES)
    }
    assert wrong == {
        *((name, "declaration.place.unknown") for name in NO_SUCH_PLACE),
        *((name, "declaration.importer.missing") for name in WITHOUT_IMPORTER),
    }


def test_what_is_old_or_unusual_in_an_original_is_a_warning() -> None:
    warned = {each.code for declaration in _declarations().values() for each in warn(declaration, CODES)}
    # Their places are European, of which no list is here.
    assert warned == {"declaration.incoterm.old", "declaration.incoterm.mode", "declaration.place.unchecked"}


def test_doors_and_matching_know_the_same_economic_activities() -> None:
    written = [*(chr(sign) for sign in range(ord("A"), ord("Z") + 1)), *(f"{number:02}" for number in range(100))]
    written += ["2410", "0400", "34", "1", "24100", "x", ""]
    assert [code for code in written if is_activity(code)] == [code for code in written if path(code)]
