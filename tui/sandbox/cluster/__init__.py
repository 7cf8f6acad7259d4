"""A simulated Kubernetes cluster: an API server of our own with small controllers, for the demo and the tests.

    async with Cluster() as cluster:
        cluster.write_kubeconfig(path)            # for kubectl, or any client
        cluster.crash_loop("shop", "api")         # a bad release
        cluster.misbehave("410", "/api/v1/pods", "watch")
        await cluster.until(lambda: ...)          # asked at every change

It stands alone (aiohttp, PyYAML and the standard library) and is held to what a real API server answered by
`tests/fixtures/kubernetes-zoo`, and by the real kubectl.
"""

from tui.sandbox.cluster.cluster import Cluster

__all__ = ["Cluster"]
