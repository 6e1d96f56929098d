"""The page that plays Timelines: what is in it, and that nothing from outside becomes part of it."""

import json
import re
from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO
from zlib import decompress

import numpy as np
import pytest
from PIL import Image

from kitchen import Span, Timeline, dinner, downloads, simulate
from kitchen.timeline import READY, RUNNING, SWITCHING, WAITING, Finding, Table
from kitchen.timeline.words import printable
from kitchen.views.assets import module, packed, player_style
from kitchen.views.palette import INKS
from kitchen.views.player import OVER, ROW, ROWS, Player

HOSTILE = [
    "</script><script>window.hacked=1</script>",
    "<!--<script>",
    "]]>",
    '"\'><img src=x onerror="window.hacked=1">',
    "a\u2028b\u2029c",
    "\ud800",
    "${window.hacked=1} `\\",
    "&lt;script&gt;",
    "\x00\x1b[31m",
]


class Page(HTMLParser):
    """What a browser would find: the tags with their attributes, and the text inside each script."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.scripts, self.inside = [], [], None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts[-1] += data

    @property
    def film(self):
        """The film, with the rows of each of its runs in bytes."""
        text, _, columns = decompress(b64decode(json.loads(self.scripts[0])["packed"])).partition(b"\n")
        film = json.loads(text)
        for run in film["runs"]:
            table = np.zeros(run["rows"], ROWS)
            for column in ROWS.names:
                size = table[column].nbytes
                table[column] = np.frombuffer(columns[:size], ROWS[column])
                columns = columns[size:]
            run["rows"] = table.tobytes()
        return film


def rows(run):
    """The rows of a film's run: time, lane, state, inferred, label."""
    for time, lane, what in ROW.iter_unpack(run["rows"]):
        yield time, lane, what & 7, bool(what & 8), run["labels"][what >> 4] if what else ""


def test_a_film_has_a_row_for_each_span_and_one_for_each_end():
    timeline = Timeline(
        ["a", "b"],
        Table([0, 0, 1], [RUNNING, WAITING, READY], ["x", "y", "x"], [0, 3, 0], [2, 4, 1], [False, True, False]),
        switching=[Span("b", SWITCHING, "", 2, 3)],
        title="by hand",
    )
    (run,) = Page(Player(timeline).html()).film["runs"]
    assert list(rows(run)) == [
        (0, 0, 1, False, "x"),
        (2, 0, OVER, False, ""),
        (3, 0, 3, True, "y"),
        (4, 0, OVER, False, ""),
        (0, 1, 2, False, "x"),
        (1, 1, OVER, False, ""),
        (2, 2, 5, False, "y"),  # on the lane behind the last: 1 is the number of the lane that the cook turns to
        (3, 2, OVER, False, ""),
    ]
    assert run["head"] == {"lanes": ["a", "b"], "title": "by hand", "unit": "min", "offset": 0.0}
    assert (run["ended"], run["summary"]) == (4, timeline.summary())
    assert "cooks" not in run
    both = Timeline(["a", "b"], Table([0, 1], [RUNNING] * 2, ["x"] * 2, [0, 1], [4, 5]))
    assert Page(Player(both).html()).film["runs"][0]["cooks"] == 2


def test_several_timelines_share_an_axis():
    three = [simulate.sync(dinner()), simulate.cooperative(dinner())]
    film = Page(Player(*three, title="race", offsets=[0.0, 40.0]).html()).film
    assert [run["head"]["offset"] for run in film["runs"]] == [0, 40]
    assert [run["run"] for run in film["runs"]] == [0, 1]
    assert film["title"] == "race"


def test_there_must_be_something_to_play_in_one_unit_of_time():
    with pytest.raises(ValueError, match="nothing to play"):
        Player()
    with pytest.raises(ValueError, match="play them separately"):
        Player(simulate.sync(dinner()), Timeline([], Table((), (), (), (), ()), unit="s"))


