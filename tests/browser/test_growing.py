"""A live figure that is told of more and more lanes: fed by hand, message by message, in a page without a kernel."""

import json
from base64 import b64encode

import pytest

from kitchen.recorder import Recorder
from kitchen.timeline import READY, RUNNING, WAITING
from kitchen.views import live
from kitchen.views.assets import module, player_style

PAGE = """<!DOCTYPE html><html><meta charset="utf-8"><body class="kitchen-page"><figure></figure><style>{style}</style>
<script type="module">
{module}
const figure = new Figure(document.querySelector("figure"), new Film(""), {{ live: true }});
const bytesOfRows = (text) => new DataView(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
window.hear = (news, rows) => figure.receive(news, rows.map(bytesOfRows));
</script></body></html>"""


class Growing(Recorder):
    """A run whose lanes become more."""

    def __init__(self):
        self.time = 0.0
        super().__init__((), "watched", lambda: self.time)

    def add(self, name, parent=None):
        self.change(self.add_lane(name, parent), READY)

    def task(self, name):
        """Main makes a task, which runs and then waits."""
        self.add(name, parent=0)
        for state, label in ((RUNNING, "fetch"), (WAITING, "network")):
            self.time += 0.01
            self.change(len(self.lanes) - 1, state, label)


class Told:
    """A run, and the figure that is told of it."""

    def __init__(self, figure):
        self.figure, self.run = figure, Growing()
        view = live.View()
        view.recorders.append(self.run)
        self.news = live.News(view)

    def tell(self, over=False):
        """A message reaches the figure, which is drawn; False: the figure says that something is missing."""
        message, rows = self.news.message()
        news = json.loads(json.dumps(message | {"over": over}))  # as it travels: a number as a key becomes a text
        told = [news, [b64encode(row).decode() for row in rows]]
        return self.figure.page.evaluate("([news, rows]) => hear(news, rows)", told)


@pytest.fixture
def told(page, figure_in, tmp_path):
    path = tmp_path / "growing.html"
    text = module().replace("export default { render };", "")
    path.write_text(PAGE.format(style=player_style(), module=text), encoding="utf-8")
    page.goto(path.as_uri())
    page.wait_for_function("Boolean(window.hear)")
    return Told(figure_in(page.locator("body")))


def lanes(figure):
    return figure.value("film.runs.map((run) => run.lanes.length)")


def test_a_view_begins_without_lanes_and_grows(told):
    figure = told.figure
    assert told.tell()
    empty = figure.rest()
    assert [run["lanes"] for run in empty["runs"]] == [0]
    assert "undefined" not in figure.root.inner_text() and "NaN" not in figure.root.inner_text()
    heights = [figure.part("lanes").bounding_box()["height"]]
    told.run.add("main")
    for number in range(3):
        told.run.task(f"task {number}")
        assert told.tell()
        seen = figure.rest()
        assert seen["runs"][0]["lanes"] == number + 2
        assert f"of {number + 2} done" in seen["done"]
        heights.append(figure.part("lanes").bounding_box()["height"])
    assert heights == sorted(set(heights)), "a row more for each"
    told.run.close()
    told.tell(over=True)
    assert figure.until(lambda sample: sample["phase"] == "done")["runs"][0]["ended"] == told.run.ended
    assert figure.page.problems == []


def test_the_reader_goes_on_with_what_she_was_doing(told):
    figure, run = told.figure, told.run
    run.add("main")
    run.task("task 0")
    run.task("task 1")
    told.tell()
    figure.until(lambda sample: sample["frames"] > 0)
    figure.click("play")  # pauses
    figure.scrub(0.5)
    for _ in range(3):
        figure.click("in")
    figure.press("ArrowDown", "ArrowDown")
    before = figure.rest()
    assert not figure.value("camera.fitted"), "it is zoomed"
    assert figure.part("tip").inner_text().startswith("task 0")
    assert "created by main" in figure.part("tip").inner_text()
    assert "created by main" in before["status"], "it is also said"
    for number in range(2, 40):
        run.task(f"task {number}")
        told.tell()
    after = figure.rest()
    assert after["runs"][0]["lanes"] == 41
    assert [after[key] for key in ("playhead", "from", "to", "following")] == [
        before[key] for key in ("playhead", "from", "to", "following")
    ]
    assert figure.part("tip").inner_text().startswith("task 0"), "the lane that she looked at"
    figure.press("ArrowDown")
    assert figure.part("tip").inner_text().startswith("task 1")
    assert figure.page.problems == []


