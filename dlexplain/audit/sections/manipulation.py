"""Section 11: was the model, or is the map, made or liable to tell an explainer something else than it does?"""

from __future__ import annotations

from dlexplain.audit.check import check, section
from dlexplain.audit.record import Check, Exhibit, Part, Table
from dlexplain.audit.sections.manipulation_fragile import NOISE, Moved, moved
from dlexplain.audit.sections.manipulation_gradient import Hidden, hidden, too_many
from dlexplain.audit.sections.manipulation_manifold import EXPLAINER, Reliance, fits, reliances
from dlexplain.audit.sections.shortcuts import relied_on
from dlexplain.audit.subject import Subject

_TITLE, _QUESTION = "Manipulation", "Could the model, or a small change of its input, mislead its explanations?"


def leaned(subject: Subject) -> list[Reliance]:
    return subject.once("manifold", lambda: [] if fits(subject) else reliances(subject))


def masked(subject: Subject) -> tuple[list[Hidden], list[Hidden]]:
    return subject.once("gradient masking", lambda: hidden(subject))


def climbed(subject: Subject) -> Moved | None:
    def make() -> Moved | None:
        method = relied_on(subject)
        return None if method is None else moved(subject, method)

    return subject.once("fragility", make)


@check(
    section=11,
    title="Perturbation explainers see what decides on real samples",
    kinds=("table",),
    tasks=("classification",),
)
def manifold_gap(subject: Subject) -> Check:
    """The largest share, over columns, of real samples whose class changes when the column takes the value of a near
    sample, less what kernel SHAP's values account for: its own forecast of those changes or its share, the larger. A column
    that leads kernel SHAP's values hides nothing: it counts 0 at most."""
    why = fits(subject)
    if why:
        return subject.judged("manifold_gap", None, reason=why, status="NOT RUN")
    worst = leaned(subject)[0]
    said, does = max(leaned(subject), key=lambda r: r.share), max(leaned(subject), key=lambda r: r.flips)
    return subject.judged(
        "manifold_gap",
        worst.gap,
        reason=(
            f"Column {worst.name!r} given the value of a near sample changes the class of {worst.flips:.0%} of real "
            f"samples; {EXPLAINER} foresees {worst.foreseen:.0%} and gives it {worst.share:.0%} of its values. "
            f"On real samples {does.name!r} decides most; {EXPLAINER} names {said.name!r}."
        ),
        advice=(
            f"Explanations that remove features (SHAP, LIME, ablation) may be fooled here: the model leans on {worst.name!r} "
            "more than they say. Ask who made the model, look for a part that tells real from unreal samples, and judge "
            "it by changes that stay among real values."
        ),
        evidence=("manifold-columns",),
    )


@check(section=11, title="No feature is hidden from gradients", kinds=("image", "table", "series"))
def gradient_masking(subject: Subject) -> Check:
    """The largest part of a feature's weight that gradients do not see: 1 - its share of what the gradient foresees of
    a permutation / its share of what the permutation does; over features with an even share or a tenth."""
    if too_many(subject):
        return subject.judged(
            "gradient_masking",
            None,
            reason="There are more than 256 columns: the share of one is lost in the noise.",
            advice="Audit a model of fewer columns, or ask of a group of columns with dlx.explain(groups=...).",
            status="INCONCLUSIVE",
        )
    count, _ = masked(subject)
    if not count:
        return subject.judged(
            "gradient_masking",
            None,
            reason="Permuting features changes nothing in the output.",
            advice="See section 6: the model may be saturated.",
            status="INCONCLUSIVE",
        )
    worst = count[0]
    return subject.judged(
        "gradient_masking",
        worst.lost,
        reason=(
            f"Feature {worst.name!r} has {worst.permuted:.0%} of the effect when features are permuted, and "
            f"{worst.gradient:.0%} of what gradients foresee of it."
        ),
        advice=(
            f"Gradients do not show {worst.name!r}: do not rely on saliency maps or other single-gradient methods for this "
            "model. Look for a step or a steep tanh or sigmoid behind that input."
        ),
        evidence=("gradient-masking", "gradient-shares"),
    )


