"""What the benchmarks measured, as small tables at the end of pytest's own report: visible also when all is well."""

import pytest

TABLES = pytest.StashKey[list]()


@pytest.fixture
def report(request):
    """`report(title, headings, rows)` adds a table of texts to the end of pytest's report; call it before asserting."""

    def add(title, headings, rows):
        request.config.stash.setdefault(TABLES, []).append((title, [headings, *rows]))

    return add


def pytest_terminal_summary(terminalreporter, config):
    for title, rows in config.stash.get(TABLES, []):
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        terminalreporter.section(title, sep="-")
        for first, *others in rows:
            figures = [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
            terminalreporter.write_line("   ".join([first.ljust(widths[0]), *figures]))
