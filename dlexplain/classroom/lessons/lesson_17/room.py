"""Lesson 17's control room: a year on duty, week by week, with limits, retraining and a way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_17.duty import MONITORS, QUIET, Duty, Train
from dlexplain.classroom.lessons.lesson_17.screens import bill, monitor
from dlexplain.classroom.lessons.lesson_17.stream import DELAY, Stream
from dlexplain.classroom.widgets import Card, ipywidgets

_SLIDERS = {"readings": (0.02, 0.3, 0.005), "explanations": (0.02, 0.4, 0.01), "outcomes": (0.02, 0.4, 0.01)}
_NAMES = {
    "readings": "readings (PSI)", "alarms": "alarms (move)", "explanations": "explanations (move of a share)",
    "outcomes": "outcomes (wrong, 4 weeks late)",
}  # fmt: skip


class ControlRoom(Card):
    """Choose a year and go through it. `years`: streams of 52 weeks or so by name; `train`: see `Duty`.

    The first twelve weeks are quiet: they set the limits, and the duty begins after them.
    """

    def __init__(self, years: Mapping[str, Stream], history: Stream, train: Train) -> None:
        widgets = ipywidgets("control rooms")
        self._years, self._history, self._train = dict(years), history, train
        wide = {"layout": widgets.Layout(width="100%", max_width="34em"), "style": {"description_width": "12em"}}
        self.year = widgets.Dropdown(options=list(years), description="year", **wide)
        self.limits = {
            name: widgets.FloatSlider(
                min=low, max=high, step=step, readout_format=".3f" if step < 0.01 else ".2f",
                description=f"limit of {name}", **wide,
            )
            for name, (low, high, step) in _SLIDERS.items()
        }  # fmt: skip
        self.window = widgets.IntSlider(value=5, min=1, max=12, description="weeks to learn from", **wide)
        button = {"layout": widgets.Layout(width="auto")}
        # The years are long: no end of the player's own stops it, but an alarm does.
        self.player = widgets.Play(value=0, min=0, max=1_000_000, interval=700, show_repeat=False)
        self.next = widgets.Button(description="Next week", icon="step-forward", **button)
        self.on = widgets.Button(description="On to the next alarm", icon="forward", **button)
        self.retrain = widgets.Button(description="Retrain", icon="wrench", **button)
        self.back = widgets.Button(description="Roll back", icon="undo", **button)
        self.accept = widgets.Button(description="Accept the readings", icon="check", **button)
        self.again = widgets.Button(description="Start again", icon="refresh", **button)
        self.view = widgets.HTML()
        for control, action in (
            (self.next, self._next), (self.on, self._on), (self.retrain, self._retrain), (self.back, self._back),
            (self.accept, self._accept), (self.again, self._start),
        ):  # fmt: skip
            control.on_click(action)
        self.player.observe(self._played, "value")
        self.year.observe(self._start, "value")
        for control in self.limits.values():
            control.observe(self._show, "value")
        self._start()
        buttons = widgets.HBox(
            [self.player, self.next, self.on, self.retrain, self.back, self.accept, self.again],
            layout=widgets.Layout(flex_flow="row wrap"),
        )
        super().__init__([self.view, buttons, self.window, *self.limits.values(), self.year])

    def limit(self, name: str) -> float:
        """From which value on this monitor rings."""
        return float(self.limits[name].value) if name in self.limits else self.duty.quiet_limits[name]

    def ringing(self, week: int) -> list[str]:
        """The monitors that ring in this week, counted from 0."""
        return [name for name in MONITORS if self.duty.values[name][week] > self.limit(name)]

    def _start(self, _: Any = None) -> None:
        self.view.value = "<i>Version 1 is being trained…</i>"
        self.duty = Duty(self._years[self.year.value], self._history, self._train)
        for name, control in self.limits.items():
            control.value = round(self.duty.quiet_limits[name] / control.step) * control.step
        self._show()

    def _next(self, _: Any = None) -> None:
        self.duty.step()
        self._show()

    def _pass(self) -> bool:
        """One week; whether the year is over, or a monitor rings that was silent the week before."""
        known = self.ringing(self.duty.week - 1)
        self.duty.step()
        return self.duty.over or bool(set(self.ringing(self.duty.week - 1)) - set(known))

    def _played(self, change: Any) -> None:
        if change["new"] > change["old"] and not self.duty.over:
            if self._pass():
                self.player.playing = False
            self._show()

    def _on(self, _: Any = None) -> None:
        """On to the next alarm, or to the end."""
        while not self.duty.over:
            if self._pass():
                break
        self._show()

    def _retrain(self, _: Any = None) -> None:
        if not self.duty.over:
            self.duty.retrain(int(self.window.value))
        self._show()

    def _back(self, _: Any = None) -> None:
        self.duty.roll_back()
        self._show()

    def _accept(self, _: Any = None) -> None:
        self.duty.accept()
        self._show()

    def _show(self, _: Any = None) -> None:
        for control in (self.next, self.on, self.retrain, self.accept):
            control.disabled = self.duty.over
        self.back.disabled = self.duty.serving.parent is None or self.duty.over
        self.view.value = self._screens(self.duty, "status")

    def sweep(self) -> list[Callable[[], None]]:
        """A whole year: on to the alarms, with a retraining and the way back."""
        return [
            self._start,
            self._on,
            self._accept,
            self._on,
            self._retrain,
            self._next,
            self._back,
            self._on,
            self._on,
        ]

    def words(self, duty: Duty) -> str:
        """The week, what rings, who is at work, and the bill."""
        week = duty.week
        rings = [name for name in MONITORS if duty.values[name][week - 1] > self.limit(name)]
        mine, others = duty.paid()
        told = [f"<b>Week {week}</b>{', the end of the year' if duty.over else ''}."]
        told.append(f"<b>Rings: {', '.join(rings)}.</b>" if rings else "Nothing rings.")
        told.append(f"At work: {duty.serving.name}, learned from {duty.serving.learned}.")
        sensor, move = duty.surprise()
        if sensor:
            told.append(
                f"Beside {duty.serving.parent.name}, it gives {sensor} {abs(move):.0%} points "
                f"{'more' if move > 0 else 'less'} of the credit."
            )
        if len(mine):
            until = "the whole year" if duty.over else f"weeks 1 to {len(mine)}"
            told.append(f"Bill for {until}: <b>{mine[-1]:,.0f}</b>; hands off: {others[-1]:,.0f}.")
        if duty.over:
            told.append(_unveiled(duty.stream))
        elif duty.diary:
            told.append(f"Last done, in week {duty.diary[-1][0]}: {duty.diary[-1][1]}.")
        return " ".join(told)

    def to_html(self) -> str:
        """The screens as they stand; before the first week on duty, also the whole year with hands off."""
        page = self._screens(self.duty)
        if self.duty.week > QUIET or self.duty.diary:
            return page
        idle = self.duty.hands_off()
        return f"{page}<div><b>The whole year, if nobody lifts a hand:</b></div>{self._screens(idle)}"

    def _screens(self, duty: Duty, role: str = "") -> str:
        """Four monitors and the bill, and all in words; `role`: of the words, for a screen reader."""
        words, acts = self.words(duty), [week for week, _ in duty.diary]
        screens = [
            monitor(_NAMES[name], duty.values[name], self.limit(name), weeks=len(duty.stream), quiet=QUIET, acts=acts)
            for name in MONITORS
        ]
        screens.append(bill(*duty.paid(), weeks=len(duty.stream), acts=acts))
        newest = ", ".join(
            f"{name} {duty.values[name][-1]:.3f}" for name in MONITORS if np.isfinite(duty.values[name][-1])
        )
        said = f'<span role="{role}">{words}</span>' if role else words
        return draw.row(screens, said, f"Control room, week {duty.week}: {newest}. {draw.plain(words)}")


def _unveiled(stream: Stream) -> str:
    events = stream.events
    happened = {
        "the thermometer was recalibrated": events.thermometer,
        "the new controller came": events.controller,
        "the new seals came": events.seals,
        f"a workshop sent no list for six weeks or so (felt {DELAY} weeks later)": events.missing and events.missing[0],
    }
    told = [f"week {week}, {name}" for name, week in sorted(happened.items(), key=lambda item: item[1] or 0) if week]
    return f"What happened: {'; '.join(told)}." if told else "What happened: nothing at all."
