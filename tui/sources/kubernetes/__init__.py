"""One Kubernetes cluster: connection, mirror of what it holds, metrics, pod logs.

`KubernetesSource` (source.py) is what the rest of opstui uses; `snapshot.py` names the facts it hands out. The client
library is imported on first use only.
"""
