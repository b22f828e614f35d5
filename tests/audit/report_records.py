"""Records made by hand for the report's tests: a rich one, and one in which every text is hostile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from dlexplain.audit.record import Check, Exhibit, Part, Table
from dlexplain.audit.result import AuditRecord, verdict_of
from dlexplain.figures.canvas import Frame, canvas

HOSTILE = (
    "<script>window.ran=1;alert(1)</script>",
    "<img src=x onerror='window.ran=1;alert(1)'>",
    "<a href='https://evil.example/'>click</a><a href=\"javascript:window.ran=1\">b</a>",
    "</script><script>window.ran=1</script>",
    "</style><style>body{display:none}</style><link rel=stylesheet href=https://evil.example/x.css>",
    "\"'><svg onload=window.ran=1><iframe src=https://evil.example>",
    "--><!-- ]]> \u2028\u2029 \u202egnp.exe $\\href{https://evil.example}{x}$ %{x} &lt;b&gt; \x00 \ud800",
)


def line(title: str = "Deletion", names: tuple[str, ...] = ("integrated gradients", "random")) -> dict:
    """A figure of the house with a fact, a warning and two lines."""
    figure = canvas(
        Frame(title=title, alt="Two falling lines.", facts=["Mean over 64 rows. Lower is better."], warnings=["A gap stays."]),
        row_height=260, left=60, bottom=50,
    )  # fmt: skip
    for shift, name in enumerate(names):
        figure.add_trace(go.Scatter(x=np.linspace(0, 1, 11), y=np.linspace(1, 0.1 * shift, 11), name=name))
    figure.update_layout(showlegend=True, xaxis_title="share removed", yaxis_title="score")
    return figure.to_plotly_json()


def heat(labels: tuple[str, ...] = ("a", "b", "c")) -> dict:
    """A small heat map without the house's frame."""
    z = np.arange(len(labels) ** 2, dtype=np.float32).reshape(len(labels), -1)
    return go.Figure(
        go.Heatmap(z=z, x=labels, y=labels, texttemplate="%{z}"), {"title": {"text": "Confusion"}, "height": 420}
    ).to_plotly_json()


def check(name: str, section: int, status: str, **more) -> Check:
    """A check with all that a check can have."""
    facts = {
        "title": name.replace("_", " ").capitalize(),
        "reason": f"The reason why {name.replace('_', ' ')} ended so, in plain words that name the feature “mean radius”.",
        "figure": 0.8312, "threshold": "at least 0.7", "interval": (0.79, 0.87), "evidence": (f"table-{section}",),
    }  # fmt: skip
    if status in ("NOT RUN", "INCONCLUSIVE"):
        facts |= {"figure": None, "interval": None}
    if status != "PASS":
        facts["advice"] = "Train again without the column “mean radius”, and audit once more."
    return Check(name=name, section=section, status=status, **{**facts, **more})


def part(number: int, title: str, *checks: Check, rows: int = 4, **more) -> Part:
    """A section with everything a section can have."""
    table = Table(
        id=f"table-{number}", title=f"Numbers of section {number}", columns=("method", "score", "status", "rests on", "n"),
        rows=tuple((f"method {i}", 0.123456 * i, ("PASS", "FAIL", None)[i % 3], f"section {i % 3}", 1000 * i) for i in range(rows)),
        note="Scores are means over 64 rows.",
    )  # fmt: skip
    exhibits = (
        Exhibit(
            id=f"curve-{number}",
            title="Deletion curves",
            alt="Both lines fall; the random one falls later.",
            figure=line(),
        ),
    )
    facts = (("rows", 1797), ("share", 0.25), ("hash", "9f" * 32), ("owner", None))
    limits = ("Measured on one data set only.", "“Not detected” does not mean “absent”.")
    told = {"facts": facts, "limits": limits, "exhibits": exhibits, "stamps": {"seconds": 3.21}}
    return Part(
        number=number, title=title, question="Does the map follow the model, or only the picture?",
        summary=("Two of three methods follow the model.", "The third is not shown as evidence later."),
        checks=checks, tables=(table,), **{**told, **more},
    )  # fmt: skip


