"""What the page is made of: the JavaScript and the style sheets of the folder `page`, as texts that need nothing else."""

import json
import re
from base64 import b64decode, b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from zlib import compress, decompress

from kitchen.views import palette

PAGE = Path(__file__).parent / "page"
PLAYER = (
    "film",
    "words",
    "ink",
    "writing",
    "plate",
    "picture",
    "camera",
    "element",
    "notebook",
    "share",
    "controls",
    "pointer",
    "figure",
    "live",
)  # each imports from those before it
LESSON = (
    "answers",
    "predict",
    "compare",
    "explore",
    "shift",
    "game",
)  # what a lesson has besides, in an order of the same kind
LINE = ("line",)  # what tells a kernel
CALLS = (
    "playSaved",
    "askSaved",
    "compareSaved",
    "exploreSaved",
    "playGame",
)  # what an output may have the page's module do

PACKED = re.compile(r'atob\("([\w+/=]{5000,})"\)')  # what the outputs of a page share, where it stands in HTML


@cache
def module(names: tuple[str, ...] = PLAYER) -> str:
    """The JavaScript of these files (the player's) as one module, without what they import from each other."""
    files = [palette.javascript(), *((PAGE / f"{name}.js").read_text(encoding="utf-8") for name in names)]
    lines = [line for file in files for line in re.sub(r"^import [^;]*;", "", file, flags=re.MULTILINE).splitlines()]
    # A comment goes where it cannot be part of a text: no quotation mark follows.
    kept = [re.sub(r"(^|\s)//[^\"'`]*$", "", line.strip()) for line in lines if not line.lstrip().startswith("//")]
    return "\n".join(filter(None, map(str.rstrip, kept))) + "\n"


@cache
def style(*names: str, also: str = "") -> str:
    """The style sheets of these names one after the other, with the colours that they, and the text `also`, speak of."""
    text = "".join((PAGE / f"{name}.css").read_text(encoding="utf-8") for name in names)
    used = set(re.findall(r"--kitchen-([\w-]+)", text + also))
    lines = re.sub(r"/\*.*?\*/", "", palette.css(used) + text, flags=re.DOTALL).splitlines()
    return "\n".join(line.strip() for line in lines if line.strip()) + "\n"


def player_style() -> str:
    """All that a player needs; what it paints with is there whether a style sheet speaks of it or not."""
    return style("states", "live", also=palette.css()) + palette.own_page_css()


@cache
def packed() -> tuple[str, str]:
    """The player with its style sheet, packed into base64, and the name by which the outputs of one page share it.

    Unpacked it is a script (no module, so that it is run at once where inline scripts are) that leaves at its own element
    what an output calls.
    """
    inner = re.sub(r"^export (default .*\n)?", "", module(PLAYER + LESSON), flags=re.MULTILINE)
    sheet = json.dumps(page_style())
    text = (
        'document.currentScript.kitchen = (() => {\n"use strict";\n'
        f'document.head.append(Object.assign(document.createElement("style"), {{ textContent: {sheet} }}));\n'
        f"{inner}return {{ {', '.join(CALLS)} }};\n}})();\n"
    )
    return b64encode(compress(text.encode(), 9)).decode(), "kitchen" + sha256(text.encode()).hexdigest()[:16]


def page_style() -> str:
    """All that the outputs of a page need."""
    return player_style() + style("box", "predict", "explore")


def begin(call: str, name: str) -> str:
    """A script as HTML that has the page's module call one of `CALLS` with this name.

    What is packed is unpacked once in a page, by the output that comes first and has it. It is run as a script of the
    page's own, not from another address: wherever this one may run, that one may. Where a notebook has many outputs,
    all but one may do without (`once`).
    """
    if call not in CALLS or not (name.isascii() and name.isalnum()):
        raise ValueError(f"call={call!r}, name={name!r}: letters and digits only, since it becomes part of the page")
    script, shared = packed()
    return BEGIN.format(call=call, name=name, script=script, shared=shared)


def once(html: str, had: set[str]) -> str:
    """An output's HTML without what is packed, if an output before it in the same page has that: then it is in `had`."""

    def kept(match):
        again = match[1] in had
        had.add(match[1])
        return 'atob("")' if again else match[0]

    return PACKED.sub(kept, html)


def apart(html: str) -> tuple[str, dict[str, str]]:
    """A page's HTML without what is packed, and that as scripts for files beside it, by the name that the outputs share.

    Such a script is there before the page has been read to its end, and the next page need not load it again.
    """
    scripts = {}
    for packed in PACKED.finditer(html):
        name = re.compile(r"globalThis\.(kitchen\w+)").search(html, packed.end())[1]
        script = decompress(b64decode(packed[1])).decode()
        scripts[name] = f"{{\n{SHARED.format(shared=name)}{script}page.done(document.currentScript.kitchen);\n}}\n"
    return PACKED.sub('atob("")', html), scripts


def inert(data: object) -> str:
    """Data as JSON that can stand anywhere in HTML: in ASCII, since U+2028 ends a line of a script; none of it is markup."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def data(of: object) -> str:
    """Data as a piece of HTML that shows nothing; the page's module reads it."""
    return f'<script type="application/json">{inert(of)}</script>\n'


SHARED = """\
const page = (globalThis.{shared} ??= {{}});
page.made ??= new Promise((done) => {{ page.done = done; }});
"""
BEGIN = f"""\
<script type="module" async>
const packed = atob("{{script}}");
{SHARED}\
if (packed && !page.begun) {{{{
page.begun = true;
const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
const stream = new Response(bytes).body.pipeThrough(new DecompressionStream("deflate"));
const script = document.createElement("script");
script.textContent = await new Response(stream).text();
document.head.append(script);
script.remove();
page.done(script.kitchen);
}}}}
(await page.made).{{call}}("{{name}}");
</script>
"""


def needed(sheet: str, inside: str) -> str:
    """A style sheet without the lines for elements that do not stand inside: a notebook has some thirty boxes."""
    named = r"(?:@media .*)?\.kitchen-box (details|summary|pre|code)\b"
    elements = [(line, re.match(named, line)) for line in sheet.splitlines(keepends=True)]
    return "".join(line for line, element in elements if not element or f"<{element[1]}" in inside)
