"""Import contracts that import-linter lacks: allowed imports, allowed importers, faces, independent services.

Patterns are shell patterns over dotted names: `*.domain*` matches every module of a package called domain.
`<service>` stands for the package of each folder in services/.
"""

import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

SERVICES = frozenset(each.parent.name for each in Path(__file__).parents[2].glob("services/*/pyproject.toml"))
"""Each service's folder has the name of its package."""
_SERVICE = "<service>"


def _matches(module: str, patterns: list[str]) -> bool:
    package, dot, rest = module.partition(".")
    names = (module, f"{_SERVICE}{dot}{rest}") if package in SERVICES else (module,)
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


class _DirectImports(Contract):
    """Checks each import by itself; a subclass says which ones break the rule."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002 - import-linter's signature
        broken = sorted(
            (importer, imported)
            for importer in graph.modules
            if not graph.is_module_squashed(importer)
            for imported in graph.find_modules_directly_imported_by(importer)
            if self.breaks(importer, imported)
        )
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["broken"]:
            output.print_error(f"{importer} imports {imported}")

    def breaks(self, importer: str, imported: str) -> bool:
        raise NotImplementedError


class AllowedOnly(_DirectImports):
    """The sources may import the standard library, allowed modules, and their own package up to the name `own`."""

    type_name = "allowed_only"
    source_modules: Any = fields.ListField(subfield=fields.StringField())
    allowed_modules: Any = fields.ListField(subfield=fields.StringField(), required=False)
    own: Any = fields.StringField()
    """The last name of the source's own package: `domain` in `registry.domain.enterprise`."""

    def breaks(self, importer: str, imported: str) -> bool:
        if not _matches(importer, self.source_modules):
            return False
        if imported.split(".", maxsplit=1)[0] in sys.stdlib_module_names or _matches(
            imported, self.allowed_modules or []
        ):
            return False
        return not any(imported == own or imported.startswith(f"{own}.") for own in self._owns(importer))

    def _owns(self, importer: str) -> Iterator[str]:
        parts = importer.split(".")
        for position, part in enumerate(parts):
            if part == self.own:
                yield ".".join(parts[: position + 1])


class OnlyBy(_DirectImports):
    """Within some packages, only the named modules may import the targets."""

    type_name = "only_by"
    within: Any = fields.ListField(subfield=fields.StringField())
    target_modules: Any = fields.ListField(subfield=fields.StringField())
    importers: Any = fields.ListField(subfield=fields.StringField())

    def breaks(self, importer: str, imported: str) -> bool:
        return (
            _matches(importer, self.within)
            and _matches(imported, self.target_modules)
            and not _matches(importer, self.importers)
        )


class Faces(_DirectImports):
    """Other packages import only the face (`__init__`) of each package in the containers, never a module inside it.

    A module inside does not import its own face either, which would be circular. New packages are checked too.
    """

    type_name = "faces"
    containers: Any = fields.ListField(subfield=fields.StringField())
    shared_modules: Any = fields.ListField(subfield=fields.StringField(), required=False)
    """Packages whose modules may be imported directly within the container."""
    composers: Any = fields.ListField(subfield=fields.StringField(), required=False)
    """Modules that compose the packages; they may import what is inside."""

    def breaks(self, importer: str, imported: str) -> bool:
        composes = importer in (self.composers or [])
        return not composes and any(self._breaks_in(container, importer, imported) for container in self.containers)

    def _breaks_in(self, container: str, importer: str, imported: str) -> bool:
        if not imported.startswith(f"{container}."):
            return False
        name, _, inside = imported.removeprefix(f"{container}.").partition(".")
        package = f"{container}.{name}"
        if package in (self.shared_modules or []):
            return False
        if inside:
            return importer != package and not importer.startswith(f"{package}.")
        return importer.startswith(f"{package}.")


class ServicesApart(_DirectImports):
    """No service imports another: services communicate over topics and gRPC."""

    type_name = "services_apart"

    def breaks(self, importer: str, imported: str) -> bool:
        one, other = importer.partition(".")[0], imported.partition(".")[0]
        return one != other and {one, other} <= SERVICES
