"""What lesson 18 shows of an audit's record: sections, checks, figures, the report; and the bench of a weak leak."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dlexplain.classroom.desk import Note
from dlexplain.classroom.lessons.lesson_18 import cases
from dlexplain.classroom.pages import TONES, box, folded, prose, table
from dlexplain.classroom.widgets import Card, ipywidgets

SIGNS = {"PASS": "right", "FAIL": "wrong", "INCONCLUSIVE": "hint", "NOT RUN": "plain"}
FIRST, SECOND = "#0072B2", "#D55E00"


def chip(status: str) -> str:
    """A status as a small sign with its word."""
    colour, rgb, sign = TONES[SIGNS[status]]
    style = (
        f"white-space:nowrap;border:1px solid {colour};background:rgba({rgb},.14);border-radius:9px;"
        "padding:0 .55em;font-size:.85em;font-weight:600"
    )
    return f'<span style="{style}">{sign} {status}</span>'


def form(accuracy: float | None = None, *, name: str = "Network 1") -> Note:
    """The paper on the desk, not signed yet."""
    said = "…" if accuracy is None else f"{accuracy:.1%}"
    lines = [
        f"I have examined <b>{html.escape(name)}</b>. It tells sick from healthy.",
        f"On patients it had never met it was right in <b>{said}</b> of all cases.",
        "It may be used on the wards from Monday.",
    ]
    style = (
        "max-width:34em;border:1px solid rgba(127,127,127,.5);border-radius:6px;padding:1em 1.6em 1.3em;"
        "margin:.5em 0;line-height:1.7;font-family:Georgia,serif;font-size:1.05em"
    )
    dotted = '<div style="margin-top:1.6em;border-top:1px dotted currentColor;width:15em;font-size:.8em">your signature</div>'
    body = "".join(f"<div>{line}</div>" for line in lines)
    return Note(f'<div style="{style}">{body}{dotted}</div>', f"{name}: right in {said}. Signature: not yet.")


def teller() -> Callable[[str], None]:
    """A line under the cell that says what is going on; each new word takes the place of the last."""
    from IPython.display import display

    handle = display(Note(prose("…"), "…"), display_id=True)
    return lambda words: handle.update(Note(prose(words), words))


def verdict(record: Any, title: str = "The verdict") -> Note:
    """The verdict, how many checks ended how, and what did not pass."""
    counts = {word: sum(c.status == word for c in record.checks) for word in SIGNS}
    said = " ".join(f"{chip(word)}&nbsp;{count}" for word, count in counts.items() if count)
    rows = [[chip(c.status), _gates(c), prose(c.title), prose(c.reason)] for c in record.findings]
    body = f'<p style="margin:.3em 0">{chip(record.verdict)} from {len(record.checks)} checks: {said}</p>'
    if rows:
        body += table(["", "gates?", "check", "what was found"], rows, "What did not pass")
    tone = {"PASS": "right", "FAIL": "wrong"}.get(record.verdict, "hint")
    return Note(box(tone, title, body), repr(record))


def _gates(check: Any) -> str:
    return "yes" if check.gate else "no"


def part(
    record: Any, number: int, *, shown: str = "", rows: int = 6, columns: Sequence[str] = (), most: int = 3
) -> Note:
    """One section: its question, what it says, its checks; of the table `shown` the first rows and these columns."""
    found = record.part(number)
    body = part_html(found, shown=shown, rows=rows, columns=columns, most=most)
    text = "\n".join([f"{number} {found.title}", *found.summary, *(f"{c.status} {c.title}" for c in found.checks)])
    return Note(box("plain", f"Section {number}: {found.title}", body), text)


def part_html(
    found: Any, *, shown: str = "", rows: int = 6, columns: Sequence[str] = (), most: int = 3, caption: str = ""
) -> str:
    """A section's inside, for a page or for the desk."""
    body = f'<p style="margin:.2em 0"><em>{html.escape(found.question)}</em></p>'
    body += "".join(prose(_short(text)) for text in found.summary[:most])
    if found.checks:
        cells = [
            [
                chip(c.status),
                _gates(c),
                prose(c.title),
                _figure(c),
                html.escape(c.threshold if c.figure is not None else ""),
            ]
            for c in found.checks
        ]
        body += table(["", "gates?", "check", "figure", "passes"], cells, "")
        told = " ".join(found.summary[:most])
        open_ones = [c for c in found.checks if c.status != "PASS" and c.reason[:60] not in told]
        body += "".join(prose(f"**{c.title}:** {_short(c.reason, 260)}") for c in open_ones)
    if shown:
        body += rows_of(found, shown, rows=rows, columns=columns, caption=caption)
    return body


