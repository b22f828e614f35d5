"""Lesson 18's checks: each names the misconception behind a wrong answer."""

from __future__ import annotations

from dlexplain.classroom import Check, call, close, number, option, right, words, wrong
from dlexplain.classroom.checks import Refused

PASS, FAIL, OPEN, LEFT = "PASS", "FAIL", "INCONCLUSIVE", "NOT RUN"
CLAUSES = ("accuracy", "groups", "attack", "explanation", "monitoring")


def check_verdict(answer: object) -> Check:
    def asked(*checks: tuple[str, bool]) -> str:
        return option(call(answer, list(checks), what="`verdict`"), [PASS, FAIL, OPEN], what="the result of `verdict`")

    if asked((PASS, True), (PASS, True), (FAIL, True)) != FAIL:
        return wrong(
            "Two checks pass, one that gates fails, and your verdict is not FAIL. This is **no majority vote**: one open "
            "gate lets the fault through, however many others are shut."
        )
    if asked((PASS, True), (FAIL, False)) != PASS:
        return wrong(
            "The only check that fails here **does not gate**. It is a warning to read, and it does not decide."
        )
    open_one = asked((PASS, True), (OPEN, True))
    if open_one == FAIL:
        return wrong(
            "You take INCONCLUSIVE for FAIL. It does not say that something is wrong. It says that **nobody knows yet**, "
            "and what is missing."
        )
    if open_one == PASS:
        return wrong("One gate could not be answered, and you let it pass. An open question is not a good answer.")
    if asked((PASS, True), (LEFT, True)) != PASS:
        return wrong(
            "NOT RUN does not count against the model: the check does not apply, or was not asked for. But the record "
            "names it."
        )
    if asked((OPEN, True), (FAIL, True)) != FAIL:
        return wrong("One gate is open and one failed. What failed has failed, whatever else is still open.")
    if asked((LEFT, True), (PASS, False)) != OPEN:
        return wrong("Here no check that gates has passed. With nothing tested there is no PASS: INCONCLUSIVE.")
    return right("First FAIL, then INCONCLUSIVE, then PASS; and only checks that gate count. So does `dlx.audit`.")


def check_evidence(answer: object) -> Check:
    letters = sorted({words(each, what="a letter").upper() for each in _listed(answer)})
    unknown = [each for each in letters if each not in "ABCD" or len(each) != 1]
    if unknown:
        return wrong(f"`{unknown[0]}` is none of the four maps. The letters are A, B, C and D.")
    if letters == ["C"]:
        return right(
            "Only C crosses every threshold the right way. B's map would please any doctor. But it is the same for every "
            "patient and **never asked the network**."
        )
    if "B" in letters:
        return wrong(
            "B looks like the textbook, and that is all it is: **the nicest map is not the best**. It does not foresee how "
            "the score falls (faithfulness), and it stays the same for random weights (randomisation)."
        )
    if "A" in letters:
        return wrong("A follows another class's score better than the one it explains. See the column `wrong target`.")
    if "D" in letters:
        return wrong(
            "D passes randomisation, since chance resembles nothing. **One criterion never decides alone.** See faithfulness."
        )
    return wrong("At least one of the four passes. Go through the criteria column by column.")


def _listed(answer: object) -> list[object]:
    if isinstance(answer, str):
        parts = answer.replace(",", " ").split()
        return list(parts[0]) if len(parts) == 1 and set(parts[0].upper()) <= set("ABCD") else list(parts)
    if not isinstance(answer, (list, tuple, set)):
        raise Refused('A list of letters is wanted, such as `["A", "D"]`.')
    return list(answer)


def check_after_pass(answer: object, *, faulty: float = 20, caught: float = 0.9, accused: float = 0.05) -> Check:
    value = number(answer)
    slipped, cleared = faulty * (1 - caught), (100 - faulty) * (1 - accused)
    share = slipped / (slipped + cleared)
    if close(value, share, relative=0.015):
        return right(
            f"{slipped:.0f} of {slipped + cleared:.0f} signed networks have a fault: **not detected is not absent**. "
            "How many slip through depends on how many were faulty to begin with."
        )
    if close(value, 100 * share, relative=0.015):
        return wrong("The figure is right, but in per cent. A share lies between 0 and 1: divide by 100.")
    if close(value, 0):
        return wrong("**PASS does not mean “no faults”.** The audit catches 9 of 10. Where is the tenth?")
    if close(value, 1 - caught):
        return wrong(
            "This is the share of the **faulty** that pass. Asked is the share of the **passed** that are faulty."
        )
    if close(value, faulty / 100):
        return wrong("This is the share before the audit. The PASS has told you something: most faulty ones are gone.")
    if close(value, slipped / (slipped + 100 - faulty), relative=0.005):
        return wrong("Not all 80 sound networks pass: 5% of them are accused. Divide by those that **passed**.")
    if close(value, slipped / (100 - faulty), relative=0.005):
        return wrong("You divided by the sound networks. Divide by all that **passed**: the sound and the faulty ones.")
    if close(value, slipped / 100):
        return wrong("These are the faulty ones among all 100. Divide by those that **passed**, not by 100.")
    if close(value, slipped):
        return wrong("So many faulty networks pass. A share is wanted: divide by all that pass.")
    if abs(value - share) < 0.005:
        return wrong("Very near: was it rounded? Write the division, or three digits after the point.")
    return wrong("Count in 100 networks. How many faulty ones pass? How many sound ones pass? Divide.")


def check_clauses(answer: object) -> Check:
    if not isinstance(answer, dict):
        raise Refused("A dictionary is wanted: for each of the five demands a section number, or None.")
    missing = [name for name in CLAUSES if name not in answer]
    if missing:
        return wrong(f"There is no entry for `{missing[0]}`. Fill in all five.")
    given = {name: None if answer[name] is None else number(answer[name], what=f"`{name}`") for name in CLAUSES}
    if given["monitoring"] is not None:
        return wrong(
            "`monitoring` asks how the model behaves **in production**. An audit is a photograph; monitoring is a film. "
            "No section can serve: `None`."
        )
    if given["explanation"] in (8, 9):
        return wrong(
            "That section **shows** explanations. Asked is evidence that they are accurate: where were they put to a test?"
        )
    if given["groups"] == 4:
        return wrong("Section 4 gives figures over all rows. **An average hides a group.** Where are groups searched?")
    if given["attack"] == 7:
        return wrong("Section 7 examines the explainers. Asked is whether the **model** can be misled.")
    wanted = {"accuracy": (4,), "groups": (5,), "attack": (10, 11), "explanation": (7, 12), "monitoring": (None,)}
    off = [name for name, fits in wanted.items() if given[name] not in fits]
    if off:
        return wrong(f"`{off[0]}` rests on another section. Look at the titles once more.")
    return right("And one demand stays without evidence. A good record says that too: see its last table.")
