"""The log of real runs, on a clock that the test holds in its hand."""

import threading
import time
from itertools import pairwise

from kitchen.recorder import Recorder, listening
from kitchen.timeline import READY, RUNNING, WAITING, Finding, Span


class Clock:
    def __init__(self):
        self.time = 100.0

    def __call__(self):
        return self.time


def test_each_entry_lasts_until_the_next_on_its_lane():
    clock = Clock()
    recorder = Recorder(["a", "b"], "by hand", clock)
    clock.time += 1
    recorder.change(0, RUNNING, "x")
    clock.time += 2
    recorder.change(0, WAITING, "y")
    recorder.change(1, RUNNING, "z")
    clock.time += 4
    recorder.finish(0)
    recorder.finish(1)
    recorder.close()
    timeline = recorder.timeline()
    assert timeline.by_lane["a"] == (
        Span("a", READY, "x", 0, 1),  # all lanes are READY at 0, for the step to come
        Span("a", RUNNING, "x", 1, 3),
        Span("a", WAITING, "y", 3, 7),
    )
    assert timeline.by_lane["b"] == (Span("b", READY, "z", 0, 3), Span("b", RUNNING, "z", 3, 7))
    assert (timeline.unit, timeline.title, timeline.switches) == ("s", "by hand", 1)


def test_what_was_inferred_is_marked():
    clock = Clock()
    recorder = Recorder(["a"], "", clock)
    clock.time += 2
    recorder.change(0, READY, "x", at=1.0, inferred=True)
    recorder.change(0, RUNNING, "x")
    recorder.close()
    assert [(span.state, span.start, span.inferred) for span in recorder.timeline().spans][1:] == [(READY, 1, True)]


def test_the_timeline_so_far_can_be_had_at_any_time_and_no_lane_ends_in_the_air():
    clock = Clock()
    recorder = Recorder(["a", "b"], "", clock)
    clock.time += 1
    recorder.change(0, RUNNING, "x")
    clock.time += 1
    assert recorder.timeline().finishes == {"a": 2, "b": 2}
    clock.time += 1
    recorder.close()
    clock.time += 50
    assert recorder.timeline().finishes == {"a": 3, "b": 3}