def _short(text: str, most: int = 330) -> str:
    """As it stands, or cut at the end of a sentence."""
    if len(text) <= most:
        return text
    cut = text[:most]
    end = max(cut.rfind(". "), cut.rfind("; "))
    return (cut[: end + 1] if end > most // 3 else cut) + " …"


def _figure(check: Any) -> str:
    return "" if check.figure is None else f"{check.figure:.3g}"


def rows_of(found: Any, name: str, *, rows: int, columns: Sequence[str] = (), caption: str = "") -> str:
    """The first rows of a section's table; empty where it has none of that name."""
    source = next((t for t in found.tables if t.id == name), None)
    if source is None:
        return ""
    kept = [i for i, c in enumerate(source.columns) if not columns or c in columns]
    cells = [[_cell(row[i]) for i in kept] for row in source.rows[:rows]]
    left = len(source.rows) - rows
    caption = (caption or source.title) + (f" (first {rows} of {len(source.rows)})" if left > 0 else "")
    return table([source.columns[i] for i in kept], cells, caption)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    return html.escape(str(value).replace("_", " "))


def exhibit(record: Any, number: int, at: int = 0) -> Any:
    """A figure of a section, as the report holds it."""
    from dlexplain.figures.canvas import Figure

    chosen = record.part(number).exhibits[at]
    figure = Figure(chosen.figure)
    figure.layout.meta = {**(figure.layout.meta or {}), "alt": chosen.alt}
    return figure


def exam(record: Any) -> Note:
    """The table of the explainers' exam without its verdicts: the reader is to judge."""
    found = record.part(7)
    source = found.tables[0]
    columns = ("method", "faithfulness correlation", "deletion lift", "wrong target", "randomisation")
    kept = [source.columns.index(name) for name in columns]
    rows = [r for r in source.rows if r[0] in "ABCD" or "control" in r[0] or r[0] == "threshold"]
    cells = [[_cell(row[i]) for i in kept] for row in rows]
    head = ["", *columns[1:]]
    text = "\n".join("; ".join(f"{name} {_cell(r[i])}" for name, i in zip(columns, kept, strict=True)) for r in rows)
    return Note(table(head, cells, "The exam: four maps, two that know nothing, and the thresholds"), text)


def opened(summary: str, rows: Mapping[str, str]) -> Note:
    """Names and what is said of them, folded."""
    body = "".join(prose(f"**{name}**: {said}") for name, said in rows.items())
    return Note(folded(summary, body), summary)


def report(record: Any, folder: Path) -> Note:
    """The report saved, and shown in a frame; it is the very file."""
    path = record.save(folder / "would_you_sign.html")
    text = path.read_text(encoding="utf-8")
    size = path.stat().st_size / 1e6
    frame = (
        f'<iframe srcdoc="{html.escape(text, quote=True)}" title="The report of the audit" sandbox="allow-scripts" '
        'loading="lazy" style="width:100%;height:520px;border:1px solid rgba(127,127,127,.5);border-radius:6px">'
        "</iframe>"
    )
    said = f"One file of {size:.1f} MB that needs no network: `{path}`. Open it with a double click, or scroll here:"
    return Note(prose(said) + frame, said)


class LeakBench(Card):
    """How blurred may a leak be until the audit is silent? Each blur: a network trained and audited beforehand."""

    BLURS = (0.1, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0)

    def __init__(self, data: Any, framework: str = "torch", *, column: str = cases.VISITS) -> None:
        widgets = ipywidgets("workbenches")
        self.known = [_measured(data, framework, column, blur) for blur in self.BLURS]
        self.blur = widgets.SelectionSlider(
            options=[(f"{blur:g}", i) for i, blur in enumerate(self.BLURS)],
            value=0,
            description="blur",
            layout=widgets.Layout(width="100%", max_width="30em"),
        )
        self.view = widgets.HTML(self.to_html())
        self.blur.observe(lambda _: self._show(), "value")
        super().__init__([self.view, self.blur])

    def _show(self) -> None:
        self.view.value = self.to_html()

    def to_html(self) -> str:
        """The column, what the network finds when tested and in use, and what the audit says."""
        known = self.known[self.blur.value]
        lost = known["tested"] - known["used"]
        harm = f"In use it misses {100 * lost:.0f} more of 100 sick than the test promised."
        words = {
            "FAIL": "The audit names the column.",
            "PASS": "The audit says PASS: <b>not detected</b>." + (" The harm is there." if lost > 0.04 else ""),
        }.get(known["status"], "")
        bars = _bar("found when tested", known["tested"], FIRST) + _bar("found in use", known["used"], SECOND)
        alt = f"Blur {known['blur']:g}. {harm} The check: {known['status']}."
        parts = [
            _panel("The column", _strip(known["sick"], known["healthy"])),
            _panel("Of all sick", bars),
            _panel("What the audit measures", _meters(known)),
        ]
        return (
            f'<div role="img" aria-label="{html.escape(alt, quote=True)}" style="display:flex;flex-wrap:wrap;gap:26px;'
            f'align-items:flex-start;color:inherit">{"".join(parts)}</div>'
            f'<div style="margin:.5em 0;line-height:1.5">{chip(known["status"])} {words} {harm}</div>'
        )


def _measured(data: Any, framework: str, column: str, blur: float) -> dict[str, Any]:
    from dlexplain.audit.audit import audit
    from dlexplain.frameworks.training import Plan

    told = cases.with_leak(data, column, noise=blur)
    model = told.fitted(framework, Plan(kind="perceptron", width=16), seed=0, epochs=40)
    record = audit(model, told.inputs, told.labels, sections=(10,), **told.arguments(framework))
    check = next(c for c in record.checks if c.name == "univariate_leakage")
    rows = {row[0]: row for row in record.part(10).tables[0].rows}
    others = [row[1] for name, row in rows.items() if name != column]
    values = told.inputs[:, told.feature_names.index(column)]
    return {
        "blur": blur,
        "status": check.status,
        "alone": float(rows[column][2]) if column in rows else 0.5,
        "lead": float(rows[column][1] / max(others)) if column in rows else 0.0,
        "tested": cases.found(model, told.inputs, told.labels),
        "used": cases.found(model, cases.in_use(told, column), told.labels),
        "sick": values[told.labels == 0].tolist(),
        "healthy": values[told.labels == 1].tolist(),
    }


def _panel(title: str, body: str) -> str:
    return f'<div style="flex:0 1 260px"><div style="font-weight:600;margin-bottom:.35em">{title}</div>{body}</div>'


def _bar(words: str, share: float, colour: str) -> str:
    track = "height:14px;background:rgba(127,127,127,.18);border-radius:3px;overflow:hidden"
    return (
        f'<div style="font-size:.9em;margin-top:.35em">{words}: <b>{100 * share:.0f} of 100</b></div>'
        f'<div style="{track}"><div style="width:{100 * share:.1f}%;height:14px;background:{colour}"></div></div>'
    )


def _strip(sick: Sequence[float], healthy: Sequence[float]) -> str:
    rng, parts = np.random.default_rng(0), []
    for row, (name, values, colour) in enumerate((("sick", sick, SECOND), ("healthy", healthy, FIRST))):
        middle = 26 + 46 * row
        parts.append(f'<text x="0" y="{middle + 4}" font-size="12" fill="currentColor">{name}</text>')
        for value in values:
            x = 60 + 190 * min(max((value + 6) / 12, 0), 1)
            y = middle + rng.uniform(-13, 13)
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="{colour}" fill-opacity=".55"/>')
    foot = '<text x="155" y="112" text-anchor="middle" font-size="11.5" fill="currentColor">few visits · many visits</text>'
    return (
        f'<svg aria-hidden="true" viewBox="0 0 256 116" style="width:256px;max-width:100%">{"".join(parts)}{foot}</svg>'
    )


def _meters(known: Mapping[str, Any]) -> str:
    rows = (
        ("tells the answer alone", known["alone"], 0.5, 1.0, 0.99),
        ("leads the next column", known["lead"], 0.0, 3.0, 1.5),
    )
    parts = []
    for words, value, low, high, limit in rows:
        at = 100 * min(max((value - low) / (high - low), 0), 1)
        mark = 100 * (limit - low) / (high - low)
        over = value > limit
        parts.append(
            f'<div style="font-size:.9em;margin-top:.35em">{words}: <b>{value:.2f}</b> '
            f"({'over' if over else 'under'} {limit:g})</div>"
            '<div style="position:relative;height:14px;background:rgba(127,127,127,.18);border-radius:3px">'
            f'<div style="width:{at:.1f}%;height:14px;background:{SECOND if over else "#7f7f7f"};border-radius:3px"></div>'
            f'<div style="position:absolute;left:{mark:.1f}%;top:-3px;height:20px;border-left:2px solid currentColor"></div></div>'
        )
    note = '<div style="font-size:.85em;opacity:.8;margin-top:.4em">FAIL only if both are over.</div>'
    return "".join(parts) + note
