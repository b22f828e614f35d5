"""Print requirements.lock: pyproject's dependencies and all they pull in, at the versions installed here.

Markers are evaluated for Linux, macOS and Windows, so that the one list installs on all three. A package that
only another system needs (colorama on Windows) has no version here; pip resolves it there.
"""

from __future__ import annotations

import importlib.metadata
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

_MARKERS = ("sys_platform", "platform_system", "os_name", "platform_machine")
SYSTEMS = {
    values[0]: dict(zip(_MARKERS, values, strict=True))
    for values in (
        ("linux", "Linux", "posix", "x86_64"),
        ("darwin", "Darwin", "posix", "arm64"),
        ("win32", "Windows", "nt", "AMD64"),
    )
}
HEADER = """\
# The one list of versions that dlexplain is tested with, for pip and conda, on Linux, macOS and Windows.
# Written by `make lock` from pyproject.toml and the environment in .venv; do not edit by hand.
"""


def closure(roots: list[Requirement], system: dict[str, str]) -> set[str]:
    """Canonical names of all packages that `roots` need on `system`, as far as they are installed here."""
    seen: dict[str, set[str]] = {}
    queue = [(root, "") for root in roots]
    while queue:
        requirement, extra = queue.pop()
        if requirement.marker and not requirement.marker.evaluate({**system, "extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        wanted = {"", *requirement.extras} - seen.get(name, set())
        if not wanted:
            continue
        try:
            requires = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        seen.setdefault(name, set()).update(wanted)
        queue += [(Requirement(text), key) for key in wanted for text in requires]
    return set(seen)


def lock(pyproject: Path) -> str:
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    texts = [*project["dependencies"]]
    for extra, requirements in project["optional-dependencies"].items():
        texts += requirements if extra != "all" else []
    roots = [Requirement(text) for text in texts]
    missing = [r.name for r in roots if not list(importlib.metadata.distributions(name=r.name))]
    if missing:
        sys.exit(f"Install these first, so that their versions are known: {', '.join(missing)}")
    needed = {name: closure(roots, system) for name, system in SYSTEMS.items()}
    lines = []
    for package in sorted(set.union(*needed.values())):
        version = Version(importlib.metadata.version(package)).public  # 2.13.0+cpu: the same for every build
        absent = [system for system in SYSTEMS if package not in needed[system]]
        marker = " and ".join(f'sys_platform != "{system}"' for system in absent)
        lines.append(f"{package}=={version}" + (f" ; {marker}" if marker else ""))
    return HEADER + "\n".join(lines)


if __name__ == "__main__":
    print(lock(Path(__file__).resolve().parent.parent / "pyproject.toml"))
