"""The HTML pages: what they say, and that foreign words stay words."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import nights

from nightschool.morning import charts, markup, page, past, report
from nightschool.morning.facts import gather
from nightschool.records import NightStatus

ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "a", "header", "main", "footer", "section", "nav", "article", "h1", "h2",
    "h3", "h4", "p", "span", "code", "ol", "ul", "li", "q", "blockquote", "table", "thead", "tbody", "tr", "th", "td", "details",
    "summary", "pre", "div", "figure", "figcaption", "svg", "line", "circle", "text", "polyline", "rect",
}  # fmt: skip


class Outline(HTMLParser):
    """What a page is made of."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words, self.ids = set(), set(), "", []
        self.hrefs = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for key, value in attrs:
            self.attributes.add(key)
            if key == "id":
                self.ids.append(value)
            if key == "href":
                self.hrefs.append(value)

    def handle_data(self, data):
        self.words += data


def page_of(home, *args, **told):
    """Write a night and return its page's text."""
    return page.write(home, nights.night(home, *args, **told)).read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [nights.HOSTILE, nights.SCRIPTS, nights.LONG, "plain"])
@pytest.mark.parametrize("rules", [0, 1, 30])
def test_foreign_words_stay_words(home, rules, words):
    """In every field: no element, attribute, address or control character comes from the data."""
    text = page_of(home, rules, 12, words)
    for told in (text, past.page(home)):
        found = Outline(told)
        assert found.tags <= ALLOWED
        assert not {name for name in found.attributes if name.startswith("on")} | ({"src", "style"} & found.attributes)
        assert all(
            re.fullmatch(r"#[\w-]+|\.\./\.\./history\.html|nights/\d+/report\.html", href) for href in found.hrefs
        )
        assert len(found.ids) == len(set(found.ids))
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", told)
    if words is nights.SCRIPTS and rules:
        assert "👩‍👩‍👧" in text
        assert "می‌خواهم" in text


def test_the_policy_lets_in_this_style_alone(home):
    """The hash in the policy is that of the style sheet; nothing else may load or run."""
    text = page_of(home)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1].replace("&#x27;", "'")
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "http://" not in text
    assert "https://" not in text


def test_a_page_says_what_the_markdown_says(home):
    """Each rule's words, its sentence of evidence and its ruling stand on both."""
    night = nights.night(home, 4)
    html, markdown = Outline(page.page(gather(home, night))).words, report.page(home, night)
    for one in gather(home, night).rules:
        assert one.rule.edit.text in html
        assert report.sentence(one.rule.verdict) in html
        assert report.sentence(one.rule.verdict) in markdown
    told = "1 accepted, 1 on probation (1 quarantined), 1 unexamined (1 quarantined), 1 rejected"
    assert f"4 rules: {told}; nothing live has changed." in html


@pytest.mark.parametrize(
    ("rules", "status", "says", "step"),
    [
        (0, NightStatus.DONE, "A quiet night", "nightschool status"),
        (1, NightStatus.DONE, "1 rule: 1 accepted", "nightschool review"),
        (0, NightStatus.WAITING, "waits for answers", "nightschool run"),
        (0, NightStatus.OPEN, "cut short", "nightschool run"),
    ],
)
def test_every_night_has_a_page(home, rules, status, says, step):
    """Quiet, waiting or cut short: the page says so in one sentence, and what to do next."""
    words = Outline(page_of(home, rules, status=status)).words
    assert says in words
    assert step in words


def test_evidence_of_a_later_night_is_not_on_the_page(home):
    """The page of a night shows what was known by its end."""
    first = nights.night(home, 1, 6)
    before = page.page(gather(home, first))
    nights.night(home, 1, 12, name="0002")
    assert [len(one.path) for one in gather(home, first).rules] == [0]  # its pairs now belong to the later night
    assert "12 of 12" not in page.page(gather(home, first))
    assert before != ""


def test_the_way_to_the_threshold_ends_where_the_gate_stands(home):
    """The last point of each path is the verdict's e-value, and there is one point a task."""
    for one in gather(home, nights.night(home, 3, 25)).rules:
        assert len(one.path) == one.rule.verdict.tasks
        assert one.path[-1] == pytest.approx(one.rule.verdict.e_value)


def test_the_same_facts_write_no_byte(home):
    """Written again, the page keeps its file."""
    night = nights.night(home, 2)
    path = page.write(home, night)
    stamp = path.stat().st_mtime_ns
    assert page.write(home, night).stat().st_mtime_ns == stamp
    assert path.stat().st_mode & 0o077 == 0


def test_a_night_of_500_tasks_is_below_a_megabyte(home):
    """Thirty rules over five hundred tasks: what is more is counted, not shown."""
    text = page_of(home, 30, 500)
    assert len(text.encode()) < 1_000_000
    assert "that moved least are left out" in text


@given(st.text(), st.text())
def test_markup_never_lets_text_through(text, value):
    """Any text, as content or attribute, reads back as itself less what cannot be printed."""
    told = markup.el("p", text, title=value)
    found = Outline(told)
    assert found.tags == {"p"}
    assert found.attributes == {"title"}
    assert markup.join([markup.Safe("<b>"), "<b>"]) == "<b>&lt;b&gt;"


@given(
    st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1), st.lists(st.floats(1e-300, 1e12), max_size=40),
    st.floats(1, 1e6),
)  # fmt: skip
def test_pictures_stay_inside_their_frame(mean, low, high, path, threshold):
    """Whatever the figures, every coordinate is a number within the picture."""
    for picture in (
        charts.effect(mean, low, high),
        charts.evidence(path, threshold),
        charts.bars([("n", p) for p in path], "x"),
    ):
        assert "nan" not in picture
        assert "inf" not in picture
        for x in re.findall(r' (?:x|x1|x2|cx)="([^"]+)"', picture):
            assert -1 <= float(x) <= 321
        for y in re.findall(r' (?:y|y1|y2|cy)="([^"]+)"', picture):
            assert -1 <= float(y) <= 97
