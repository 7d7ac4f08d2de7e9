"""Rules over every overlay: rights, probes, limits, names, secrets, budgets, and settings that the code reads."""

import json
import re
from pathlib import Path

import pytest

from contracts.topics import SERVICES
from manifests import (
    ALL,
    REPOSITORY,
    Document,
    component_of,
    containers,
    environment,
    name_of,
    named,
    of_kind,
    pod,
    where,
    workloads,
)
from settings_table import TABLE, knows, settings_of, table

OVERLAYS = sorted(ALL)
DISCONNECTING_SECONDS = 15
"""What a stop may take beside its preStop and its drain: chassis.grace gives each part a moment more."""
MIB = 2**20


def every(*components: str) -> list[tuple[str, Document]]:
    return [
        (overlay, each)
        for overlay in OVERLAYS
        for each in workloads(overlay)
        if not components or component_of(each) in components
    ]


def test_every_service_runs_and_prepares_in_every_overlay() -> None:
    for overlay in OVERLAYS:
        assert {name_of(each) for each in workloads(overlay, "service")} == set(SERVICES)
        assert {name_of(each) for each in workloads(overlay, "prepare")} == {f"prepare-{name}" for name in SERVICES}


def test_no_pod_has_a_right_that_it_does_not_need() -> None:
    """Pod Security `restricted`, and no token of the cluster's API."""
    for overlay, workload in every():
        spec, told = pod(workload), where(overlay, workload)
        assert spec["automountServiceAccountToken"] is False, told
        assert spec["enableServiceLinks"] is False, f"{told}: a Service named trade-… would be read as settings"
        assert spec["securityContext"]["runAsNonRoot"] is True, told
        assert spec["securityContext"]["runAsUser"] > 0, told
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, told
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), told
        for each in containers(workload):
            context = each["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, told
            assert context["readOnlyRootFilesystem"] is True, told
            assert context["capabilities"] == {"drop": ["ALL"]}, told
            assert not any("hostPort" in port for port in each.get("ports", ())), told
        allowed = {"emptyDir", "projected", "secret", "configMap", "persistentVolumeClaim"}
        for volume in spec["volumes"]:
            assert len(volume.keys() & allowed) == 1, f"{told}: {volume}"


def test_service_accounts_have_no_token_and_every_service_one_of_its_own() -> None:
    for overlay in OVERLAYS:
        for account in of_kind(overlay, "ServiceAccount"):
            assert account["automountServiceAccountToken"] is False
    for overlay, workload in every("service", "prepare"):
        assert pod(workload)["serviceAccountName"] == name_of(workload).removeprefix("prepare-")
        assert named(overlay, "ServiceAccount", pod(workload)["serviceAccountName"])


def test_an_overlay_that_makes_its_namespace_has_it_refuse_what_is_not_restricted() -> None:
    for overlay in OVERLAYS:
        for namespace in of_kind(overlay, "Namespace"):
            assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_liveness_depends_on_nothing_and_readiness_names_what_is_missing() -> None:
    for overlay, workload in every("service"):
        (service,) = containers(workload)
        told = where(overlay, workload)
        assert service["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "admin"}, told
        assert service["startupProbe"]["httpGet"] == {"path": "/livez", "port": "admin"}, told
        assert service["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "admin"}, told
        # The answer itself may take two seconds (chassis.doors.admin.CHECK_SECONDS).
        assert service["readinessProbe"]["timeoutSeconds"] > 2, told
    for overlay, workload in every("server"):
        (server,) = containers(workload)
        assert {"startupProbe", "readinessProbe", "livenessProbe"} <= server.keys(), where(overlay, workload)


def test_a_stop_has_the_time_that_it_takes() -> None:
    for overlay, workload in every("service"):
        (service,) = containers(workload)
        name = name_of(workload)
        pause = service["lifecycle"]["preStop"]["sleep"]["seconds"]
        default = settings_of(name)["TRADE_DRAIN_SECONDS"].default
        drain = float(environment(overlay, workload).get("TRADE_DRAIN_SECONDS", default))
        grace = pod(workload)["terminationGracePeriodSeconds"]
        assert grace >= pause + drain + DISCONNECTING_SECONDS, where(overlay, workload)


def test_what_listens_can_be_reached_and_every_named_port_is_there() -> None:
    for overlay, workload in every("service"):
        given, name = environment(overlay, workload), name_of(workload)
        (service,) = containers(workload)
        ports = {each["name"]: each["containerPort"] for each in service["ports"]}
        known = settings_of(name)
        doors = {each.removesuffix("__HOST") for each in known if each.endswith("__HOST")} - {"TRADE_SMTP"}
        for door in doors:
            told = f"{where(overlay, workload)}: {door}"
            assert given[f"{door}__HOST"] == "0.0.0.0", told  # noqa: S104 - a pod's own address
            port = given.get(f"{door}__PORT", known[f"{door}__PORT"].default)
            assert ports[door.removeprefix("TRADE_").lower()] == int(port), told
    for overlay in OVERLAYS:
        for each in of_kind(overlay, "Service"):
            (behind,) = [
                workload
                for workload in workloads(overlay)
                if each["spec"]["selector"].items() <= workload["spec"]["template"]["metadata"]["labels"].items()
            ]
            open_ = {port["name"]: port["containerPort"] for port in containers(behind)[0]["ports"]}
            for port in each["spec"]["ports"]:
                target = port.get("targetPort", port["port"])
                assert target in open_ or target in open_.values(), f"{overlay}: {each['metadata']['name']} {port}"


def test_every_address_inside_is_a_service_of_the_overlay_or_named_as_brought_along() -> None:
    brought = {"kafka:9092", "mail:25", "kafka:9093", "kafka-kafka-bootstrap:9093"}
    for overlay, workload in every("service", "prepare"):
        for variable, value in environment(overlay, workload).items():
            if re.fullmatch(r"[a-z][a-z0-9-]*:\d+", value) and value not in brought:
                host, _, port = value.partition(":")
                service = named(overlay, "Service", host)
                assert service, f"{where(overlay, workload)}: {variable}={value}"
                assert int(port) in [each["port"] for each in service["spec"]["ports"]], (
                    f"{overlay}: {variable}={value}"
                )


def test_grpc_is_asked_replica_by_replica() -> None:
    for overlay in OVERLAYS:
        for name in SERVICES:
            service = named(overlay, "Service", name)
            assert service and service["spec"]["clusterIP"] == "None", f"{overlay}: {name}"


def test_every_container_asks_for_what_it_uses_and_is_bounded() -> None:
    for overlay, workload in every():
        for each in containers(workload):
            resources = each["resources"]
            assert resources["requests"].keys() >= {"cpu", "memory"}, where(overlay, workload)
            assert resources["limits"].keys() >= {"cpu", "memory"}, where(overlay, workload)
            assert mebibytes(resources["limits"]["memory"]) >= mebibytes(resources["requests"]["memory"])


def test_memory_asked_for_is_what_was_measured_and_not_far_above() -> None:
    newest = sorted((REPOSITORY / "bench").glob("*-shipments.json"))[-1]
    figures = {each["name"]: each["rows"] for each in json.loads(newest.read_text())["figures"]}
    measured: dict[str, float] = {}
    for row, figure in figures["Memory while shipments flow, by service"].items():
        name = row.split(",")[0]
        measured[name] = max(measured.get(name, 0.0), figure["median"])
    assert measured.keys() == set(SERVICES)
    for overlay, workload in every("service"):
        (service,) = containers(workload)
        asked = mebibytes(service["resources"]["requests"]["memory"]) * MIB / 1e6
        assert measured[name_of(workload)] <= asked <= 1.35 * measured[name_of(workload)], where(overlay, workload)


def mebibytes(quantity: str) -> int:
    match = re.fullmatch(r"(\d+)(Mi|Gi)", quantity)
    assert match, quantity
    number, unit = match.groups()
    return int(number) * (1024 if unit == "Gi" else 1)


def test_every_image_is_of_one_version_from_a_registry_that_somebody_named() -> None:
    for overlay, workload in every():
        for each in containers(workload):
            registry, _, rest = each["image"].partition("/")
            assert "." in registry or ":" in registry, f"{where(overlay, workload)}: fetched from a stranger"
            tag = rest.partition("@")[0].rpartition(":")[2]
            assert "@sha256:" in each["image"] or (":" in rest and tag != "latest"), where(overlay, workload)


def test_the_release_is_one_everywhere() -> None:
    """What carries it: images, labels, and the names of Jobs, which cannot be changed once they are there."""
    import tomllib  # noqa: PLC0415

    project = tomllib.loads((REPOSITORY / "services" / "registry" / "pyproject.toml").read_text())
    version = project["project"]["version"]
    for overlay, workload in every("service", "prepare"):
        assert containers(workload)[0]["image"].split("@")[0].endswith(f":{version}"), where(overlay, workload)
        assert workload["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/version"] == version
    for overlay, job in every("prepare"):
        assert job["metadata"]["name"] == f"{name_of(job)}-{version.replace('.', '-')}", overlay


def test_no_secret_stands_in_a_manifest() -> None:
    for overlay in OVERLAYS:
        assert not list(of_kind(overlay, "Secret")), overlay
    for overlay, workload in every("service", "prepare"):
        secrets = {
            each.variable for each in settings_of(name_of(workload).removeprefix("prepare-")).values() if each.secret
        }
        assert not secrets & environment(overlay, workload).keys(), where(overlay, workload)


def test_a_file_that_a_setting_names_is_mounted() -> None:
    for overlay, workload in every("service", "prepare"):
        mounts = [each["mountPath"] for each in containers(workload)[0]["volumeMounts"]]
        for variable, value in environment(overlay, workload).items():
            if value.startswith("/"):
                assert any(value == mount or value.startswith(f"{mount}/") for mount in mounts), (
                    f"{where(overlay, workload)}: {variable}={value}"
                )


def test_every_setting_exists_in_the_code() -> None:
    for overlay, workload in every("service", "prepare"):
        name = name_of(workload).removeprefix("prepare-")
        unknown = [each for each in environment(overlay, workload) if not knows(name, each)]
        assert not unknown, f"{where(overlay, workload)}: {unknown}"


def test_settings_are_taken_by_the_service_as_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The same model that a process starts with; files stand elsewhere here."""
    from settings_table import _model  # noqa: PLC0415

    (tmp_path / "file").write_text("content")
    for overlay, workload in every("service", "prepare"):
        with monkeypatch.context() as patch:
            for variable, value in environment(overlay, workload).items():
                patch.setenv(variable, str(tmp_path / "file") if value.startswith("/") else value or "a")
            settings = _model(name_of(workload).removeprefix("prepare-"))()
            assert settings.environment == ("development" if overlay == "try" else "production")


def test_a_setting_is_documented() -> None:
    assert TABLE.read_text() == table(), "run `make settings`"
    for service in SERVICES:
        assert not [each.variable for each in settings_of(service).values() if not each.description], service


def test_peers_that_a_service_calls_are_named_to_it() -> None:
    """By the names in its code: `service.peer("registry")`; tracking asks every other service what it holds back."""
    for overlay, workload in every("service"):
        name = name_of(workload)
        source = (REPOSITORY / "services" / name / "src" / name / "app.py").read_text()
        called = set(re.findall(r'\.peer\("(\w+)"', source)) | (set(SERVICES) - {name} if name == "tracking" else set())
        given = {each for each in environment(overlay, workload) if each.startswith("TRADE_PEERS__")}
        assert given == {f"TRADE_PEERS__{peer.upper()}" for peer in called}, where(overlay, workload)


def test_a_disruption_budget_stands_where_there_is_more_than_one_replica_and_nowhere_else() -> None:
    for overlay in OVERLAYS:
        budgets = {}
        for each in of_kind(overlay, "PodDisruptionBudget"):
            assert each["spec"]["maxUnavailable"] == 1, "one replica must be free to go, else no node can be emptied"
            budgets[each["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"]] = each
        replicas = {name_of(each): each["spec"]["replicas"] for each in workloads(overlay, "service")}
        assert set(budgets) == {name for name, count in replicas.items() if count > 1}, overlay


def test_replicas_have_stable_names_and_there_is_never_one_too_many() -> None:
    for overlay, workload in every("service"):
        told = where(overlay, workload)
        assert workload["kind"] == "StatefulSet", told
        assert workload["spec"]["updateStrategy"]["type"] == "RollingUpdate", told
        assert workload["spec"]["minReadySeconds"] >= 5, told
        env = {each["name"]: each for each in containers(workload)[0]["env"]}
        assert env["TRADE_INSTANCE"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name", told


def test_replicas_are_spread_over_nodes_and_zones() -> None:
    for overlay, workload in every("service"):
        keys = {each["topologyKey"] for each in pod(workload)["topologySpreadConstraints"]}
        assert keys == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}, where(overlay, workload)


def test_a_private_key_is_mounted_to_its_owner_alone() -> None:
    for overlay, workload in every("service", "prepare"):
        name = name_of(workload).removeprefix("prepare-")
        (keys,) = [each for each in pod(workload)["volumes"] if each["name"] == "keys"]
        assert keys["projected"]["sources"] == [
            {"secret": {"name": f"{name}-key"}},
            {"configMap": {"name": "public-keys"}},
        ], where(overlay, workload)
        (database,) = [each for each in pod(workload)["volumes"] if each["name"] == "database"]
        assert database["secret"]["secretName"] == f"{name}-database", where(overlay, workload)