@pytest.mark.parametrize("offsets", [[], [0.0, 1.0], [float("nan")]], ids=str)
def test_there_must_be_one_offset_for_each(offsets):
    with pytest.raises(ValueError, match="a finite number for each of the 1 Timelines"):
        Player(simulate.sync(dinner()), offsets=offsets)


def test_a_name_cannot_become_html():
    with pytest.raises(ValueError, match="letters and digits only"):
        Player(simulate.sync(dinner())).html('"><img src=x>')


@pytest.mark.parametrize("menu", [[], dinner()[:1]], ids=["nothing", "one dish"])
def test_the_smallest_timelines_have_a_player(menu):
    assert Page(Player(simulate.cooperative(menu)).html()).film["runs"]


def test_the_same_timeline_gives_the_same_page_and_another_one_another_name():
    one, same, other = (Player(simulate.sync(dinner()[:number])).html() for number in (2, 2, 3))
    names = [re.search(r'data-kitchen="(\w+)"', html)[1] for html in (one, same, other)]
    assert one == same
    assert names[0] == names[1] != names[2]


def test_no_text_from_outside_becomes_part_of_the_page():
    tame = Page(Player(Timeline(["a"], Table([0], [RUNNING], ["x"], [0.0], [1.0]), title="t")).html())
    table = Table(range(len(HOSTILE)), [RUNNING] * len(HOSTILE), HOSTILE, [0.0] * len(HOSTILE), [1.0] * len(HOSTILE))
    html = Player(Timeline(HOSTILE, table, title="".join(HOSTILE)), title="".join(HOSTILE)).html()
    wild = Page(html)
    assert [tag for tag, _ in wild.tags] == [tag for tag, _ in tame.tags]
    assert [sorted(attributes) for _, attributes in wild.tags] == [sorted(attributes) for _, attributes in tame.tags]
    assert "hacked" in wild.film["runs"][0]["head"]["title"]
    html.encode("utf-8")  # can be sent and saved
    assert {"\u2028", "\u2029", "\x1b"}.isdisjoint(html)


def found(text="line 7 held the loop", title="watched"):
    """A Timeline with two findings, one of which is about a span."""
    table = Table([0, 1], [WAITING, RUNNING], ["tasks", "fetch"], [0.0, 1.0], [4.0, 3.0])
    findings = [Finding("blocked", text, "a.py", 7, Span("task", RUNNING, "", 1, 3)), Finding("lost", text, "", 0)]
    return Timeline(["main", "task"], table, parents={"task": "main"}, findings=findings, unit="s", title=title)


class Items(Page):
    """The texts of a page's list."""

    def __init__(self, html):
        self.items = []
        super().__init__(html)

    def handle_starttag(self, tag, attributes):
        super().handle_starttag(tag, attributes)
        if tag == "li":
            self.items.append("")

    def handle_data(self, data):
        super().handle_data(data)
        if self.inside == "li":
            self.items[-1] += data


def test_a_film_tells_who_created_whom_and_what_is_amiss():
    (run,) = Page(Player(found()).html()).film["runs"]
    assert run["parents"] == {"1": 0}
    assert run["findings"] == [
        {"text": "line 7 held the loop", "lane": 1, "start": 1, "end": 3},
        {"text": "line 7 held the loop"},
    ]
    (clean,) = Page(Player(simulate.sync(dinner())).html()).film["runs"]
    assert not {"parents", "findings"} & set(clean)


def test_what_is_amiss_stands_in_the_page_where_no_script_runs_and_a_clean_page_has_no_list():
    assert Items(Player(found()).html()).items == ["line 7 held the loop"] * 2
    both = Player(found(title="first"), found(title="second"))
    assert [item.partition(":")[0] for item in Items(both.html()).items] == ["first", "first", "second", "second"]
    assert "<ul" not in Player(simulate.sync(dinner())).html()


