"""The HTML report as text: it is whole, its links lead somewhere, and no text of the record becomes markup."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from dlexplain.audit.comparing import compare
from dlexplain.audit.record import Table
from dlexplain.audit.report.html import write
from dlexplain.audit.report.html_values import values
from tests.audit import report_records as records


class Page(HTMLParser):
    """Elements, identifiers, links, scripts and visible text of a page."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.scripts: list[tuple[dict, str]] = []
        self.text = ""
        self._inside: tuple[str, dict] | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag in ("script", "style"):
            self._inside = tag, dict(attrs)

    def handle_endtag(self, tag):
        if self._inside and tag == self._inside[0]:
            self._inside = None

    def handle_data(self, data):
        if self._inside is None:
            self.text += data
        elif self._inside[0] == "script":
            self.scripts.append((self._inside[1], data))

    def having(self, name: str) -> list[str]:
        return [value for _, key, value in self.attributes if key == name]


@pytest.fixture(scope="module")
def text() -> str:
    return write(records.rich())


@pytest.fixture(scope="module")
def hostile() -> str:
    return write(records.hostile())


def figures(page: Page) -> dict:
    packed = next(data for attributes, data in page.scripts if attributes.get("id") == "figures")
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def test_the_page_is_the_same_each_time_and_light(text: str) -> None:
    assert write(records.rich()) == text
    assert len(text.encode()) < 6_000_000


def test_everything_of_the_record_is_in_the_page(text: str) -> None:
    page, record = Page(text), records.rich()
    for part in record.parts:
        words = [part.title, *part.summary, *part.limits, *(label for label, _ in part.facts), *part.stamps]
        words += [w for c in part.checks for w in (c.title, c.reason, c.advice, c.threshold)]
        words += [w for t in part.tables for w in (t.title, t.note, *t.columns)]
        words += [w for e in part.exhibits for w in (e.title, e.alt, e.note)]
        missing = [word for word in words if word not in page.text]
        assert not missing, f"section {part.number} lacks {missing}"
    assert figures(page)["figures"].keys() == set(page.having("data-figure"))
    assert "not given" in page.text


def test_sections_stand_in_order_whatever_the_record_has(text: str) -> None:
    wanted = [f"section-{n}" for n in range(18)]
    assert re.findall(r'<section class="part[^"]*" id="([^"]+)"', text) == wanted
    assert (
        re.findall(r'<section class="part[^"]*" id="([^"]+)"', write(records.record(records.rich().parts[::-1])))
        == wanted
    )


@pytest.mark.parametrize("which", ["text", "hostile"])
def test_every_link_leads_somewhere_and_no_identifier_is_twice(which: str, request: pytest.FixtureRequest) -> None:
    page = Page(request.getfixturevalue(which))
    twice = [spot for spot, count in Counter(page.having("id")).items() if count > 1]
    assert not twice
    spots = set(page.having("id"))
    assert all(link.startswith("#") and link[1:] in spots for link in page.having("href")), "a link leads nowhere"
    for name in ("aria-labelledby", "for"):
        assert set(page.having(name)) <= spots


def test_evidence_is_linked_by_its_number_and_the_missing_is_named(text: str) -> None:
    assert '<a href="#evidence-table-7">Table 7.1, Numbers of section 7</a>' in text
    assert "missing-table (not in this record)" in text


def test_a_check_shows_figure_threshold_interval_and_advice(text: str) -> None:
    shown = re.search(r'<article class="check" id="check-completeness".*?</article>', text, re.S).group()
    for words in ("0.8312", "0.79 to 0.87", "at least 0.7", "What to do", "<span>FAIL</span>"):
        assert words in shown


def test_each_status_is_a_word_beside_its_colour(text: str) -> None:
    chips = re.findall(r'<span class="chip[^>]*data-status="([A-Z ]+)">(.*?)</span></span>', text)
    assert len(chips) > 20
    assert all(inside.endswith(f"<span>{status}") for status, inside in chips)