def record(parts: tuple[Part, ...]) -> AuditRecord:
    checks = [c for p in parts for c in p.checks]
    return AuditRecord(
        verdict=verdict_of(checks), parts=parts, fingerprint="ab" * 32, seed=0, profile="image", version="0.1"
    )


def rich() -> AuditRecord:
    """Eighteen sections, all four statuses, short and long tables, two kinds of figure."""
    titles = (
        "Verdict", "Identity", "Intended use", "Data sheet", "Performance", "Slices", "Inside the model",
        "The explainers' own exam", "Global explanations", "Gallery of cases", "Shortcuts and leakage", "Manipulation",
        "Disagreement between methods", "Knowledge limits", "Power statement", "Cost", "Why these metrics", "Evidence index",
    )  # fmt: skip
    checks = {
        3: (check("duplicates", 3, "PASS"), check("drift", 3, "NOT RUN", evidence=())),
        4: (check("calibration", 4, "PASS", evidence=("table-4", "curve-4")),),
        7: (
            check("completeness", 7, "FAIL"),
            check("faithfulness_correlation", 7, "PASS"),
            check("repeatability", 7, "PASS"),
        ),
        8: (check("stability", 8, "INCONCLUSIVE", gate=False),),
        10: (check("shortcut_flip", 10, "FAIL", gate=False, evidence=("curve-10", "missing-table")),),
        13: (check("abstention", 13, "INCONCLUSIVE"),),
    }
    parts = [part(n, title, *checks.get(n, ()), rows=30 if n == 3 else 4) for n, title in enumerate(titles)]
    # Figures where they differ: more of the same only takes a browser longer.
    parts = [p if p.number in (1, 4, 7, 10, 17) else replace(p, exhibits=()) for p in parts]
    parts[0] = Part(
        number=0,
        title="Verdict",
        question="May it be relied on?",
        summary=("One check that can fail the whole failed.",),
    )
    parts[1] = replace(
        parts[1],
        facts=(("Framework", "keras"), ("Kind of input", "image"), ("Task", "classification"), *parts[1].facts),
    )
    parts[4] = replace(
        parts[4],
        exhibits=(
            *parts[4].exhibits,
            Exhibit(id="confusion", title="Confusion", alt="Most lie on the diagonal.", figure=heat()),
        ),
    )
    return record(tuple(parts))


def hostile() -> AuditRecord:
    """The texts of `HOSTILE` in every place where a record can hold text, identifiers and figures included."""
    everything = " ".join(HOSTILE)
    parts = []
    for number, text in enumerate((*HOSTILE, everything)):
        bad = Check(
            name=f"check{number}{text}", section=number, title=text, status=("FAIL", "INCONCLUSIVE")[number % 2], reason=text,
            advice=text, figure=float("nan") if number == 2 else 1.5, threshold=text, evidence=(f"t{text}", f"e{text}", text),
        )  # fmt: skip
        table = Table(
            id=f"t{text}", title=text, columns=(text, "b"), rows=((text, 1.0), (text, None), ("x", text)), note=text
        )
        figures = (line(text, (text, everything)), heat((text, "b" + text, "c")))
        for figure in figures:
            figure["layout"].update(
                annotations=[{"text": text, "showarrow": False}], images=[{"source": "https://evil.example/i.png"}]
            )
            figure["data"][0]["hovertemplate"] = text
        exhibits = tuple(Exhibit(id=f"e{text}", title=text, alt=text, figure=figure, note=text) for figure in figures)
        parts.append(
            Part(
                number=number,
                title=text,
                question=text,
                summary=(text,),
                facts=((text, text), ("model", text)),
                checks=(bad,),
                tables=(table,),
                exhibits=exhibits,
                limits=(text,),
                stamps={text: text},
            )
        )
    return record(tuple(parts))
