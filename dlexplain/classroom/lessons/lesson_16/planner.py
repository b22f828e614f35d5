"""Lesson 16's planner: sliders for a plan and its prices; the bill of the first year, held against a budget."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_16 import costs
from dlexplain.classroom.lessons.lesson_16.costs import Law, Machine, Measured, Plan
from dlexplain.classroom.lessons.lesson_16.drawing import bill_bars
from dlexplain.classroom.widgets import Card, ipywidgets

SIZES = tuple(10.0**k for k in range(10))
LABELS = (100, 200, 500, 1200, 5000, 10_000, 50_000, 100_000, 1_000_000, 10_000_000)
EPOCHS = (1, 3, 10, 30, 100)
ANSWERS = tuple(10**k for k in range(2, 12))
LABEL_PRICES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 50.0)
HOUR_PRICES = (0.0, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
KWH_PRICES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.6)
BUDGETS = (10, 50, 100, 200, 500, 1000, 5000, 10_000, 100_000, 1_000_000, 10_000_000)


class Planner(Card):
    """Can we afford it? `networks`: measured; `explanations`: by name, their cost in forward passes; `law`: errors of the
    network named `law_of`, of its measured size."""

    def __init__(
        self,
        networks: Sequence[Measured],
        machines: Sequence[Machine],
        explanations: Mapping[str, float],
        law: Law,
        law_of: str,
    ) -> None:
        self._widgets = ipywidgets("workbenches")
        self._law, self._law_of = law, law_of
        self.network = self._menu("network", [(each.name, each) for each in networks], networks[0])
        self.size = self._slider("times as large", [(costs.quantity(each), each) for each in SIZES], 1.0)
        self.labels = self._slider("labelled examples", [(costs.quantity(each), each) for each in LABELS], 1200)
        self.epochs = self._slider("epochs", [(str(each), each) for each in EPOCHS], 10)
        self.answers = self._slider("answers a month", [(costs.quantity(each), each) for each in ANSWERS], 1000)
        self.explained = self._menu(
            "explain each", [("no", 0.0), *((name, float(cost)) for name, cost in explanations.items())], 0.0
        )
        self.machine = self._menu("machine", [(each.name, each) for each in machines], machines[0])
        self.label = self._slider("price of a label", [(f"€ {each:g}", each) for each in LABEL_PRICES], 0.1)
        self.hour = self._slider("price of a machine hour", [(f"€ {each:g}", each) for each in HOUR_PRICES], 0.1)
        self.kwh = self._slider("price of a kWh", [(f"€ {each:g}", each) for each in KWH_PRICES], 0.3)
        self.budget = self._slider("your budget", [(f"€ {each:,}", each) for each in BUDGETS], 200)
        self.view = self._widgets.HTML()
        plan = [self.network, self.size, self.labels, self.epochs, self.answers, self.explained]
        prices = [self.machine, self.label, self.hour, self.kwh, self.budget]
        for control in (*plan, *prices):
            control.observe(self._show, "value")
        self._show()
        layout = self._widgets.Layout(flex="1 1 22em", min_width="18em")
        sides = [self._widgets.VBox(each, layout=layout) for each in (plan, prices)]
        columns = self._widgets.HBox(sides, layout=self._widgets.Layout(flex_flow="row wrap"))
        super().__init__([columns, self.view])

    def _style(self) -> dict[str, Any]:
        return {"layout": self._widgets.Layout(width="97%"), "style": {"description_width": "12em"}}

    def _slider(self, name: str, options: list[tuple[str, Any]], value: Any) -> Any:
        return self._widgets.SelectionSlider(options=options, value=value, description=name, **self._style())

    def _menu(self, name: str, options: list[tuple[str, Any]], value: Any) -> Any:
        return self._widgets.Dropdown(options=options, value=value, description=name, **self._style())

    def plan(self) -> Plan:
        """What is now set."""
        return Plan(
            network=self.network.value,
            machine=self.machine.value,
            size=float(self.size.value),
            labels=int(self.labels.value),
            epochs=int(self.epochs.value),
            answers_a_month=float(self.answers.value),
            explained=float(self.explained.value),
            label=float(self.label.value),
            hour=float(self.hour.value),
            kwh=float(self.kwh.value),
        )

    def _show(self, _: Any = None) -> None:
        self.view.value = self.to_html()

    def to_html(self) -> str:
        """The bill as bars, the verdict, what it rests on."""
        plan, budget = self.plan(), float(self.budget.value)
        lines = costs.bill(plan)
        verdict, took = self._verdict(plan, lines, budget), self._took(plan, lines)
        picture = draw.row([bill_bars(lines, budget)], "", draw.plain(f"{self._bill(lines)} {verdict}"))
        return (
            f'<div role="status" aria-live="polite" style="font-size:1.1em;margin:.3em 0">{verdict}</div>{picture}'
            f'<div style="line-height:1.5;max-width:56em">{took}</div>{self._assumed(plan)}'
        )

    def _bill(self, lines: Mapping[str, costs.Line]) -> str:
        return "; ".join(f"{name}: {costs.money(line.total)}" for name, line in lines.items()) + "."

    def _verdict(self, plan: Plan, lines: dict[str, costs.Line], budget: float) -> str:
        whole, worst = costs.total(lines), costs.dearest(lines)
        said = "<b>Yes</b>, we can afford it" if whole <= budget else "<b>No</b>, we cannot afford it"
        words = f"{said}: {costs.money(whole)} in the first year, of € {budget:,.0f}. "
        words += f"Dearest line: <b>{worst}</b>, {lines[worst].total / whole:.0%} of it. " if whole else ""
        if whole > budget:
            most = costs.most_labels(plan, budget)
            words += (
                f"With {costs.quantity(most)} labels it would do."
                if most
                else "Fewer labels alone will not save it: answers and explanations take the budget."
            )
        return words

    def _took(self, plan: Plan, lines: dict[str, costs.Line]) -> str:
        train, serve = lines["training"], lines["answers"]
        kwh = sum(line.kwh for line in lines.values())
        hours = serve.hours + lines["explanations"].hours
        words = (
            f"Training: {costs.quantity(train.operations)} operations, {costs.duration(train.hours)} on one machine, "
            f"{costs.size_of(costs.memory(plan.network, plan.size))} of memory. "
            f"A year of answers: {costs.duration(hours)}. Energy in all: {costs.quantity(1000 * kwh)} Wh."
        )
        if plan.network.name == self._law_of and plan.size == 1:
            outside = not self._law.seen[0] <= plan.labels <= self._law.seen[1]
            words += f" Expected errors: {self._law.errors(plan.labels):.1%}"
            words += ", <b>a guess beyond what was measured</b>." if outside else ", by the measured law."
        return words

    def _assumed(self, plan: Plan) -> str:
        machine = plan.machine
        speed = machine.per_second or plan.network.per_second
        points = [
            f"{plan.labels:,} labels at € {plan.label:g}; {plan.epochs} epochs; {costs.quantity(plan.answers_a_month)} answers "
            f"a month; a machine hour € {plan.hour:g}; a kWh € {plan.kwh:g}.",
            f"{html.escape(plan.network.name)}: {plan.network.operations:,} operations forward, measured; times "
            f"{costs.quantity(plan.size)}.",
            f"{html.escape(machine.name)}: {costs.quantity(speed)} operations a second, {machine.watts:g} W.",
            "Training: 3 × forward × examples × epochs. An answer: 1 × forward. A year: 12 months alike.",
            "Twice the operations take twice the time. Not in it: wages of engineers, tests, tuning, failed attempts, storage.",
        ]
        listed = "".join(f"<li>{each}</li>" for each in points)
        return f'<div style="opacity:.8;font-size:.93em;margin-top:.4em">It assumes:<ul style="margin:.2em 0">{listed}</ul></div>'