def test_no_text_of_the_record_becomes_markup(hostile: str, text: str) -> None:
    page, tame = Page(hostile), Page(text)
    assert set(page.tags) <= set(tame.tags), "a tag that the report never writes"
    assert page.tags["script"] == 3
    assert page.tags["style"] == 1
    assert not [value for tag, name, value in page.attributes if name.startswith("on") or name == "src"]
    for words in records.HOSTILE[:-1]:
        assert " ".join(words.split()) in " ".join(page.text.split()), "the text itself must be shown"
    for sign in ("\u2028", "\u202e", "\x00", "\ud800"):
        assert sign not in hostile
    assert "⟨U+202E⟩" in page.text
    hostile.encode("utf-8")


def test_figures_keep_only_the_simplest_tags_and_no_picture_from_outside(hostile: str) -> None:
    def strings(value):
        if isinstance(value, dict):
            for item in value.values():
                yield from strings(item)
        elif isinstance(value, list):
            for item in value:
                yield from strings(item)
        elif isinstance(value, str):
            yield value

    whole = figures(Page(hostile))["figures"]
    assert len(whole) == 2 * len(records.hostile().parts)
    tags = {tag.lower() for one in whole.values() for s in strings(one) for tag in re.findall(r"<\s*/?\s*([^\s>]*)", s)}
    assert tags <= {"b", "/b", "br", "i", "em", "sub", "sup", "extra"}
    assert all(one["layout"]["images"] == [] for one in whole.values())


def test_the_policy_names_our_scripts_by_hash_and_nothing_else(text: str) -> None:
    from plotly.offline import get_plotlyjs

    policy = next(value for value in Page(text).having("content") if "default-src" in value)
    own = next(data for attributes, data in Page(text).scripts if not attributes)
    hashes = {
        "'sha256-" + base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() + "'" for s in (own, get_plotlyjs())
    }
    rules = {rule.split()[0]: set(rule.split()[1:]) for rule in policy.split(";")}
    assert rules["default-src"] == {"'none'"}
    assert rules["script-src"] == hashes
    assert rules["img-src"] == {"data:"}
    assert not {"connect-src", "font-src", "frame-src", "object-src"} & set(rules)


def test_what_changed_is_told_worse_first() -> None:
    later = records.rich()
    parts = list(later.parts)
    better = tuple(replace(c, status="PASS", figure=0.9, threshold="at least 0.8") for c in parts[7].checks)
    parts[7] = replace(parts[7], checks=better)
    parts[3] = replace(parts[3], checks=(replace(parts[3].checks[0], figure=0.2), *parts[3].checks[1:]))
    parts[4] = replace(parts[4], checks=())
    parts[1] = replace(parts[1], facts=(*parts[1].facts, ("Data", records.HOSTILE[1])))
    earlier = records.record(tuple(parts))
    text = write(later, compare(earlier, later))
    page = Page(text)
    section = re.search(r'<section class="part" id="changes".*?</section>', text, re.DOTALL).group()
    told = Page(section).text
    wanted = ("was INCONCLUSIVE and is FAIL", "Worse than before", "Completeness", "Calibration", "Figures that moved")
    places = [told.find(words) for words in wanted]
    assert -1 not in places, dict(zip(wanted, places, strict=True))
    assert places == sorted(places)
    assert "at least 0.8" in told
    assert records.HOSTILE[1] in told
    assert Page(text).tags["img"] == 0
    assert set(re.findall(r'href="#([^"]+)"', section)) <= set(page.having("id"))
    assert '<a href="#changes">' in text


def test_nothing_changed_is_said_too() -> None:
    record = records.rich()
    text = write(record, compare(record, record))
    assert "as before" in text
    assert "Nothing else changed" in text


def test_what_does_not_fit_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlexplain.audit.report.html_exhibits._BUDGET", 1500)
    page = Page(write(records.rich()))
    shown = set(page.having("data-figure"))
    assert shown == set(figures(page)["figures"])
    assert 0 < len(shown) < 6
    assert page.text.count("The figure is left out") == 6 - len(shown)


