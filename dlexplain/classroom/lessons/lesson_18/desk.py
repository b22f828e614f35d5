"""Lesson 18's audit desk: sealed cases, evidence that costs minutes, decisions, and the score against the truth."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlexplain.audit.power import percent, wilson
from dlexplain.classroom.lessons.lesson_18.cases import FAULTS, Case
from dlexplain.classroom.lessons.lesson_18.pages import chip, part_html
from dlexplain.classroom.pages import box, folded, prose, table
from dlexplain.classroom.widgets import Card, ipywidgets
from dlexplain.errors import InputError

MINUTES = 45
# Section: its name at the desk, its minutes, and how it is shown.
EVIDENCE: Mapping[int, tuple[str, int, dict[str, Any]]] = {
    3: ("Data sheet", 15, {}),
    4: ("Performance", 5, {}),
    5: ("Slices", 15, {"shown": "slices", "rows": 3, "columns": ("slice", "rows", "share of errors", "elsewhere")}),
    6: ("Inside", 10, {"shown": "inside-units", "rows": 4, "columns": ("layer", "units", "never active")}),
    7: ("Exam of the explainers", 20, {"most": 1}),
    8: (
        "What it looks at",
        10,
        {"shown": "global-table-0", "rows": 4, "columns": ("feature", "pixel", "share"), "caption": "Counts most"},
    ),
    10: ("Shortcuts, leakage", 15, {"shown": "leakage-columns", "rows": 3, "caption": "Columns"}),
}
SIGN, REFUSE = "I sign", "I do not sign"


@dataclass(frozen=True)
class Decision:
    """`confidence`: 0.5 to 1 that signing, or not signing, is right. `fault`: a key of `FAULTS`."""

    sign: bool
    fault: str
    confidence: float
    minutes: int

    def right(self, case: Case) -> bool:
        return self.sign == case.sound


@dataclass(frozen=True)
class Tally:
    """Decisions against the truth. `hits`: faulty and refused. `accused`: sound and refused."""

    hits: int
    faulty: int
    accused: int
    sound: int

    @property
    def rows(self) -> list[tuple[str, int, int]]:
        return [("faulty networks refused (hits)", self.hits, self.faulty),
                ("faulty networks signed (misses)", self.faulty - self.hits, self.faulty),
                ("sound networks refused (false accusations)", self.accused, self.sound)]  # fmt: skip


def tally(cases: Sequence[Case], refused: Mapping[str, bool]) -> Tally:
    """Counts over the cases that were decided; `refused`: by the case's name."""
    done = [case for case in cases if case.name in refused]
    faulty = [case for case in done if not case.sound]
    sound = [case for case in done if case.sound]
    return Tally(
        hits=sum(refused[c.name] for c in faulty),
        faulty=len(faulty),
        accused=sum(refused[c.name] for c in sound),
        sound=len(sound),
    )


def automatic(cases: Sequence[Case]) -> Tally:
    """What the verdict alone would have done: refuse at FAIL, sign at PASS; INCONCLUSIVE counts as not signed."""
    return tally(cases, {case.name: case.record.verdict != "PASS" for case in cases})


