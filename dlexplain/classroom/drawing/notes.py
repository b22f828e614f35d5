"""Tables, and other packages' plots as pictures with words for a screen reader."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping

from dlexplain.classroom import pages
from dlexplain.classroom.desk import Note


def table(rows: Mapping[str, Mapping[str, object]]) -> Note:
    """A table with a name at the start of each row: `{"row": {"column": value}}`."""
    columns = list(next(iter(rows.values())))
    cells = [[html.escape(name), *(html.escape(str(row[c])) for c in columns)] for name, row in rows.items()]
    plain_rows = ["; ".join(f"{c}: {row[c]}" for c in columns) for row in rows.values()]
    text = "\n".join(f"{name}: {said}" for name, said in zip(rows, plain_rows, strict=True))
    return Note(pages.table(["", *columns], cells, ""), text)


def from_matplotlib(words: str, *, width: float = 7.0, height: float | None = None) -> Note:
    """The figure that a plot of SHAP's has just drawn, as a picture with words for a screen reader. Inches."""
    import matplotlib.pyplot as plt

    figure = plt.gcf()
    figure.set_size_inches(width, height or figure.get_size_inches()[1])
    kept = io.BytesIO()
    figure.savefig(kept, format="png", dpi=110, bbox_inches="tight", facecolor="white")
    plt.close(figure)
    picture = base64.b64encode(kept.getvalue()).decode()
    page = (
        f'<img alt="{html.escape(words, quote=True)}" src="data:image/png;base64,{picture}" '
        'style="max-width:100%;background:white"/>'
    )
    return Note(page, words)
