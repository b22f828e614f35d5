"""The measurements as a table."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from datetime import UTC, datetime

_PACKAGES = ("numpy", "plotly", "torch", "tensorflow", "keras", "captum", "shap", "xplique", "tf-keras-vis")


def setting() -> dict:
    """When, where and with what, so that the figures can be judged. No path of the machine."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": " ".join(["python -m benchmarks", *sys.argv[1:]]),
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "load": [round(x, 1) for x in os.getloadavg()],
        "versions": versions,
    }


def line(row: dict) -> str:
    """One row of the table: below 1, ours is faster."""
    ratio, processor = row["ratio"], row["processor_ratio"]
    raw = f"{ratio['raw']:.2f} ({processor['raw']:.2f})" if "raw" in ratio else ""
    peers = [f"{name} {value:.2f} ({processor[name]:.2f})" for name, value in ratio.items() if name != "raw"]
    peers += [f"{name}: {why}" for name, why in row["absent"].items()]
    rounds = f"{row['rounds']}{f', {t} thread' + 's' * (t > 1) if (t := row.get('threads')) else ''}, {row['date']}"
    return f"| {row['work']} | {row['framework']} | {raw} | {'; '.join(peers)} | {rounds} |"


def markdown(result: dict) -> str:
    setting, versions = result["setting"], result["setting"]["versions"]
    parts = [
        "# Speed and memory, measured",
        "",
        f"`{setting['command']}` on {setting['date']}: {setting['processors']} processors ({setting['machine']}), shared "
        f"with other work (load {', '.join(map(str, setting['load']))} at the end), Python {setting['python']}; "
        + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
        "",
        "Ratios ours / theirs: the median over rounds in which all take their turn; in brackets the same of processor "
        "time. Below 1, ours is faster. *Raw* is the bare framework doing the same passes at its best batch size and "
        "layout; other libraries are given their best batch size too. All run on all processors, or on as "
        "many threads as the rounds say. Ours includes all that an explanation returns: "
        "checked inputs, outputs, gap, fingerprint. The command, versions and load above are those of the last run; each row "
        "is of the time beside it, and the package may have changed between rows.",
        "",
        "| work | framework | ours / raw | ours / others | rounds, date |",
        "| --- | --- | --- | --- | --- |",
        *map(line, result["rows"]),
        "",
        *[f"- {row['framework']}, {row['work']}: {row['notes']}" for row in result["rows"]],
        "",
    ]
    if result["audits"]:
        parts += [
            "## Audits",
            "",
            "A whole audit of a small network with all its explainers, from the call to the saved page: seconds of the clock "
            "(of the processor), and MiB added to the peak of its process.",
            "",
            "| model | framework | samples | seconds | MiB |",
            "| --- | --- | --- | --- | --- |",
            *(
                f"| {a['model']} | {a['framework']} | {a['samples']} | {a['seconds']:.0f} ({a['processor']:.0f}) "
                f"| {a['added']:.0f} |"
                for a in result["audits"]
            ),
            "",
        ]
    if result["memory"]:
        parts += [
            "## Peak memory",
            "",
            "MiB that one explanation of 65x65x3 images adds to the peak of its process. It must not grow with the work.",
            "",
            "| framework | work | added | work | added |",
            "| --- | --- | --- | --- | --- |",
        ]
        parts += [
            f"| {a['framework']} | {a['count']} {a['work']} | {a['peak'] - a['before']:.0f} "
            f"| {b['count']} {b['work']} | {b['peak'] - b['before']:.0f} |"
            for a, b in zip(result['memory'][::2], result['memory'][1::2], strict=True)
        ] + [""]
    if result["startup"]:
        start = result["startup"]
        parts += [
            "## Import",
            "",
            f"`import dlexplain` costs {start['over']:.2f} s over `import numpy, plotly` ({start['numpy, plotly']:.2f} s, "
            "interpreter included), and imports no framework.",
            "",
        ]
    return "\n".join(parts)