class AuditDesk(Card):
    """Choose a case, ask for sections while the minutes last, decide; the truth shows when the decision stands."""

    def __init__(self, cases: Sequence[Case], *, minutes: int = MINUTES) -> None:
        widgets = ipywidgets("audit desk")
        self.cases = {case.name: case for case in cases}
        self.minutes = minutes
        self.asked: dict[str, list[int]] = {name: [] for name in self.cases}
        self.decisions: dict[str, Decision] = {}
        self._watching: list[Callable[[], None]] = []
        self._note = ""
        auto = {"width": "auto"}
        self.chosen = widgets.ToggleButtons(
            options=list(self.cases), tooltips=[f"case {name}" for name in self.cases], style={"button_width": "3em"}
        )
        self.head, self.paper = widgets.HTML(), widgets.HTML()
        self.buttons = {}
        for number, (title, cost, _) in EVIDENCE.items():
            button = widgets.Button(description=f"{title} · {cost} min", layout=widgets.Layout(**auto))
            button.on_click(lambda _, number=number: self._ask(number))
            self.buttons[number] = button
        self.sign = widgets.RadioButtons(options=[SIGN, REFUSE], value=None, layout=widgets.Layout(**auto))
        self.fault = widgets.Dropdown(
            options=[(words, key) for key, words in FAULTS.items()],
            description="the fault",
            layout=widgets.Layout(width="26em", max_width="100%"),
        )
        self.sure = widgets.IntSlider(
            value=70,
            min=50,
            max=100,
            step=5,
            description="sure, in %",
            layout=widgets.Layout(width="26em", max_width="100%"),
        )
        self.button = widgets.Button(description="Decide", button_style="primary", icon="pencil")
        self.button.on_click(lambda _: self._decide())
        self.answer = widgets.HTML()
        self.chosen.observe(lambda _: self._turn(), "value")
        self._turn()
        asks = widgets.HBox(list(self.buttons.values()), layout=widgets.Layout(flex_flow="row wrap"))
        decide = widgets.VBox([self.sign, self.fault, self.sure, self.button])
        super().__init__([self.chosen, self.head, asks, self.paper, decide, self.answer])

    def ask(self, case: str, section: int) -> bool:
        """Buy a section of a case's record; False where its minutes do not suffice, or the case is decided."""
        self._known(case)
        if section not in EVIDENCE:
            raise InputError(f"section {section!r} cannot be asked for at the desk: {', '.join(map(str, EVIDENCE))}.")
        if section in self.asked[case]:
            return True
        if case in self.decisions or self.left(case) < EVIDENCE[section][1]:
            return False
        self.asked[case].append(section)
        self._show()
        return True

    def decide(self, case: str, *, sign: bool, fault: str = "none", confidence: float = 0.7) -> Decision:
        """Decide a case; the first decision stands."""
        self._known(case)
        if fault not in FAULTS:
            raise InputError(f"fault={fault!r} is not one of {', '.join(FAULTS)}.")
        if not sign and fault == "none":
            raise InputError(f"case {case}: who does not sign names a fault, one of {', '.join(list(FAULTS)[1:])}.")
        if not 0.5 <= confidence <= 1:
            raise InputError(f"confidence={confidence!r} must lie between 0.5 (a coin) and 1.")
        spent = self.minutes - self.left(case)
        self.decisions.setdefault(case, Decision(bool(sign), "none" if sign else fault, float(confidence), spent))
        self._show()
        for tell in self._watching:
            tell()
        return self.decisions[case]

    def left(self, case: str) -> int:
        """Minutes that are left for a case."""
        return self.minutes - sum(EVIDENCE[number][1] for number in self.asked[case])

    def score(self) -> ScoreCard:
        """The decisions against the truth, beside the automatic verdict; follows the desk."""
        return ScoreCard(self)

    def _known(self, case: str) -> None:
        if case not in self.cases:
            raise InputError(f"There is no case {case!r}. The cases are {', '.join(self.cases)}.")

    def _ask(self, number: int) -> None:
        case = self.chosen.value
        self._note = ""
        if not self.ask(case, number):
            cost = EVIDENCE[number][1]
            self._note = f"That takes {cost} minutes, and {self.left(case)} are left. Decide with what you have."
        self._show()

    def _decide(self) -> None:
        self._note = ""
        if self.sign.value is None:
            self._note = "Choose first: sign, or do not sign."
        elif self.sign.value == REFUSE and self.fault.value == "none":
            self._note = "You do not sign: say which fault you suspect."
        if self._note:
            self._show()
            return
        self.decide(
            self.chosen.value, sign=self.sign.value == SIGN, fault=self.fault.value, confidence=self.sure.value / 100
        )

    def _turn(self) -> None:
        """Another case lies on the desk."""
        self._note = ""
        decided = self.decisions.get(self.chosen.value)
        self.sign.value = None if decided is None else SIGN if decided.sign else REFUSE
        self.fault.value = decided.fault if decided else "none"
        self.sure.value = round(100 * decided.confidence) if decided else 70
        self._show()

    def _show(self) -> None:
        name = self.chosen.value
        case, left, decided = self.cases[name], self.left(name), self.decisions.get(name)
        open_cases = [n for n in self.cases if n not in self.decisions]
        self.head.value = _head(case) + _clock(left, self.minutes, len(open_cases))
        self.paper.value = "".join(_evidence(case, number) for number in self.asked[name])
        for number, button in self.buttons.items():
            bought = number in self.asked[name]
            button.disabled = bought or decided is not None or EVIDENCE[number][1] > left
            button.icon = "check" if bought else ""
        for control in (self.sign, self.fault, self.sure, self.button):
            control.disabled = decided is not None
        if decided is not None:
            self.answer.value = _truth(case, decided)
        else:
            self.answer.value = box("open", "Not yet", prose(self._note), live=True) if self._note else ""

    def to_html(self) -> str:
        """Every case with its evidence and its truth, each folded."""
        parts = []
        for case in self.cases.values():
            evidence = "".join(
                folded(f"{title} ({cost} minutes)", part_html(case.record.part(number), **how))
                for number, (title, cost, how) in EVIDENCE.items()
            )
            truth = folded("Decide first; then open the truth", _planted(case))
            parts.append(_head(case) + evidence + truth)
        return "<hr>".join(parts)