def test_a_lane_is_blank_before_it_begins(told):
    figure, run = told.figure, told.run
    run.add("main")
    run.change(0, RUNNING, "main")
    run.time = 5.0
    run.task("late")
    told.tell()
    run.time = 10.0
    run.close()
    told.tell(over=True)
    figure.until(lambda sample: sample["phase"] == "done" and sample["frames"] > 0)
    figure.rest()
    lane = """(root, share) => {
        const { gutter, width, plan, view, context } = root.kitchen, row = plan.rows[1]
        const at = [gutter + share * (width / 1.02), row.y + row.height / 2]
        return context.getImageData(...at.map((side) => Math.round(side * view.ratio)), 1, 1).data[3]
    }"""
    assert [figure.root.evaluate(lane, share) > 0 for share in (0.1, 0.4, 0.6, 0.9)] == [False, False, True, True]


def test_a_message_brings_a_new_layout_once_however_many_lanes_come_with_it(told):
    figure, run = told.figure, told.run
    run.add("main")
    told.tell()
    figure.until(lambda sample: sample["frames"] > 0)
    figure.root.evaluate(
        """root => {
            const figure = root.kitchen, grow = figure.grow.bind(figure)
            figure.grown = 0
            figure.grow = () => { figure.grown += 1; grow() }
        }"""
    )
    for _ in range(4):
        for number in range(250):
            run.task(f"task {len(run.lanes)}.{number}")
        told.tell()
    assert lanes(figure) == [1001]
    assert figure.value("grown") == 4
    told.tell()
    assert figure.value("grown") == 4, "no lane is new, and nothing is laid out"
    assert figure.rest()["runs"][0]["lanes"] == 1001
    assert figure.page.problems == []


def test_what_a_library_makes_is_folded_as_it_comes_and_opens_at_a_click(told):
    figure = told.figure
    told.run.add("main")
    for number in range(6):
        told.run.task(f"task {number}")
        told.run.asides.add(number + 1)
        assert told.tell()
    assert told.tell(over=True)
    rows = "plan.rows.filter((row) => row.height).map((row) => row.kind)"
    figure.until(lambda sample: figure.value(rows) == ["lane", "fold", "cook"], "a fold")
    middle = figure.value("plan.rows.find((row) => row.kind === 'fold').y + 9")
    figure.part("lanes").click(position={"x": 20, "y": middle})
    figure.until(lambda sample: figure.value(rows) == ["lane"] * 7 + ["fold", "cook"], "all lanes")
    figure.press("ArrowUp", "ArrowUp", "Enter")
    figure.until(lambda sample: figure.value(rows) == ["lane", "fold", "cook"], "the fold again")


def test_the_cook_is_seen_with_a_folded_task_that_she_serves_right_now(told):
    figure = told.figure
    told.run.add("main")
    for number in range(4):
        told.run.task(f"task {number}")
        told.run.asides.add(number + 1)
    told.run.time += 0.2
    told.run.change(4, RUNNING, "fetch")
    told.run.time += 1.0
    assert told.tell()
    blue = """(() => {
        const { plan, lanes, view, ink } = document.querySelector("figure").kitchen;
        if (!plan || !view || !ink) return null; // nothing is drawn yet
        const part = (kind) => {
            const row = plan.rows.find((row) => row.kind === kind);
            const y = Math.round((row.y + row.height / 2) * view.ratio);
            const left = Math.round((view.gutter + view.width * 0.5) * view.ratio);
            return [...lanes.getContext("2d").getImageData(left, y, 1, 1).data.slice(0, 3)].join();
        };
        const running = [...ink.flatPixel[1]].slice(0, 3).join();
        return [part("fold") === running, part("cook") === running];
    })()"""
    figure.until(lambda sample: figure.page.evaluate(blue) == [True, True], "the cook at the fold")
