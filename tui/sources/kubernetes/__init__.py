"""One Kubernetes cluster: connection, mirror of what it holds, metrics, pod logs.

`snapshot.py` names the facts a reading holds. The client library is imported on first use only.
"""

from tui.sources.kubernetes.logs import PodLogs, PodRef
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.source import KubernetesSource

__all__ = ["KubernetesSnapshot", "KubernetesSource", "PodLogs", "PodRef"]