def _head(case: Case) -> str:
    return (
        f'<div style="line-height:1.55;margin:.4em 0"><b>Case {case.name}.</b> {html.escape(case.story)} '
        f"Right on <b>{case.accuracy:.1%}</b> of new rows.</div>"
    )


def _clock(left: int, minutes: int, open_cases: int) -> str:
    share = 100 * left / minutes
    bar = (
        '<div style="width:180px;height:9px;background:rgba(127,127,127,.25);border-radius:5px;overflow:hidden;'
        f'display:inline-block;vertical-align:middle"><div style="width:{share:.0f}%;height:9px;background:#0072B2"></div></div>'
    )
    cases = "case" if open_cases == 1 else "cases"
    return f'<div style="margin:.2em 0 .4em">{bar} {left} of {minutes} minutes left · {open_cases} {cases} open</div>'


def _evidence(case: Case, number: int) -> str:
    title, _, how = EVIDENCE[number]
    return box("plain", f"{case.name} · {title}", part_html(case.record.part(number), **how), live=True)


def _planted(case: Case) -> str:
    return (
        prose(f"**{FAULTS[case.fault]}.** {case.truth}") + f"<p>The automatic verdict: {chip(case.record.verdict)}</p>"
    )


def _truth(case: Case, decided: Decision) -> str:
    right = decided.right(case)
    if case.sound:
        title = "Rightly signed." if right else "A false accusation: this one is sound."
    elif right:
        title = "A hit." if decided.fault == case.fault else "A hit, though the fault is another one."
    else:
        title = "A miss: you signed a network with a fault."
    return box("right" if right else "wrong", title, _planted(case), live=True)


class ScoreCard(Card):
    """The learner's score beside the automatic verdict's; it waits until every case is decided."""

    def __init__(self, desk: AuditDesk) -> None:
        self.desk = desk
        self.view = ipywidgets("score").HTML(self.to_html())
        desk._watching.append(lambda: setattr(self.view, "value", self.to_html()))
        super().__init__([self.view])

    def to_html(self) -> str:
        """What is decided so far; the automatic verdict's score stays folded until all is."""
        cases, decisions = list(self.desk.cases.values()), self.desk.decisions
        machine = automatic(cases)
        left = len(cases) - len(decisions)
        if left:
            words = prose(f"{left} of {len(cases)} cases are open. Decide them at the desk; your score shows here.")
            return box("open", "The score waits", words) + folded(
                "Show the automatic verdict's score without deciding", _compared({"automatic verdict": machine})
            )
        own = tally(cases, {name: not decision.sign for name, decision in decisions.items()})
        return _compared({"you": own, "automatic verdict": machine}) + _sureness(self.desk.cases, decisions)


def _compared(tallies: Mapping[str, Tally]) -> str:
    names = list(tallies)
    rows = []
    for i, (words, *_) in enumerate(next(iter(tallies.values())).rows):
        rows.append([html.escape(words), *(_share(*tallies[name].rows[i][1:]) for name in names)])
    return table(["", *names], rows, "Against the truth, with 95 % intervals")


def _share(count: int, of: int) -> str:
    low, high = wilson(count, of)
    return f"<b>{count} of {of}</b> <span style='opacity:.8'>({percent(low)} to {percent(high, up=True)})</span>"


def _sureness(cases: Mapping[str, Case], decisions: Mapping[str, Decision]) -> str:
    right = [decision.right(cases[name]) for name, decision in decisions.items()]
    sure = [decision.confidence for decision in decisions.values()]
    share, mean = sum(right) / len(right), sum(sure) / len(sure)
    brier = sum((s - r) ** 2 for s, r in zip(sure, right, strict=True)) / len(right)
    named = sum(not d.sign and d.fault == cases[n].fault for n, d in decisions.items())
    minutes = sum(d.minutes for d in decisions.values())
    if abs(mean - share) <= 0.1:
        word = "well calibrated"
    else:
        word = "surer than right" if mean > share else "more often right than sure"
    return prose(
        f"You were **{mean:.0%}** sure on average, and right in **{share:.0%}** of the cases: {word}. Your Brier score is "
        f"**{brier:.3f}** (0 is perfect; always “50 % sure” earns 0.25). You named **{named}** faults rightly and spent "
        f"**{minutes}** minutes."
    )
