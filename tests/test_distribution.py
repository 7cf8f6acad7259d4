"""What people install: the wheel's contents, and the program from it in an environment of its own."""

import os
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
PACKAGES = {"tui", "widgets", "profiles"}

pytestmark = pytest.mark.xdist_group("distribution")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script `opstui`, installed from the wheel; its libraries are those of the environment of the tests."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index",
         "--disable-pip-version-check", str(wheel)],
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    (site,) = folder.glob("lib/python3*/site-packages")
    # Plain paths, so that an editable install's own .pth files in there are not followed.
    libraries = [path for path in sys.path if path.endswith("-packages")]
    (site / "libraries.pth").write_text("\n".join(libraries) + "\n")
    return folder / "bin" / "opstui"


def run(program: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return subprocess.run(
        [str(program), *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def shipped_files() -> set[str]:
    """Return what the three folders of this clone hold."""
    return {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_exactly_the_three_packages_with_everything_in_them(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    about = f"opstui-{VERSION}.dist-info"
    assert {name.partition("/")[0] for name in names} == PACKAGES | {about}
    assert {name for name in names if not name.startswith(about)} == shipped_files()
    assert {"profiles/demo.yaml", "profiles/profile.schema.json", "tui/app.tcss"} <= names
    assert f"{about}/licenses/LICENSE" in names


def test_the_installed_program_runs_from_an_empty_folder(program: Path, tmp_path: Path) -> None:
    answer = run(program, tmp_path, "--version")
    assert (answer.stdout, answer.stderr, answer.returncode) == (f"opstui {VERSION}\n", "", 0)


def test_the_installed_program_finds_its_own_profiles(program: Path, tmp_path: Path) -> None:
    answer = run(program, tmp_path, "profile", "list")
    assert answer.returncode == 0, answer.stderr
    places = [line.split()[2] for line in answer.stdout.splitlines()]
    assert places
    assert all(place.startswith(str(program.parents[1].resolve())) for place in places)
