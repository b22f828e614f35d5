"""A widget as one page: the same front end, fed with what was drawn before, without kernel or network."""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path
from typing import Any

from dlexplain.widgets.shell import front_end, look

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline';\
 script-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --jp-ui-font-color1: #1b1e23; --jp-ui-font-color2: #59616b;
  --jp-layout-color0: #ffffff; --jp-layout-color1: #ffffff; --jp-layout-color2: #eef1f5;
  --jp-border-color0: #7d8793; --jp-border-color2: #d5dae0; }}
@media (prefers-color-scheme: dark) {{ :root {{ --jp-ui-font-color1: #eef0f3; --jp-ui-font-color2: #a4adb8;
  --jp-layout-color0: #1d2026; --jp-layout-color1: #16181d; --jp-layout-color2: #2a2f37;
  --jp-border-color0: #7d8793; --jp-border-color2: #3a4049; }} }}
body {{ margin: 0; padding: 16px; background: var(--jp-layout-color1); color: var(--jp-ui-font-color1);
  display: grid; justify-content: stretch; }}
main {{ width: 100%; max-width: 1120px; margin: 0 auto; }}
{style}
</style>
</head>
<body>
<main id="widget"><noscript>{words}</noscript></main>
<script type="application/json" id="record">{record}</script>
<script type="module">
{script}
</script>
</body>
</html>
"""


def page(front: str, title: str, record: dict[str, Any], words: str) -> str:
    """`front`: the widget's own file; `record`: `state` (its traits) and what `recorded.js` answers from;
    `words`: what a reader without scripts gets."""
    script = front_end("paint.js", "panel.js", front, "recorded.js").replace("export default { render };", "")
    # A name in the data could hold "</script>": in JSON the bracket may be written as an escape.
    data = json.dumps(_plain(record), allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return _PAGE.format(
        title=html.escape(title), style=look(), words=html.escape(words), record=data, script=script
    )


def key(label: str, sample: int | str, target: int | None, method: str, layer: str) -> str:
    """The name of a recorded panel; `recorded.js` makes the same."""
    parts = [label, sample, None if method == "activations" else target, method, layer]
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def write(path: str | Path | None, text: str) -> str:
    """Writes `text` where a path is given; returns it."""
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text


def _plain(value: Any) -> Any:
    """Bytes as base64 under a key of their own, so that the page can tell them from text."""
    if isinstance(value, (bytes, memoryview)):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
