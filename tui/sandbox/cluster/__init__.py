"""A simulated Kubernetes cluster: an API server of our own with small controllers, for demo and tests."""

from tui.sandbox.cluster.cluster import Cluster

__all__ = ["Cluster"]
