"""Which proxy stands between us and an API server: what the environment says, by the rules of Go and so of kubectl."""

import asyncio
from pathlib import Path

import pytest
import yaml

from profiles.systems import Kubernetes
from tui.sandbox.cluster.cluster import Cluster
from tui.sources.errors import Unreachable, Unreadable
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.proxy import environment_proxy

_PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(("server", "listed", "is_direct"), [
    ("https://api.prod.example:6443", "", False),
    ("https://api.prod.example:6443", "other.example", False),
    ("https://api.prod.example:6443", "prod.example", True),
    ("https://api.prod.example:6443", ".prod.example", True),
    ("https://prod.example", ".prod.example", False),
    ("https://notprod.example", "prod.example", False),
    ("https://api.prod.example:6443", "a,  *", True),
    ("https://api.prod.example:6443", "api.prod.example:443", False),
    ("https://api.prod.example:6443", "api.prod.example:6443", True),
    ("https://10.0.3.4:6443", "10.0.0.0/16", True),
    ("https://10.1.3.4:6443", "10.0.0.0/16", False),
    ("https://10.1.3.4:6443", "10.1.3.4", True),
    ("https://127.0.0.1:6443", "", True),
    ("https://localhost:6443", "", True),
    ("https://[::1]:6443", "", True),
])  # fmt: skip
def test_no_proxy_exempts_what_it_names(server: str, listed: str, *, is_direct: bool) -> None:
    for environ in (
        {"HTTPS_PROXY": _PROXY, "NO_PROXY": listed},
        {"https_proxy": "proxy.example:3128", "no_proxy": listed},
    ):
        assert environment_proxy(server, environ) == (None if is_direct else _PROXY)
    assert environment_proxy(server, {"HTTP_PROXY": _PROXY}) is None


def test_a_socks_proxy_of_the_environment_is_refused_in_words() -> None:
    with pytest.raises(Unreadable, match=r"HTTPS_PROXY: SOCKS.*ssh port forward"):
        environment_proxy("https://api.example", {"HTTPS_PROXY": "socks5://p:1"})


@pytest.mark.live
async def test_a_cluster_is_reached_through_the_environments_proxy(tmp_path: Path) -> None:
    asked: list[str] = []

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head.split()[1])
        there, back = await asyncio.open_connection("127.0.0.1", int(head.split()[1].rpartition(":")[2]))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while chunk := await source.read(65536):
                target.write(chunk)
            target.close()

        await asyncio.gather(pass_on(reader, back), pass_on(there, writer))

    async with Cluster(tls=True) as cluster:
        path = cluster.write_kubeconfig(tmp_path / "config")
        config = yaml.safe_load(path.read_text())
        entry = config["clusters"][0]["cluster"]
        # A name that only the proxy knows; the certificate is for the address.
        entry["server"] = entry["server"].replace("127.0.0.1", "cluster.invalid")
        entry["tls-server-name"] = "localhost"
        path.write_text(yaml.safe_dump(config))
        server = await asyncio.start_server(tunnel, "127.0.0.1", 0)
        proxy = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        through = Connection(Kubernetes(kubeconfig=str(path)), {"HTTPS_PROXY": proxy})
        direct = Connection(Kubernetes(kubeconfig=str(path)), {"HTTPS_PROXY": proxy, "NO_PROXY": ".invalid"})
        try:
            assert (await through.get("/version"))["gitVersion"]
            assert asked[0].startswith("cluster.invalid:")
            with pytest.raises(Unreachable, match="host name unknown"):
                await direct.get("/version")
        finally:
            await through.close()
            await direct.close()
            server.close()
