"""The race in the terminal, from beginning to end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kitchen.commands import race
from kitchen.web.site import serve

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]


def run(*arguments, cwd):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    command = [sys.executable, "-m", "kitchen.commands.race", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_the_race_over_the_local_site(tmp_path):
    done = run("--n", 12, "--delay", 0.05, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Fetching 12 URLs three ways" in done.stdout
    for way in ("sync", "threads", "coroutines"):
        assert f"\n{way}: " in done.stdout, "the text picture"
        assert any(line.split("│")[1:2] == [f" {way:10} "] for line in done.stdout.splitlines()), "the table"
    assert done.stdout.count("12/12") == 3
    assert (tmp_path / "race.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["race.png"]


def test_the_race_over_a_list_of_urls(tmp_path):
    with serve(delay=0.01) as site:
        urls = [*site.urls(3), "# a comment", "", site.url(9, fault="refuse")]
        (tmp_path / "urls.txt").write_text("\n".join(urls), encoding="utf-8")
        done = run("--urls", "urls.txt", "--out", "mine.svg", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Fetching 4 URLs" in done.stdout
    assert "sync: 1 x ConnectError" in done.stdout
    assert "<svg" in (tmp_path / "mine.svg").read_text(encoding="utf-8")


def test_when_no_url_can_be_had_the_exit_code_says_so(tmp_path):
    (tmp_path / "urls.txt").write_text("nonsense\n", encoding="utf-8")
    done = run("--urls", "urls.txt", cwd=tmp_path)
    assert done.returncode == 1
    assert "coroutines: 1 x UnsupportedProtocol" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--n", "0"], "from 1 to"),
        (["--n", "many"], "'many' is not a whole number"),
        (["--n", "9" * 400], "from 1 to 100000"),
        (["--n", "9" * 5000], "is not a whole number"),
        (["--delay", "soon"], "'soon' is not a number of seconds"),
        (["--delay", "-1"], "0 or more"),
        (["--limit", "0"], "from 1 to"),
        (["--timeout", "0"], "give more"),
        (["--urls", "nowhere.txt"], "cannot read nowhere.txt"),
        (["--out", "nowhere/race.png"], "no folder nowhere"),
        (["--out", "race"], "ends in .png"),
        (["--out", "race.pgf"], "ends in .png"),
        (["--out", "a" * 300 + ".png"], "cannot write to a"),
        (["--urls", "."], "cannot read ."),
        (["--out", "."], "is a folder"),
        (["--timeout", "1e300"], "no time to wait"),
        (["--timeout", "nan"], "no time to wait"),
        (["--n", "1000000000"], "from 1 to 100000"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_fetched(arguments, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        race.main(arguments)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("urls", "says"),
    [
        ("http://127.0.0.1:9/\n".encode("utf-16"), "not a text in UTF-8"),
        (b"http://127.0.0.1:9/\xff\n", "not a text in UTF-8"),
        (b"x\n" * 100_001, "too many URLs"),
    ],
)
def test_a_file_that_is_no_list_of_urls_is_refused(urls, says, tmp_path, capsys):
    (tmp_path / "urls.txt").write_bytes(urls)
    with pytest.raises(SystemExit):
        race.main(["--urls", str(tmp_path / "urls.txt")])
    assert says in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_is_told_in_words(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "nonsense"}
    command = [sys.executable, "-m", "kitchen.commands.race", "--n", "2", "--delay", "0"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, cwd=tmp_path, env=environment, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "cannot write: No space left on device\n")


def test_an_empty_list_of_urls_is_refused(tmp_path, capsys):
    (tmp_path / "urls.txt").write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        race.main(["--urls", str(tmp_path / "urls.txt")])
    assert "no URL in" in capsys.readouterr().err


def test_a_file_of_urls_may_begin_with_a_mark_and_have_other_things_than_ends_of_lines_in_it(tmp_path):
    with serve(delay=0.01) as site:
        urls = "\r\n".join([*site.urls(2), site.url(3) + "?\u2028\x0c\x85"])
        (tmp_path / "urls.txt").write_text("\ufeff" + urls, encoding="utf-8")
        done = run("--urls", "urls.txt", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Fetching 3 URLs" in done.stdout
    assert "sync: 1 x InvalidURL" in done.stdout


def test_what_the_terminal_cannot_print_ends_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    (tmp_path / "urls.txt").write_text("http://127.0.0.1:9/größe?\U0001f373\n", encoding="utf-8")
    done = run("--urls", "urls.txt", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "sync: 1 x ConnectError" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="sockets are no files there")
def test_too_few_open_files_are_told_in_words_for_a_shell(tmp_path):
    command = f"ulimit -n 200; exec {sys.executable} -m kitchen.commands.race --n 500 --limit 500"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "try --limit 1" in done.stderr
    assert "`ulimit -n 1024` first" in done.stderr
    assert "setrlimit" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupt_shows_what_has_come_and_no_traceback(tmp_path, times):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "kitchen.commands.race", "--n", "500", "--delay", "0.1"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, **pipes) as process:
        assert "Fetching 500 URLs" in process.stdout.readline()
        time.sleep(1)  # into the first of the three ways, which takes a minute; any other moment has to do as well
        for _ in range(times):
            process.send_signal(signal.SIGINT)
        said, complaints = process.communicate(timeout=60)
    assert "Traceback" not in complaints
    assert process.returncode in ([130] if times == 1 else [130, -signal.SIGINT])  # the impatient get no more words
    if process.returncode == 130:
        assert said.splitlines()[-1] == "Interrupted: this is what had come by then."


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_a_second_interrupt_does_not_leave_the_bars_half_taken_away(tmp_path):
    program = """
import os, signal, sys
from kitchen.commands import race
clear = race.Console.clear_live
def clear_and_interrupt(self):
    os.kill(os.getpid(), signal.SIGINT)
    return clear(self)
def interrupt(*_, **__):
    raise KeyboardInterrupt
race.Console.clear_live = clear_and_interrupt
race.fetch.threaded = interrupt
sys.exit(race.main(["--n", "2", "--delay", "0"]))
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    assert done.returncode == 130
    assert done.stdout.count("2/2") == 1, "the bar of sync, once"
    assert done.stdout.splitlines()[-1] == "Interrupted: this is what had come by then."