@check(section=11, title="A change within the noise leaves the map", kinds=("image", "table", "series"))
def map_fragility(subject: Subject) -> Check:
    """Mean over samples of 1 - Spearman's correlation between the map and the map at the worst change found by a random
    climb; no value moves by more than a tenth of its feature's deviation, and the class stays."""
    found = climbed(subject)
    if found is None:
        return subject.judged(
            "map_fragility",
            None,
            reason="No explainer passed its exam (section 7): there is no map to move.",
            advice="Find a method that passes section 7 (methods=[...], --methods on the command line), then audit again.",
            status="INCONCLUSIVE",
        )
    return subject.judged(
        "map_fragility",
        float(found.distance.mean()),
        reason=(
            f"Changes of at most {NOISE:g} deviations that leave the decision took the map of {relied_on(subject)} to a rank "
            f"correlation of {1 - found.distance.mean():.2f} (at worst {1 - found.distance.max():.2f}); of its leading "
            f"{found.top} values {found.overlap.mean():.0%} still lead. {found.rounds} random steps a sample, "
            f"{len(found.distance)} samples: a directed attack would find more."
        ),
        advice="Show maps of this model as means over small changes of the input (SmoothGrad), and say how far they vary.",
    )


@section(11, _TITLE, _QUESTION)
def manipulation(subject: Subject, checks: tuple[Check, ...]) -> Part:
    tables: list[Table] = []
    exhibits: list[Exhibit] = []
    ran = {c.name for c in checks if c.figure is not None}
    if "manifold_gap" in ran:
        tables.append(_columns(leaned(subject)))
    if "gradient_masking" in ran:
        count, others = masked(subject)
        tables.append(_hidden(count + others))
        exhibits.append(_shares(count[:12]))
    return Part(
        number=11,
        title=_TITLE,
        question=_QUESTION,
        summary=tuple(c.reason for c in checks if c.status != "NOT RUN"),
        checks=checks,
        tables=tuple(tables),
        exhibits=tuple(exhibits),
        limits=(
            "Near samples stand for the manifold: with few samples or many columns they are not very near, and a model "
            "that tells them too from real ones is not detected.",
            "A feature with less than an even share of the effect (or a tenth) is not looked at for masked gradients.",
        ),
    )


def _columns(rows: list[Reliance]) -> Table:
    return Table(
        id="manifold-columns",
        title="Each column given the value of a near sample",
        columns=("column", "class changes", f"foreseen by {EXPLAINER}", f"share of {EXPLAINER}", "gap"),
        rows=tuple((r.name, r.flips, r.foreseen, r.share, r.gap) for r in rows[:20]),
        note="The 20 columns with the largest gaps. Near: among the five nearest in all other columns.",
    )


def _hidden(rows: list[Hidden]) -> Table:
    return Table(
        id="gradient-masking",
        title="What permuting each feature does, and what gradients foresee of it",
        columns=("feature", "share of the effect", "share of what gradients foresee"),
        rows=tuple((r.name, r.permuted, r.gradient) for r in rows[:20]),
    )


def _shares(rows: list[Hidden]) -> Exhibit:
    from dlexplain.figures.intervened import paired

    title = "What permuting does, and what gradients foresee"
    alt = "; ".join(f"{r.name}: {r.permuted:.0%} of the effect, {r.gradient:.0%} foreseen" for r in rows[:4])
    figure = paired(
        [r.name for r in rows],
        {"effect of permuting": [r.permuted for r in rows], "foreseen by gradients": [r.gradient for r in rows]},
        title=title,
        alt=alt,
    )
    return Exhibit(id="gradient-shares", title=title, alt=alt, figure=figure)
