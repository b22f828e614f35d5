"""Section 6: inside the model. Units that never fire, outputs that have no slope left, layers that never learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlexplain.audit.check import check, section
from dlexplain.audit.record import Check, Exhibit, Part, Table
from dlexplain.audit.sections.inside_figures import (
    MOST,
    SMALL,
    Origin,
    alive,
    origins,
    saturated,
    statistics,
    with_places,
)
from dlexplain.figures import audited_inside

if TYPE_CHECKING:
    from dlexplain.audit.subject import Subject

FEW_UNITS = 8


@check(section=6, title="Units of every layer fire")
def dead_units(subject: Subject) -> Check:
    """The largest share, over layers of eight channels or more, of ReLU channels that are zero for every sample and place.

    A convolution's channels are judged; units of dense layers only where the network has no others, because a wide
    dense layer of a sound network loses up to half of its units and none of its skill.
    """
    layers = alive(subject)
    if not layers:
        return subject.judged(
            "dead_units",
            None,
            status="NOT RUN",
            reason="No ReLU was seen in this model, so no unit can be dead in this sense.",
        )
    shares = {name: float((share == 0).mean()) for name, share in layers.items()}
    judged = with_places(subject) or tuple(layers)
    wide = [name for name in judged if len(layers[name]) >= FEW_UNITS] or judged
    worst = max(wide, key=shares.get)
    dead, units = int((layers[worst] == 0).sum()), len(layers[worst])
    total, every = sum(int((s == 0).sum()) for s in layers.values()), sum(map(len, layers.values()))
    left = [name for name in layers if name not in judged]
    beside = f" Told in the table and not judged: the dense layers {', '.join(left[:5])}." if left else ""
    return subject.judged(
        "dead_units",
        shares[worst],
        reason=(
            f"Layer {worst} has the largest share: {dead} of its {units} units are zero for each of {_asked(subject)} "
            f"samples. In the {len(layers)} ReLU layers together {total} of {every} units are.{beside}"
            if total
            else f"Every one of the {every} units in {len(layers)} ReLU layers fires for some of the {_asked(subject)} samples."
        ),
        advice=f"Units of layer {worst} do nothing: look for a large negative bias, too high a learning rate or inputs "
        "out of range, and train again or take the units out.",
        evidence=("inside-units",),
    )


@check(section=6, title="The output still answers to the input")
def saturation(subject: Subject) -> Check:
    """Share of samples whose output has no slope: a probability that is 1 to the last digit, or a gradient near zero."""
    found = saturated(subject)
    either = found.flat | found.still
    kinds = []
    if found.flat.any():
        kinds.append(f"{int(found.flat.sum())} have a probability within {found.nothing:.0e} of 1")
    if found.still.any():
        kinds.append(
            f"{int(found.still.sum())} have a gradient of nearly nothing though the output moved from the baseline"
        )
    words = f"{int(either.sum())} of {len(either)} samples are saturated" + (
        f": {' and '.join(kinds)}." if kinds else "."
    )
    return subject.judged(
        "saturation",
        float(either.mean()),
        reason=words,
        advice="The model is far surer than it can know, and gradients say nothing of it: look for logits of huge size, "
        "train with weight decay or label smoothing, or calibrate with a temperature.",
        evidence=("inside-activations",),
    )


@check(section=6, title="Every layer has learned")
def untrained_layer(subject: Subject) -> Check:
    """The largest p over layers that their weights are as the framework draws them before training."""
    found = origins(subject)
    judged = [o for o in found if o.decided]
    open_ = [o for o in found if not o.decided]
    left = f" {_layers(open_)} could not be told: fewer than {SMALL} weights, or no known initialiser." if open_ else ""
    if not judged:
        return subject.judged(
            "untrained_layer",
            None,
            reason="No layer has enough weights of a known initialiser to tell whether training changed them." + left,
            advice="Say how the model was trained, and compare its layers with a model of random weights by hand.",
            evidence=("inside-weights",),
        )
    worst = max(judged, key=lambda o: o.p)
    threshold = subject.profile.thresholds.get("untrained_layer")
    fresh = [o for o in judged if threshold is not None and not threshold.met(o.p)]
    if fresh:
        reason = f"{_layers(fresh)}: the weights cannot be told from random ones that were never trained (p = {worst.p:.2g})."
    else:
        reason = f"All {len(judged)} layers that can be told have weights unlike the random ones they began with."
    return subject.judged(
        "untrained_layer",
        worst.p,
        reason=reason + left,
        advice=f"{_layers(fresh)}: find out whether the layer was reset, frozen or never reached by a gradient; accuracy "
        "can hide it, because later layers learn to read random features.",
        evidence=("inside-weights",),
    )


@section(6, "Inside the model", "Does every part of the network do its work?")
def inside(subject: Subject, checks: tuple[Check, ...]) -> Part:
    """Tables of units, weights and activations, and the shares of dead units as a figure."""
    layers, found = alive(subject), origins(subject)
    tables, exhibits = [], []
    if layers:
        tables.append(
            Table(
                id="inside-units",
                title="Units behind a ReLU",
                columns=("layer", "units", "never active", "share", "active for the median unit"),
                rows=tuple(
                    (n, len(s), int((s == 0).sum()), float((s == 0).mean()), float(np.median(s)))
                    for n, s in layers.items()
                ),
                note="A unit is active for a sample when it is above zero at some place. The last column is a share of samples.",
            )
        )
        figure = audited_inside.active_units(layers)
        exhibits.append(
            Exhibit(
                id="inside-active",
                title="For how many samples each unit fires",
                alt=figure.alt,
                figure=figure.to_plotly_json(),
            )
        )
    tables.append(
        Table(
            id="inside-weights",
            title="Weights beside what they began as",
            columns=("layer", "weight", "weights", "begins as", "distance", "p", "beyond its bounds", "said"),
            rows=tuple((o.layer, o.role, o.count, o.begins, o.distance, o.p, o.beyond, o.said) for o in found),
            note="Distance and p: Kolmogorov and Smirnov. A weight beyond the bounds of its initialiser was trained.",
        )
    )
    tables.append(
        Table(
            id="inside-activations",
            title="What the layers put out",
            columns=("layer", "type", "mean", "deviation", "lowest", "highest", "share of zeros"),
            rows=tuple(statistics(subject)),
            note="Over at most 64 samples.",
        )
    )
    return Part(
        number=6,
        title="Inside the model",
        question="Does every part of the network do its work?",
        summary=tuple(c.reason for c in checks),
        facts=(("samples run", _asked(subject)), ("layers with weights looked at", len({o.layer for o in found}))),
        checks=checks,
        tables=tuple(tables),
        exhibits=tuple(exhibits),
        limits=(
            "A unit that is silent here may fire for inputs that are not in the audit set.",
            "A layer that was trained from other than its framework's own initialiser, or trained only a little, is not told "
            "from a trained one.",
            "ReLUs that a Keras model applies outside its layers are not seen.",
        ),
    )


def _asked(subject: Subject) -> int:
    return min(len(subject), MOST)


def _layers(found: list[Origin]) -> str:
    names = list(dict.fromkeys(o.layer for o in found))
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"Layer{'s' if len(names) > 1 else ''} {shown}"
