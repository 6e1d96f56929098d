"""kitchen draws and measures what the notebooks of *Asynchronicity Illustrated* talk about.

Importing it loads the standard library only, so that ``python3 -m kitchen`` works on a bare Python.
"""

import sys

if sys.version_info < (3, 11):  # before anything that an older Python could stumble over
    raise SystemExit(
        "kitchen needs Python 3.11 or newer, and this is Python {}.{} ({}). Install a newer one from "
        "https://www.python.org/downloads/ and start it by its name, for example: python3.12 -m kitchen".format(
            sys.version_info[0], sys.version_info[1], sys.executable
        )
    )
