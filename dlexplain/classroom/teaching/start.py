"""Opens the lessons of this folder in JupyterLab. Run it with Python 3.11 or later: `python start.py`.

The first time it installs everything from `wheels/`, beside this file, and needs no network for it.
`python start.py --check` says whether the folder arrived whole, and ends.
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOM = HERE / "environment"
DONE = ROOM / "installed"


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 this file runs before anything is installed
        print(f"This is Python {sys.version.split()[0]}; the lessons need Python 3.11 or later.")
        return 1
    broken = damaged()
    if broken:
        print("These files did not arrive as they were sent; copy the folder again:")
        print("\n".join(f"  {name}" for name in broken))
        return 1
    if "--check" in sys.argv:
        print("Every file is as it was sent.")
        return 0
    if not DONE.exists():
        install()
    data = os.pathsep.join(filter(None, (str(HERE / "data"), os.environ.get("DLEXPLAIN_DATA"))))
    settings = os.pathsep.join(filter(None, (str(HERE / "settings"), os.environ.get("JUPYTER_CONFIG_PATH"))))
    environment = {**os.environ, "DLEXPLAIN_DATA": data, "DLEXPLAIN_OFFLINE": "1", "JUPYTER_CONFIG_PATH": settings}
    return subprocess.call([python(), "-I", "-m", "jupyter", "lab", *sys.argv[1:], str(HERE / "notebooks")], env=environment)


def damaged() -> list[str]:
    """The files whose checksum is not the one that was sent; what was already installed from is not read again."""
    wrong = []
    for line in (HERE / "checksums.txt").read_text(encoding="utf-8").splitlines():
        checksum, _, name = line.partition("  ")
        path = HERE / name
        changed = name.startswith("notebooks/") and path.exists()  # notebooks are there to be changed
        if changed or (name.startswith("wheels/") and DONE.exists()):
            continue
        if not path.exists() or digest(path) != checksum:
            wrong.append(name)
    return wrong


def digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def install() -> None:
    print("Installing, once. This takes some minutes.", flush=True)
    venv.create(ROOM, with_pip=True, clear=True)
    wanted = (HERE / "wheels" / "wanted.txt").read_text(encoding="utf-8").split()
    pip = [python(), "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    subprocess.check_call([*pip, "--find-links", str(HERE / "wheels"), *wanted])
    # Isolated: a package that lies in the folder one stands in must not be taken for the installed one.
    subprocess.check_call(
        [python(), "-I", "-m", "dlexplain.cli", "doctor", "--guard-kernels"], stdout=subprocess.DEVNULL
    )
    DONE.write_text("from wheels/\n", encoding="utf-8")


def python() -> str:
    return str(ROOM / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


if __name__ == "__main__":
    sys.exit(main())
