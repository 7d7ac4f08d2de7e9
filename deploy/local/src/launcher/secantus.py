"""The embedded server with one patch: a write reads its collection's indexes only once.

SecantusDB reads and decodes the list of indexes seven times for each update and twice for each inserted document, two
fifths of the cost of a shipment (docs/decisions/0041). A transaction of the storage engine sees one snapshot, so within
it only the transaction itself can change the list. The list is cached until the transaction ends or marks an index;
nothing is cached between transactions.
"""

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

from secantus import cli
from secantus.storage import Storage

Index = tuple[str, dict[str, Any], dict[str, Any]]
"""Name, key and options."""


def remember_indexes_in_transactions(storage: type[Any]) -> None:
    """Patch the package's storage class.

    Raises:
        AttributeError: this version of the package lacks the methods; adapt the patch.
    """
    storage._batch_transaction = _remembering(storage._batch_transaction)
    storage._iter_indexes = _remembered(storage._iter_indexes)
    storage._maybe_mark_multikey = _forgetting(storage._maybe_mark_multikey)


def _remembering(transaction: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(transaction)
    @contextlib.contextmanager
    def remembering(self: Any, **options: Any) -> Iterator[Any]:
        with transaction(self, **options) as session:
            self._tls.indexes = {}
            try:
                yield session
            finally:
                self._tls.indexes = None

    return remembering


def _remembered(read: Callable[[Any, str, str], Any]) -> Callable[[Any, str, str], Any]:
    @functools.wraps(read)
    def remembered(self: Any, db: str, collection: str) -> list[Index]:
        known: dict[tuple[str, str], list[Index]] | None = getattr(self._tls, "indexes", None)
        if known is None:
            return list(read(self, db, collection))
        if (db, collection) not in known:
            known[db, collection] = list(read(self, db, collection))
        return known[db, collection]

    return remembered


def _forgetting(mark: Callable[..., set[str]]) -> Callable[..., set[str]]:
    @functools.wraps(mark)
    def forgetting(self: Any, *arguments: Any) -> set[str]:
        *_, marked_before = arguments
        count = len(marked_before)
        marked = mark(self, *arguments)
        if len(marked) != count:
            self._tls.indexes.clear()
        return marked

    return forgetting


def main() -> None:
    """`secantusd-py`, with its own options."""
    remember_indexes_in_transactions(Storage)
    sys.exit(cli.main())


if __name__ == "__main__":
    main()
