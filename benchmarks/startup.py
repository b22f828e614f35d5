"""What `import dlexplain` costs over `import numpy, plotly`."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

_FRAMEWORKS = "sys.exit(any(m in sys.modules for m in ('torch', 'tensorflow', 'keras')))"


def measure(repeats: int = 9) -> dict[str, float]:
    """Medians, in seconds, of whole interpreters in turn. Fails if a framework was imported."""
    codes = {"numpy, plotly": "import numpy, plotly", "dlexplain": f"import sys, numpy, plotly, dlexplain; {_FRAMEWORKS}"}
    times: dict[str, list[float]] = {name: [] for name in codes}
    for number in range(repeats + 1):
        for name, code in codes.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            if number:  # the first round reads the files from disk
                times[name].append(time.perf_counter() - began)
    over = median(b - a for a, b in zip(*times.values(), strict=True))
    return {**{name: median(values) for name, values in times.items()}, "over": over}
