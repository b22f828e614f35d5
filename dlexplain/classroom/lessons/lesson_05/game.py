"""Lesson 05's game of a few players: what each adds in every order, as arithmetic and as a picture."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from itertools import combinations, permutations

import numpy as np

from dlexplain.classroom.desk import Note
from dlexplain.figures.theme import CATEGORIES

Game = Mapping[frozenset[str], float]  # what each set of players is worth; the empty set among them

ROW, HEAD, NAMES = 26, 24, 190
SEE = 1e-9


def line_ups(players: Sequence[str]) -> list[frozenset[str]]:
    """All sets of players, the small ones first."""
    return [frozenset(some) for size in range(len(players) + 1) for some in combinations(players, size)]


def rises(worth: Game, players: Sequence[str]) -> dict[tuple[str, ...], dict[str, float]]:
    """For each order in which the players join: how much the worth rises as each one joins."""
    found = {}
    for order in permutations(players):
        found[order] = {
            player: worth[frozenset(order[: place + 1])] - worth[frozenset(order[:place])]
            for place, player in enumerate(order)
        }
    return found


def shares(worth: Game, players: Sequence[str]) -> dict[str, float]:
    """The Shapley values: each player's mean rise over all orders."""
    every = rises(worth, players).values()
    return {player: float(np.mean([each[player] for each in every])) for player in players}


def alike(worth: Game, players: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs who add the same to every set of the others."""
    return [
        (a, b)
        for a, b in combinations(players, 2)
        if all(abs(worth[some | {a}] - worth[some | {b}]) < SEE for some in line_ups(players) if not some & {a, b})
    ]


def passengers(worth: Game, players: Sequence[str]) -> list[str]:
    """Players who add nothing to any set of the others."""
    return [
        player
        for player in players
        if all(abs(worth[some | {player}] - worth[some]) < SEE for some in line_ups(players) if player not in some)
    ]


def number(value: float, places: int | None = None) -> str:
    """Short, with a true minus sign; without `places` as many as are needed, two at most."""
    text = f"{value:z.2f}".rstrip("0").rstrip(".") if places is None else f"{value:z.{places}f}"
    return text.replace("-", "−")


def tiny(value: float) -> str:
    """A difference that should be nothing, in words where it is very small."""
    if value == 0:
        return "nothing at all"
    for limit, words in ((1e-6, "a millionth"), (1e-5, "a hundred-thousandth"), (1e-4, "a ten-thousandth")):
        if value < limit:
            return f"less than {words}"
    return f"{value:.2g}"


def fate_of_copies(split: Mapping[str, Mapping[str, float]]) -> str:
    """What became of a column's share when a copy of it came, in the words of the prediction's choices."""
    shares = [(row["first copy"] / row["before"], row["second copy"] / row["before"]) for row in split.values()]
    if all(second < 0.1 for _, second in shares):
        return "the second copy gets nothing"
    if all(min(pair) > 0.85 for pair in shares):
        return "each as much as the one before"
    return "the two copies share what the one had"


def orders_picture(worth: Game, players: Sequence[str], *, unit: str = "", places: int | None = None) -> Note:
    """A bar for each rise: a row an order, a column a player; below, the mean of each column, its share."""
    every, mean = rises(worth, players), shares(worth, players)
    largest = max([abs(value) for row in every.values() for value in row.values()] + [SEE])
    below = any(value < -SEE for row in every.values() for value in row.values())
    wide = 150 if len(players) == 3 else 110
    zero = wide * 0.42 if below else 6
    reach = (wide - zero - 44) if not below else wide * 0.3
    body, text = [_heads(players, wide)], []
    top = HEAD
    for order, row in [*every.items(), (None, mean)]:
        whole = order is None
        top += 8 if whole else 0
        label = "the mean: a fair share" if whole else ", ".join(order)
        weight = ' font-weight="700"' if whole else ""
        body.append(
            f'<text x="0" y="{top + 17}" font-size="12.5"{weight} fill="currentColor">{html.escape(label)}</text>'
        )
        if whole:
            end = NAMES + wide * len(players)
            body.append(
                f'<line x1="0" x2="{end}" y1="{top - 3}" y2="{top - 3}" stroke="currentColor" stroke-opacity=".6"/>'
            )
        for column, player in enumerate(players):
            at = NAMES + column * wide
            body.append(_bar(at + zero, top, row[player], reach / largest, CATEGORIES[column], places, whole))
        text.append(f"{label}: " + "; ".join(f"{p} {number(row[p], places)}" for p in players))
        top += ROW
    wide_all = NAMES + wide * len(players)
    caption = f"What each adds when it joins{f', in {unit}' if unit else ''}"
    svg = (
        f'<svg role="img" aria-label="{html.escape(caption + ". " + ". ".join(text), quote=True)}" '
        f'viewBox="0 0 {wide_all} {top + 4}" style="width:{wide_all}px;max-width:100%">{"".join(body)}</svg>'
    )
    page = (
        f'<div style="color:inherit"><div style="font-weight:600;margin:.2em 0">{html.escape(caption)}</div>{svg}</div>'
    )
    return Note(page, "\n".join([caption, *text]))


def _heads(players: Sequence[str], wide: float) -> str:
    found = ['<text x="0" y="14" font-size="12" fill="currentColor" opacity=".75">they join in this order</text>']
    for column, player in enumerate(players):
        at = NAMES + column * wide
        found.append(f'<rect x="{at}" y="4" width="11" height="11" fill="{CATEGORIES[column]}"/>')
        found.append(
            f'<text x="{at + 16}" y="14" font-size="12.5" font-weight="600" fill="currentColor">'
            f"{html.escape(player)}</text>"
        )
    return "".join(found)


def _bar(zero: float, top: float, value: float, scale: float, colour: str, places: int | None, strong: bool) -> str:
    long = abs(value) * scale
    start = zero if value >= 0 else zero - long
    at, anchor = (zero + long + 5, "start") if value >= 0 else (zero - long - 5, "end")
    return (
        f'<line x1="{zero}" x2="{zero}" y1="{top}" y2="{top + ROW - 4}" stroke="currentColor" stroke-opacity=".35"/>'
        f'<rect x="{start:.1f}" y="{top + 4}" width="{max(long, 0.01):.1f}" height="{ROW - 12}" fill="{colour}" '
        f'fill-opacity="{1 if strong else 0.55}"/>'
        f'<text x="{at:.1f}" y="{top + 17}" font-size="12.5" text-anchor="{anchor}" fill="currentColor"'
        f"{' font-weight=' + chr(34) + '700' + chr(34) if strong else ''}>{number(value, places)}</text>"
    )


def what_holds(worth: Game, players: Sequence[str], *, unit: str = "", places: int | None = None) -> list[str]:
    """The bill, twins and passengers of a game, a sentence each."""
    mean = shares(worth, players)
    whole = worth[frozenset(players)] - worth[frozenset()]
    said = " + ".join(f"({number(v, places)})" if v < -SEE else number(v, places) for v in mean.values())
    lines = [f"Bill: {said} = {number(whole, places)} {unit}".rstrip() + ", what all of them earn together."]
    for a, b in alike(worth, players):
        lines.append(f"Twins: {a} and {b} add the same everywhere, and get the same share.")
    for player in passengers(worth, players):
        lines.append(f"Passenger: {player} adds nothing anywhere, and gets nothing.")
    for player, share in mean.items():
        if share < -SEE:
            lines.append(f"Below zero: on the mean {player} lowers the sum, and owes {number(-share, places)}.")
    return lines
