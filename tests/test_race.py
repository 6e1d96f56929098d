"""The race in the terminal, from beginning to end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kitchen import race
from kitchen.server import serve

ROOT = Path(__file__).parent.parent


def run(*arguments, cwd):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    command = [sys.executable, "-m", "kitchen.race", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=60)


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
        (["--n", "0"], "1 or more"),
        (["--n", "many"], "invalid"),
        (["--delay", "-1"], "0 or more"),
        (["--limit", "0"], "1 or more"),
        (["--timeout", "0"], "give more"),
        (["--urls", "nowhere.txt"], "cannot read nowhere.txt"),
        (["--out", "nowhere/race.png"], "no folder nowhere"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_fetched(arguments, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        race.main(arguments)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_an_empty_list_of_urls_is_refused(tmp_path, capsys):
    (tmp_path / "urls.txt").write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        race.main(["--urls", str(tmp_path / "urls.txt")])
    assert "no URL in" in capsys.readouterr().err
