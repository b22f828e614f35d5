"""Predict, then run: a guess committed before the outcome shows, kept beside it afterwards."""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dlexplain.classroom.pages import box, folded, prose
from dlexplain.classroom.widgets import Card, ipywidgets
from dlexplain.errors import InputError

if TYPE_CHECKING:
    from dlexplain.classroom.declare import Prediction


class PredictionCard(Card):
    """The question with its controls; `commit()` does what the button does."""

    def __init__(
        self,
        prediction: Prediction,
        entry: dict[str, Any],
        keep: Callable[[Callable[[dict[str, Any]], None]], None],
    ) -> None:
        widgets = ipywidgets("predictions")
        self.prediction = prediction
        self.predicted = entry.get("predicted")
        self.waiting: Reveal | None = None
        self._keep = keep
        self.control = _control(widgets, prediction, self.predicted)
        self.button = widgets.Button(description="Commit my prediction", button_style="primary", icon="lock")
        self.button.layout.width = "auto"
        self.button.layout.align_self = "flex-start"  # else a column of controls stretches it
        self.button.on_click(lambda _: self.commit())
        self.state = widgets.HTML()
        self._seen = "actual" in entry
        self._show()
        title = widgets.HTML(box("hint", "Predict first", prose(prediction.question)))
        super().__init__([title, self.control, self.button, self.state])

    def commit(self) -> None:
        """Keep the guess that the control shows; with nothing chosen, ask for a choice."""
        value = self.control.value
        if value is None:
            self.state.value = box(
                "open", "Nothing chosen yet", prose("Choose one answer, then commit it."), live=True
            )
            return
        if self._seen:
            return
        self.predicted = value if self.prediction.choices else float(value)
        self._keep(lambda entry: entry.update(predicted=self.predicted))
        self._show()
        if self.waiting is not None:
            self._seen = True
            shown = replace(self.waiting, predicted=self.predicted)
            self._keep(shown.record)
            self._show()
            self.waiting.update(shown)

    def _show(self) -> None:
        if self.predicted is None:
            return
        guess = _said(self.prediction, self.predicted)
        rest = (
            "The outcome is known, so it stands."
            if self._seen
            else "You may change it until the outcome shows."
        )
        self.state.value = box("open", "Committed", prose(f"You predicted {guess}. {rest}"), live=True)
        if self._seen:
            self.button.disabled = self.control.disabled = True

    def to_html(self) -> str:
        """The question on a page without a kernel."""
        choices = self.prediction.choices or (
            f"a number from {self.prediction.low:g} to {self.prediction.high:g}",
        )
        items = "".join(f"<li>{html.escape(choice)}</li>" for choice in choices)
        return box("hint", "Predict first", prose(self.prediction.question) + f"<ul>{items}</ul>")


def _control(widgets: Any, prediction: Prediction, predicted: Any) -> Any:
    wide = widgets.Layout(width="auto", max_width="52em")
    if prediction.choices:
        value = predicted if predicted in prediction.choices else None
        return widgets.RadioButtons(options=list(prediction.choices), value=value, layout=wide)
    middle = (
        prediction.low + round((prediction.high - prediction.low) / 2 / prediction.step) * prediction.step
    )
    value = predicted if isinstance(predicted, (int, float)) else middle
    return widgets.FloatSlider(
        value=min(max(value, prediction.low), prediction.high),
        min=prediction.low,
        max=prediction.high,
        step=prediction.step,
        description="I predict",
        readout_format=_format(prediction),
        layout=widgets.Layout(width="100%", max_width="36em"),
    )


def _format(prediction: Prediction) -> str:
    digits = max(0, -math.floor(math.log10(prediction.step) + 1e-9))
    return f".{digits}f"


def _said(prediction: Prediction, value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:{_format(prediction)}}{' ' + prediction.unit if prediction.unit else ''}"
    return f"\u201c{value}\u201d"


