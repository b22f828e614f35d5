"""The card: read safely, blanks left blank, mistakes named."""

from __future__ import annotations

import pytest
import yaml

import dlexplain as dlx
from dlexplain.audit import card
from dlexplain.errors import InputError


def test_the_template_is_blank_and_asks_every_question():
    text = dlx.audit.card_template()
    assert yaml.safe_load(text) == dict.fromkeys(card.FIELDS)
    assert all(question in text for question in card.FIELDS.values())
    assert card.read(yaml.safe_load(text)) == {}


def test_a_filled_template_is_read_in_the_order_of_the_questions(tmp_path):
    path = tmp_path / "card.yaml"
    text = card.template().replace("users:\n", "users:\n  - clerks\n  - their heads\n").replace("name:\n", "name: 7\n")
    path.write_text(text)
    assert card.read(path) == card.read(str(path)) == {"name": "7", "users": "clerks; their heads"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("use: [a\n", "could not be read as YAML"),
        ("- a\n- b\n", "list is no mapping"),
        ("purpose: x\n", "unknown field 'purpose'"),
        ("usr: x\n", "Did you mean 'use"),
        ("use: {a: b}\n", "'use' must be text"),
        ("use: !!python/object/apply:os.system ['true']\n", "could not be read as YAML"),
        ("use: &a [x, x]\nusers: *a\n", "YAML aliases"),
        ("use: " + "[" * 5000 + "\n", "could not be read as YAML"),
        ("use: " + "x" * 300_000, "200,000 bytes"),
    ],
)
def test_a_card_that_is_none_is_refused(text, words, tmp_path):
    path = tmp_path / "card.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        card.read(path)


def test_an_absent_card_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"absent\.yaml could not be read"):
        card.read(tmp_path / "absent.yaml")
    with pytest.raises(InputError, match="int is no mapping"):
        card.read(3)
    assert card.read(None) == {}
