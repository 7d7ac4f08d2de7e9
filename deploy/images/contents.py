"""What each image holds: its own packages, and of the lock only what their code reaches.

The lock is one for the whole platform. What an image needs of it follows from the imports of the code in it, through
the dependencies that the installed packages declare: nobody keeps a list of dependencies for each service.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from lock import LOCK, ROOT, locked, reached, wanted
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from contracts.topics import SERVICES

LIBRARIES = ("libs/values", "libs/contracts", "libs/rpc", "libs/chassis")


class NotLocked(Exception):
    """Code of an image imports what the lock does not hold."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image of ours that runs Python."""

    name: str
    packages: tuple[str, ...]
    """Folders of its own packages."""
    starts: tuple[str, ...]
    """What is run with `python -m`; one: the image runs it, several: its arguments begin with one of them."""
    code: tuple[str, ...]
    """Files and folders whose imports say what it needs."""


def _service(name: str) -> Image:
    packages = (*LIBRARIES, f"services/{name}")
    return Image(name, packages, (name,), tuple(f"{package}/src" for package in packages))


_PARTS = ("deploy/local/src/launcher/secantus.py", "deploy/local/src/launcher/mail.py")

TRYING_OUT = Image("trying-out", ("deploy/local",), ("launcher.secantus", "launcher.mail"), _PARTS)
"""An embedded database and a mail server that keeps what it gets: for trying the platform out."""

IMAGES = (*(_service(name) for name in SERVICES), TRYING_OUT)


def requirements(image: Image) -> str:
    """The part of the lock that the image needs, with its hashes."""
    needed = {canonicalize_name(name) for name in reached(list(asked(image)))}
    entries = _entries(LOCK.read_text())
    return "".join(entries[name] for name in sorted(needed))


def asked(image: Image) -> Iterator[Requirement]:
    """What the image's code imports of others, as `requirements.in` asks for it, or plainly where it does not."""
    named = {str(canonicalize_name(each.name)): each for each in wanted()}
    for name in sorted(imported(image)):
        yield named.get(name) or Requirement(name)


def imported(image: Image) -> set[str]:
    """The distributions that the image's code imports itself.

    Raises:
        NotLocked: it imports what is neither its own, nor the standard library's, nor in the lock.
    """
    own = {path.name for package in image.packages for path in (ROOT / package / "src").iterdir() if path.is_dir()}
    found = set()
    for file in _files(image):
        for module in _imports(file):
            if module.split(".")[0] not in own | sys.stdlib_module_names:
                found.add(_distribution(module, file))
    return found


def _files(image: Image) -> Iterator[Path]:
    for each in image.code:
        path = ROOT / each
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _imports(file: Path) -> Iterator[str]:
    """Every module that a file may import; of `from a import b` the longer name, as b may be a module."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _distribution(module: str, file: Path) -> str:
    """Whose file a module is, that is imported in `file`."""
    parts = module.split(".")
    modules = _modules()
    names = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    found = next((modules[name] for name in names if name in modules), None)
    if found is None:
        raise NotLocked(f"{file}: {module} is in no package of the lock")
    return found


@cache
def _modules() -> Mapping[str, str]:
    """Module → distribution, of everything in the lock; several share the folder of a namespace, none a file."""
    found: dict[str, str] = {}
    for name, _, marker, _ in locked(LOCK.read_text()):
        if marker is None or marker.evaluate():
            found |= dict.fromkeys(_provided(file.as_posix() for file in distribution(name).files or []), name)
    return found


def _provided(files: Iterable[str]) -> Iterator[str]:
    for file in files:
        if match := re.fullmatch(r"(?P<path>.+?)(?:/__init__)?(?:\.[\w-]+)?\.(?:py|so)", file):
            yield match["path"].replace("/", ".")


def _entries(text: str) -> dict[str, str]:
    """Each package's lines of the lock; some have an entry for each version of Python."""
    found: dict[str, str] = {}
    for each in re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE):
        if "==" in each:
            name = canonicalize_name(each.split("==")[0])
            found[name] = found.get(name, "") + each
    return found
