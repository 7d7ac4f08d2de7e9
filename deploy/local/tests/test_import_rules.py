"""Our own import rules detect violations."""

import pytest
from grimp import ImportGraph
from import_rules import Faces

FACES = Faces(
    name="faces",
    session_options={},
    contract_options={
        "containers": ["shop", "shop.shared"],
        "shared_modules": ["shop.clock", "shop.shared"],
        "composers": ["shop.composition"],
    },
)


def _kept(importer: str, imported: str) -> bool:
    graph = ImportGraph()
    graph.add_import(importer=importer, imported=imported)
    return bool(FACES.check(graph, verbose=False).kept)


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("shop.orders.handlers", "shop.stock.store"),
        ("shop.orders", "shop.stock.store"),
        ("shop.app", "shop.stock.store"),
        ("shop.orders.deep.inside", "shop.stock.deep.inside"),
        ("shop.orders.handlers", "shop.shared.papers.reader"),
        ("shop.stock.store", "shop.stock"),
        ("shop.stocktaking", "shop.stock.store"),
    ],
)
def test_an_import_past_a_face_or_back_to_the_own_one_is_seen(importer: str, imported: str) -> None:
    assert not _kept(importer, imported)


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("shop.orders.handlers", "shop.stock"),
        ("shop.app", "shop.stock"),
        ("shop.stock", "shop.stock.store"),
        ("shop.stock.routes", "shop.stock.store"),
        ("shop.orders.handlers", "shop.clock.utc"),
        ("shop.orders.handlers", "shop.shared.papers"),
        ("shop.orders.handlers", "bank.account.inside"),
    ],
)
def test_faces_own_modules_and_what_all_share_may_be_imported(importer: str, imported: str) -> None:
    assert _kept(importer, imported)


def test_who_puts_the_packages_together_imports_what_is_inside_and_nobody_like_it() -> None:
    assert _kept("shop.composition", "shop.orders.inside")
    assert not _kept("shop.composition.part", "shop.orders.inside")