@dataclass(frozen=True)
class Reveal:
    """The outcome beside the guess. `gap`: outcome less guess for numbers, else None."""

    prediction: Prediction
    predicted: float | str | None
    actual: float | str

    @classmethod
    def of(cls, prediction: Prediction, predicted: Any, actual: Any) -> Reveal:
        """With the outcome as a plain float or one of the choices; InputError where it is neither."""
        if prediction.choices:
            if actual not in prediction.choices:
                known = ", ".join(map(repr, prediction.choices))
                raise InputError(
                    f"The outcome of {prediction.name!r} is {actual!r}, not one of its choices: {known}."
                )
            guess = predicted if predicted in prediction.choices else None
            return cls(prediction, guess, str(actual))
        try:
            value = float(actual)
        except (TypeError, ValueError) as fault:
            raise InputError(
                f"The outcome of {prediction.name!r} must be a number, not {actual!r}."
            ) from fault
        if not math.isfinite(value):
            raise InputError(f"The outcome of {prediction.name!r} is {value}; it must be finite.")
        return cls(prediction, float(predicted) if isinstance(predicted, (int, float)) else None, value)

    @property
    def gap(self) -> float | None:
        if self.predicted is None or self.prediction.choices:
            return None
        return self.actual - self.predicted

    @property
    def message(self) -> str:
        outcome = _said(self.prediction, self.actual)
        if self.predicted is None:
            return f"The outcome is {outcome}. No prediction was committed."
        guess = _said(self.prediction, self.predicted)
        if self.prediction.choices:
            verdict = "as you predicted" if self.predicted == self.actual else "not as you predicted"
            return f"You predicted {guess}; the outcome is {outcome}: {verdict}."
        gap = _said(self.prediction, abs(self.gap))
        side = "higher than" if self.gap > 0 else "lower than" if self.gap < 0 else "exactly"
        by = f"{gap} " if self.gap else ""
        return f"You predicted {guess}; the outcome is {outcome}, {by}{side} you thought."

    def record(self, entry: dict[str, Any]) -> None:
        """Write the outcome and the gap into an entry of the progress record; the first outcome stands."""
        entry.setdefault("actual", self.actual)
        if self.gap is not None:
            entry.setdefault("gap", self.gap)

    def _repr_html_(self) -> str:
        if self.predicted is None:
            tip = prose("You have not predicted yet. Commit a prediction above: the outcome then shows here.")
            return box(
                "open",
                "Predict first",
                tip + folded("Show the outcome without predicting", prose(self.message)),
            )
        line = "" if self.prediction.choices else _number_line(self)
        return box(
            "right" if self._near() else "open", "Your prediction and the outcome", prose(self.message) + line
        )

    def _near(self) -> bool:
        if self.prediction.choices:
            return self.predicted == self.actual
        return abs(self.gap) <= 0.05 * (self.prediction.high - self.prediction.low)

    def __repr__(self) -> str:
        return "Predict first; the outcome waits." if self.predicted is None else self.message

    def _ipython_display_(self) -> None:
        from IPython.display import display

        bundle = {"text/html": self._repr_html_(), "text/plain": repr(self)}
        display(bundle, raw=True, display_id=self._display_id())

    def update(self, shown: Reveal) -> None:
        """Put `shown` where this one was shown, once the guess is committed after all."""
        from IPython.display import update_display

        bundle = {"text/html": shown._repr_html_(), "text/plain": repr(shown)}
        update_display(bundle, raw=True, display_id=self._display_id())

    def _display_id(self) -> str:
        return f"reveal-{self.prediction.name}-{id(self):x}"


def _number_line(reveal: Reveal) -> str:
    low = min(reveal.prediction.low, reveal.predicted, reveal.actual)
    high = max(reveal.prediction.high, reveal.predicted, reveal.actual)

    def place(value: float) -> float:
        return 40 + 420 * (value - low) / (high - low)

    def text(value: float, height: int, words: str) -> str:
        style = 'text-anchor="middle" fill="currentColor" font-size="12"'
        return f'<text x="{place(value):.1f}" y="{height}" {style}>{words}</text>'

    def line(start: float, end: float, style: str) -> str:
        return f'<line x1="{start:.1f}" x2="{end:.1f}" y1="46" y2="46" {style}/>'

    guess, outcome = place(reveal.predicted), place(reveal.actual)
    drawn = (
        line(40, 460, 'stroke="currentColor" stroke-opacity=".5"'),
        line(guess, outcome, 'stroke="#D55E00" stroke-width="4"'),
        f'<circle cx="{guess:.1f}" cy="46" r="6" fill="none" stroke="currentColor" stroke-width="2"/>',
        f'<circle cx="{outcome:.1f}" cy="46" r="6" fill="currentColor"/>',
        text(reveal.predicted, 14, "\u25cb predicted"),
        text(reveal.actual, 32, "\u25cf outcome"),
        text(low, 68, f"{low:g}"),
        text(high, 68, f"{high:g}"),
    )
    label = html.escape(reveal.message, quote=True)
    style = "width:100%;max-width:34em;display:block"
    return f'<svg role="img" aria-label="{label}" viewBox="0 0 500 74" style="{style}">{"".join(drawn)}</svg>'