def test_a_finding_quotes_its_line(tmp_path):
    (program := tmp_path / "program.py").write_text("import time\n    time.sleep(3)  # </code><b>\n", encoding="utf-8")
    code = "time.sleep(3)  # </code><b>"
    findings = [Finding("blocked", "line 2 held the loop", str(program), line) for line in (2, 9)]
    timeline = Timeline(["a"], Table([0], [RUNNING], ["x"], [0.0], [1.0]), findings=findings)
    page = Page(Player(timeline).html())
    (run,) = page.film["runs"]
    assert run["findings"][0] == {"text": "line 2 held the loop", "line": 2, "code": code}
    assert run["findings"][1] == {"text": "line 2 held the loop"}, "the file has no such line"
    assert [tag for tag, _ in page.tags].count("code") == 1 and "b" not in dict(page.tags)


@pytest.mark.long
@pytest.mark.parametrize("text", [*HOSTILE, "</script><img onerror=alert(1)>", "{findings} {0}"])
def test_no_finding_becomes_part_of_the_page(text):
    tame, wild = (Items(Player(found(words)).html()) for words in ("tame", text))
    assert [tag for tag, _ in wild.tags] == [tag for tag, _ in tame.tags]
    assert [sorted(attributes) for _, attributes in wild.tags] == [sorted(attributes) for _, attributes in tame.tags]
    assert wild.film["runs"][0]["findings"][0]["text"] == wild.items[0] == printable(text)


def test_who_is_not_in_the_picture_is_left_out():
    """Anybody may make such a Timeline."""
    findings = [Finding("lost", "gone", "", 0, Span("not there", RUNNING, "", 0, 1))]
    table = Table([0], [RUNNING], ["x"], [0.0], [1.0])
    timeline = Timeline(["a"], table, parents={"a": "nobody", "nobody": "a"}, findings=findings)
    (run,) = Page(Player(timeline).html()).film["runs"]
    assert (run["parents"], run["findings"]) == ({}, [{"text": "gone"}])
    assert Timeline.from_json(timeline.to_json()) == timeline
    assert "gone" in timeline.to_chrome_trace()


def test_the_page_brings_everything_along():
    html = Player(simulate.cooperative(downloads(100))).html()
    for text in (html, decompress(b64decode(packed()[0])).decode()):
        assert not re.search(r"""(?:src|href)=["'](?!data:)""", text)
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")  # a name, which nobody fetches
    assert len(html) < 80_000


def test_nothing_in_script_or_style_sheet_ends_it_too_early():
    for text in (decompress(b64decode(packed()[0])).decode(), module()):
        assert "</script" not in text
        assert "<!--" not in text
    assert "</style" not in player_style()
    assert not re.search(r"^import ", module(), flags=re.MULTILINE)


def test_the_page_has_the_colours_of_the_static_picture():
    light = player_style().split("}")[0]
    for state, ink in INKS.items():
        assert f"--kitchen-{state.value}: {ink.face};" in light
        assert f"--kitchen-{state.value}-pattern: {ink.pattern};" in light


def test_a_notebook_gets_the_player_and_the_picture_beside_it():
    timeline = simulate.sync(dinner())
    bundle = timeline._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/png", "text/plain"}
    assert bundle["text/plain"] == str(timeline)
    (image,) = [attributes for tag, attributes in Page(bundle["text/html"]).tags if tag == "img"]
    files = [bundle["image/png"], image["src"].removeprefix("data:image/webp;base64,")]
    picture, same = (Image.open(BytesIO(b64decode(file))).convert("RGB") for file in files)
    assert picture.size[0] == 880
    assert picture.tobytes() == same.tobytes()
    assert image["alt"] == timeline.summary()


def test_a_timeline_is_saved_as_a_page_of_its_own(tmp_path):
    simulate.sync(dinner()).save(tmp_path / "run.html")
    text = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "<title>sync</title>" in text
    assert Page(text).film["runs"][0]["summary"] == simulate.sync(dinner()).summary()
    with pytest.raises(OSError, match=r"no[^/]*such"):
        simulate.sync(dinner()).save(tmp_path / "no such folder" / "run.html")
