"""What an image holds: its own code, and of the lock what that code reaches, no more and no less."""

import re
from pathlib import Path

import pytest
from lock import LOCK, ROOT, locked

import sbom
from contents import IMAGES, LIBRARIES, Image, NotLocked, imported, requirements
from contracts.topics import SERVICES

DOCKERFILE = (ROOT / "deploy" / "images" / "Dockerfile").read_text()
FOR_DEVELOPMENT = {"pytest", "mypy", "ruff", "hypothesis", "testcontainers", "grpcio-tools", "import-linter", "uv"}

images = pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)


def names(requirements_: str) -> set[str]:
    return {name for name, *_ in locked(requirements_)}


@images
def test_what_an_image_holds_is_in_the_lock_with_its_hashes(image: Image) -> None:
    known = {(name, version): hashes for name, version, _, hashes in locked(LOCK.read_text())}
    held = list(locked(requirements(image)))
    assert held
    for name, version, _, hashes in held:
        assert hashes == known[name, version] > 0


@images
def test_what_development_needs_is_in_no_image(image: Image) -> None:
    assert not names(requirements(image)) & FOR_DEVELOPMENT


def test_code_that_imports_what_the_lock_does_not_hold_has_no_image(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("from nobody.knows import this\n")
    with pytest.raises(NotLocked, match=r"nobody\.knows\.this is in no package of the lock"):
        imported(Image("any", (), ("any",), (str(tmp_path),)))


def test_a_service_holds_no_code_of_another() -> None:
    services = {image.name: image for image in IMAGES if image.name in SERVICES}
    assert set(services) == set(SERVICES)
    for name, image in services.items():
        assert image.packages == (*LIBRARIES, f"services/{name}")


def test_what_one_service_needs_alone_is_not_in_another_ones_image() -> None:
    by_name = {image.name: names(requirements(image)) for image in IMAGES}
    assert "fastapi" in by_name["gateway"]
    assert "fastapi" not in by_name["registry"]
    assert "python-stdnum" in by_name["registry"]
    assert "python-stdnum" not in by_name["declarations"]


def test_the_bill_names_every_package_with_the_hashes_that_the_lock_allows() -> None:
    image = IMAGES[0]
    text = requirements(image)
    components = list(sbom.of_lock(text))
    assert {each["name"] for each in components} == {
        name for name, _, marker, _ in locked(text) if marker is None or marker.evaluate()
    }
    allowed = {(name, version): count for name, version, _, count in locked(text)}
    for each in components:
        assert len(each["hashes"]) == allowed[each["name"], each["version"]]
        assert each["purl"] == f"pkg:pypi/{each['name']}@{each['version']}"
    document = sbom.bill("gateway", "1", components)
    references = [each["bom-ref"] for each in document["components"]]
    assert len(references) == len(set(references))
    assert document == sbom.bill("gateway", "1", reversed(components)), "the same contents give the same bill"


def test_the_systems_packages_and_jars_are_named_by_version(tmp_path: Path) -> None:
    (debian,) = sbom.of_debian("libc6 2.36-9+deb12u10 amd64\n")
    assert (debian["name"], debian["version"]) == ("libc6", "2.36-9+deb12u10")
    (tmp_path / "kafka_2.13-4.1.0.jar").write_bytes(b"")
    (jar,) = sbom.of_jars(tmp_path)
    assert (jar["name"], jar["version"]) == ("kafka_2.13", "4.1.0")
    assert jar["hashes"][0]["content"].startswith("e3b0c442")


def test_images_come_from_the_given_base_alone_and_run_as_nobody_of_the_system() -> None:
    froms = re.findall(r"^FROM (\S+)", DOCKERFILE, flags=re.MULTILINE)
    users = re.findall(r"^USER (\S+)", DOCKERFILE, flags=re.MULTILINE)
    assert set(froms) == {"${BASE}", "scratch"}
    assert users == ["10001:10001"] * 2, "one for each image that is run"
    assert "://" not in DOCKERFILE
