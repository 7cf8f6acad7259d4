"""Any kind by the server's own words: discovery and Tables, beside what the real kubectl makes of the same cluster."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.systems import Kubernetes
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sources.errors import Denied, Unreachable
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.discovery import ApiResource, discover
from tui.sources.kubernetes.tables import LIMIT, parse_table, read_table
from tui.sources.text import clean

_ZOO = Path(__file__).parents[3] / "fixtures" / "kubernetes-zoo"
_ANY = ApiResource("", "v1", "things", "Thing", True, (), frozenset({"list"}))


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster() as running:
        yield running


@pytest.fixture
async def connection(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Connection]:
    made = Connection(Kubernetes(kubeconfig=str(cluster.write_kubeconfig(tmp_path / "config"))), {})
    yield made
    await made.close()


async def _asked(kubectl: Path, kubeconfig: Path, *words: str) -> list[str]:
    process = await asyncio.create_subprocess_exec(
        kubectl, "--kubeconfig", kubeconfig, *words, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode().splitlines()


async def _resource(connection: Connection, name: str) -> ApiResource:
    return next(one for one in (await discover(connection)).resources if one.full_name == name)


@pytest.mark.parametrize(
    "path", [path for path in sorted(_ZOO.glob("*.json")) if path.stem != "exchanges"], ids=lambda path: path.stem
)
def test_recorded_cells_come_through_as_they_were_printed(path: Path) -> None:
    page = json.loads(path.read_text())
    table = parse_table(_ANY, {"kind": "Table", "columnDefinitions": page["columns"], "rows": page["rows"]})
    assert [column.name for column in table.columns] == [column["name"] for column in page["columns"]]
    for line, row in zip(table.lines, page["rows"], strict=True):
        assert line.uid == row["object"]["metadata"]["uid"]
        assert [cell for cell, raw in zip(line.cells, row["cells"], strict=True) if isinstance(raw, str)] == [
            raw for raw in row["cells"] if isinstance(raw, str)
        ]


@pytest.mark.live
async def test_discovery_knows_what_kubectl_knows(connection: Connection, kubectl: Path, tmp_path: Path) -> None:
    known = await _asked(kubectl, tmp_path / "config", "api-resources", "--verbs=list", "-o", "name")
    found = await discover(connection)
    assert {one.full_name for one in found.resources} == set(known)
    by_name = {one.full_name: one for one in found.resources}
    assert by_name["certificates.cert-manager.io"].short_names == ("cert", "certs")
    assert not by_name["nodes"].is_namespaced
    for name in ("cert", "certificates", "Certificate", "certificates.cert-manager.io"):
        assert found.named(name) is by_name["certificates.cert-manager.io"]
    assert found.named("po") is by_name["pods"], "and not those of metrics.k8s.io"
    assert found.named("nothing") is None
    assert not found.missing


@pytest.mark.live
async def test_a_server_without_aggregated_discovery_tells_the_same(connection: Connection) -> None:
    class Old:
        async def get(self, path: str, accept: str = "") -> Mapping[str, Any]:
            return await connection.get(path)

    old = await discover(Old())  # type: ignore[arg-type]  # asks as servers before 1.26 understand it
    assert set(old.resources) == set((await discover(connection)).resources)


@pytest.mark.live
@pytest.mark.parametrize(
    "name", ["services", "ingresses.networking.k8s.io", "poddisruptionbudgets.policy", "resourcequotas", "secrets",
             "configmaps", "certificates.cert-manager.io", "endpointslices.discovery.k8s.io", "deployments.apps"],
)  # fmt: skip
async def test_a_table_reads_as_kubectl_prints_it(
    connection: Connection, kubectl: Path, tmp_path: Path, name: str
) -> None:
    printed = await _asked(kubectl, tmp_path / "config", "get", name, "-A", "-o", "wide", "--no-headers")
    table = await read_table(connection, await _resource(connection, name))
    ours = [" ".join(f"{line.namespace} {' '.join(line.cells)}".split()) for line in table.lines]
    assert ours == [" ".join(line.split()) for line in printed]
    assert ours


@pytest.mark.live
async def test_what_goes_beyond_the_limit_is_counted(cluster: Cluster, connection: Connection) -> None:
    for number in range(LIMIT + 20):
        body = {"metadata": {"name": f"many-{number:04}"}, "data": {}}
        answer = await connection.call("POST", "/api/v1/namespaces/shop/configmaps", body=body)
        assert answer.is_ok
    table = await read_table(connection, await _resource(connection, "configmaps"), ["shop"])
    assert (len(table.lines), table.more) == (LIMIT, 22)


@pytest.mark.live
async def test_a_forbidden_namespace_costs_only_itself(cluster: Cluster, tmp_path: Path) -> None:
    path = cluster.write_kubeconfig(tmp_path / "shop", "shop-only")
    connection = Connection(Kubernetes(kubeconfig=str(path)), {})
    services = ApiResource("", "v1", "services", "Service", True, (), frozenset({"list"}))
    table = await read_table(connection, services, ["shop", "payments"])
    assert (table.forbidden, table.scopes) == (("payments",), 2)
    assert {line.namespace for line in table.lines} == {"shop"}
    with pytest.raises(Denied):
        await read_table(connection, services, ["payments"])
    cluster.server.faults.add(Fault(FaultKind.HTML, path="/api/v1/namespaces/payments"))
    with pytest.raises(Unreachable):
        await read_table(connection, services, ["shop", "payments"])
    await connection.close()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "kind": st.just("Table") | _JSON,
            "columnDefinitions": st.lists(st.fixed_dictionaries({"name": _JSON, "priority": _JSON})) | _JSON,
            "rows": st.lists(st.fixed_dictionaries({"cells": _JSON, "object": _JSON})) | _JSON,
            "items": st.lists(st.fixed_dictionaries({"metadata": _JSON})) | _JSON,
            "metadata": _JSON,
        },
    )
)
def test_whatever_a_server_sends_is_a_table_with_a_cell_for_each_column(page: Mapping[str, Any]) -> None:
    table = parse_table(_ANY, page)
    for line in table.lines:
        assert len(line.cells) == len(table.columns)
        assert all(clean(cell) == cell for cell in line.cells)
