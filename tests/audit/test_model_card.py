"""The model card: Mitchell's headings, blanks that show, and no markup from anybody else."""

from __future__ import annotations

import re

import pytest

from dlexplain.audit.card import FIELDS
from dlexplain.audit.record import Part
from dlexplain.audit.report import model_card
from dlexplain.audit.report.model_card import escape
from tests.audit.constructed import check, record, rich

HEADINGS = [
    "Model Details",
    "Intended Use",
    "Factors",
    "Metrics",
    "Evaluation Data",
    "Training Data",
    "Quantitative Analyses",
    "Ethical Considerations",
    "Caveats and Recommendations",
]
NASTY = (
    "<script>alert(1)</script> [here](javascript:alert(1)) ![p](x) **bold** `code` | cell\n\n# Heading\n- item\n"
    "https://evil.example www.evil.example me@evil.example &lt;b&gt; $x$ ~~gone~~ ^[note] #12"
)


def of_use(answers: dict[str, str]) -> Part:
    facts = tuple((question, answers.get(key)) for key, question in FIELDS.items())
    return Part(number=2, title="Intended use", question="For what?", facts=facts)


def test_the_headings_are_those_of_the_paper_in_its_order():
    card = model_card.write(rich())
    assert re.findall(r"^## (.*)$", card, re.M) == HEADINGS
    assert re.findall(r"^# (.*)$", card, re.M) == ["Model card"]
    assert "**Verdict of the audit: FAIL**" in card
    assert "| 7 | Deletion lift | FAIL | 0.1 | at least 0.25 | yes | Said of deletion\\_lift. |" in card.replace(
        "0\\.1", "0.1"
    )


def test_blanks_are_shown_as_blanks():
    card = model_card.write(record(check(), parts=(of_use({"use": "To sort letters."}),)))
    assert f"- **{FIELDS['use']}** To sort letters." in card
    assert f"- **{FIELDS['users']}** *blank*" in card


@pytest.mark.parametrize("place", ["reason", "title", "advice"])
def test_nothing_in_a_check_is_markup(place):
    plain = model_card.write(record(check(status="FAIL", advice="Mend it.")))
    card = model_card.write(record(check(status="FAIL", **{"advice": "Mend it.", place: NASTY})))
    assert structure(card) == structure(plain)


def test_nothing_in_the_card_is_markup():
    quiet, nasty = dict.fromkeys(FIELDS, "said"), dict.fromkeys(FIELDS, NASTY)
    cards = [model_card.write(record(check(), parts=(of_use(answers),))) for answers in (quiet, nasty)]
    assert structure(cards[0]) == structure(cards[1])


def structure(card: str) -> list[str]:
    """What a CommonMark parser with GitHub's extensions makes of it, without the text: tags in their order."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("gfm-like", {"html": True, "linkify": False}).enable(["table", "strikethrough"])
    tokens = []
    for token in parser.parse(card):
        tokens.append(token.type)
        tokens += [child.type for child in token.children or () if child.type not in ("text", "text_special")]
    return tokens


@pytest.mark.parametrize(
    "text", ["1. one", "2) two", "- item", "+ item", "--- rule", "=== rule", "# head", "> said", "* star"]
)
def test_no_text_opens_a_block(text):
    assert structure(escape(text)) == ["paragraph_open", "inline", "paragraph_close"]


def test_what_is_escaped_still_reads():
    assert escape("A plain sentence (with 3.5 % of it, at most).") == "A plain sentence (with 3.5 % of it, at most)."
    assert escape("a\x00b\u202ec") == "a\ufffdb\ufffdc"
    assert "https:" not in escape("see https://evil.example and WWW.evil.example")
    assert "www." not in escape("see www.evil.example").lower()
    assert "@" not in escape("me@evil.example")