def test_a_figures_values_are_listed_from_plain_and_packed_arrays() -> None:
    import numpy as np
    import plotly.graph_objects as go

    figure = go.Figure([go.Bar(x=np.array([1.5, 2.5], np.float32), y=["a<b", "c"], orientation="h", name="first")])
    figure.add_trace(go.Scatter(y=np.array([7, 8], np.int16), name="second"))
    plain = values(figure.to_plotly_json()["data"])
    packed = values(json.loads(figure.to_json())["data"])
    assert plain == packed
    assert plain.columns == ("Series", "x", "y")
    assert plain.rows == (("first", 1.5, "a<b"), ("first", 2.5, "c"), ("second", 0, 7), ("second", 1, 8))
    assert values(go.Figure(go.Heatmap(z=np.zeros((40, 40)))).to_plotly_json()["data"]) is None
    assert values(go.Figure(go.Heatmap(z=[[1, 2]], x=["a", "b"], y=["r"])).to_plotly_json()["data"]).rows == (
        ("a", "r", 1),
        ("b", "r", 2),
    )


def test_the_verdict_of_section_0_leads_and_its_findings_are_not_told_twice() -> None:
    record = records.rich()
    failed = next(c for c in record.checks if c.status == "FAIL")
    told = (
        "FAIL: do not rely on it.",
        f"FAIL: {failed.title}. {failed.reason} {failed.advice}",
        "One check was not run.",
    )
    text = write(records.record((replace(record.parts[0], summary=told), *record.parts[1:])))
    opening = Page(re.search(r'<section class="part first".*?</section>', text, re.DOTALL).group()).text
    assert "Do not rely on it." in opening
    assert "One check was not run." in opening
    assert opening.count(failed.reason) == 1


def test_cells_lead_to_what_they_name_only_where_a_column_names_nothing_else() -> None:
    columns = ("feature", "checks", "sections")
    rows = (("completeness", "completeness (FAIL), repeatability", "3, 7"), ("x", "all of them", "none"))
    record = records.rich()
    table = Table(id="index", title="Index", columns=columns, rows=rows)
    text = write(records.record((*record.parts[:17], replace(record.parts[17], tables=(table,)))))
    shown = re.search(r'id="evidence-index".*?</table>', text, re.DOTALL).group()
    assert re.findall(r'href="#([^"]+)"', shown) == [
        "check-completeness",
        "check-repeatability",
        "section-3",
        "section-7",
    ]
    assert "(FAIL)" in shown
    assert "all of them" in shown


def test_what_failed_says_why_it_matters_and_stands_beside_its_limit() -> None:
    made = records.rich()
    names = [c.name for c in made.checks]
    why = Table(
        id="limits-why",
        title="What each check sees",
        columns=("check", "title", "why"),
        rows=tuple((name, name, f"It matters <b>{name}</b>.") for name in names),
    )
    parts = tuple(replace(p, tables=(*p.tables, why)) if p.number == 16 else p for p in made.parts)
    text = write(replace(made, parts=parts))
    shown = re.findall(r'<p class="why"><span>Why it matters</span> It matters &lt;b&gt;(\w+)&lt;/b&gt;.</p>', text)
    assert shown == [c.name for p in parts for c in p.checks if c.status in ("FAIL", "INCONCLUSIVE")]
    limits = re.findall(r'<p class="limit">Measured (.*?); passes (.*?)\.</p>', text)
    measured = [c for c in made.findings[:5] if c.figure is not None and c.threshold]
    assert len(limits) == len(measured) > 0
    assert [said.endswith("does not count in the verdict") for _, said in limits] == [not c.gate for c in measured]


def test_the_title_says_what_was_audited() -> None:
    assert "<title>FAIL: audit of A keras model for classification of pictures</title>" in write(records.rich())