def test_every_thread_may_record():
    recorder = Recorder([str(lane) for lane in range(8)], "")

    def work(lane):
        for _ in range(1000):
            recorder.change(lane, RUNNING, "x")
            recorder.change(lane, WAITING, "y")
        recorder.finish(lane)

    threads = [threading.Thread(target=work, args=(lane,)) for lane in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(recorder.log) == 8 * 2002
    for spans in recorder.timeline().by_lane.values():
        assert all(before.end == after.start for before, after in pairwise(spans))


def test_a_watcher_is_told_of_runs_that_begin_inside_its_block():
    seen = []
    Recorder([], "before")
    with listening(seen.append):
        inside = Recorder([], "inside")
    Recorder([], "after")
    assert seen == [inside]


def test_a_lane_that_was_not_done_says_so():
    recorder = Recorder(["done", "failed", "cut off", "queued"], "", clock := Clock())
    clock.time += 1
    for lane in range(3):
        recorder.change(lane, RUNNING, "x")
    clock.time += 1
    recorder.finish(0)
    recorder.finish(1, "timed out")
    recorder.close()
    timeline = recorder.timeline()
    assert timeline.outcomes == {"failed": "timed out", "cut off": "unfinished", "queued": "unfinished"}
    assert timeline.by_lane["queued"] == (Span("queued", READY, "", 0, 2),)  # the outcome is no step to be READY for


def test_lanes_may_come_later_and_say_who_made_them():
    recorder = Recorder((), "growing", clock := Clock())
    assert recorder.timeline().lanes == ()
    main = recorder.add_lane("main")
    recorder.change(main, RUNNING, "x")
    clock.time += 2
    task = recorder.add_lane("task", main)
    recorder.change(task, READY)
    recorder.add_lane("nothing is known of it", main)
    clock.time += 1
    recorder.change(task, RUNNING, "y")
    clock.time += 1
    recorder.close()
    timeline = recorder.timeline()
    assert timeline.lanes == ("main", "task", "nothing is known of it")
    assert timeline.parents == {"task": "main", "nothing is known of it": "main"}
    assert timeline.by_lane["main"] == (Span("main", RUNNING, "x", 0, 4),)
    assert timeline.by_lane["task"] == (Span("task", READY, "y", 2, 3), Span("task", RUNNING, "y", 3, 4))
    assert timeline.by_lane["nothing is known of it"] == ()
    assert timeline.outcomes == {"main": "unfinished", "task": "unfinished"}


def test_two_lanes_of_one_name_are_told_apart_whichever_way_they_come():
    recorder = Recorder(["a", "a", "a (2)"], "")
    more = [recorder.add_lane(name) for name in ("a", "b", "a (3)", "b", "a (2)")]
    assert more == [3, 4, 5, 6, 7]
    assert len(set(recorder.lanes)) == 8
    assert recorder.lanes[:2] == ("a", "a (2)") and recorder.lanes[4] == "b" and recorder.lanes[6] == "b (2)"


def test_ten_thousand_lanes_of_one_name_are_told_apart_in_no_time_to_speak_of():
    few, many = (seconds_for(Recorder, ["page"] * number, "") for number in (1_000, 10_000))
    assert many < 40 * few  # and not the hundredfold


def seconds_for(function, *arguments):
    taken = []
    for _ in range(5):
        began = time.process_time()
        function(*arguments)
        taken.append(time.process_time() - began)
    return min(taken)


def test_lanes_come_from_any_thread():
    recorder = Recorder((), "")
    threads = [threading.Thread(target=lambda: [recorder.add_lane("x") for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(recorder.lanes)) == 4000


class Late(Recorder):
    """A run that takes notes, and makes entries of them when somebody wants to see its log."""

    def __init__(self):
        self.notes = []
        super().__init__(["a"], "late", Clock())

    def catch_up(self):
        while self.notes:
            self._log.append(self.notes.pop(0))


def test_a_run_that_takes_notes_catches_up_before_its_log_is_read():
    recorder = Late()
    recorder.notes += [(1.0, 0, RUNNING, "x", False), (2.0, 0, None, "", False)]
    assert len(recorder.log) == 3 and recorder.notes == []
    assert recorder.timeline().by_lane["a"][1] == Span("a", RUNNING, "x", 1, 2)


def test_a_lane_may_be_away_for_a_while():
    recorder = Recorder((), "growing", clock := Clock())
    thread = recorder.add_lane("thread")
    recorder.change(thread, RUNNING, "first job", at=1.0)
    recorder.change(thread, None, at=2.0)
    recorder.change(thread, READY, at=5.0)
    recorder.change(thread, RUNNING, "second job", at=6.0)
    recorder.change(thread, None, at=7.0)
    clock.time += 9
    recorder.close()
    timeline = recorder.timeline()
    assert [(span.label, span.start, span.end) for span in timeline.spans] == [
        ("first job", 1, 2),
        ("second job", 5, 6),
        ("second job", 6, 7),
    ]
    assert (timeline.outcomes, timeline.makespan) == ({}, 7)


def test_a_run_has_no_findings_unless_it_says_so():
    recorder = Recorder(["a"], "", Clock())
    assert (recorder.parents, recorder.findings, recorder.timeline().findings) == ({}, (), ())
    recorder.findings = [Finding("lost", "a never finished.", "", 0)]
    assert recorder.timeline().findings == tuple(recorder.findings)


def test_a_lane_that_is_being_added_does_no_harm():
    """Another thread may be in the middle of it: its parent is known then, and its name not yet."""
    recorder = Recorder((), "growing", Clock())
    recorder.add_lane("main")
    recorder.parents[1] = 0
    assert recorder.timeline().parents == {}
