"""The real kubectl, where one is installed."""

from tests.real_kubectl import kubectl

__all__ = ["kubectl"]
