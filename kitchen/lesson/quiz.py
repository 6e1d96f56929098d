"""A quiz: questions with several answers, of which one is right; each answer says why. It is answered in the page.

It needs no kernel, and no script either: where none runs, each question has its answer folded below it. Nothing is stored.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from kitchen.lesson.box import marked
from kitchen.views.assets import module, style


class Option(NamedTuple):
    """An answer that a reader may choose, and what there is to say of it."""

    text: str
    because: str


class Question(NamedTuple):
    """What is asked, the one right option, and the wrong ones, each of which many people believe."""

    text: str
    right: Option
    wrong: tuple[Option, ...]

    @property
    def options(self) -> list[Option]:
        """All options, in an order that says nothing of which is right and is always the same."""
        return sorted(
            [self.right, *self.wrong], key=lambda option: sha256(f"{self.text}{option.text}".encode()).digest()
        )


class Quiz:
    """Several questions, one below the other. Shows itself in a notebook. ValueError for one that cannot be asked."""

    def __init__(self, questions: Iterable[Question]):
        self.questions = list(questions)
        for text, right, wrong in self.questions:
            options = [right, *wrong]
            texts = [option.text for option in options]
            if not wrong or len(set(texts)) < len(texts) or not all(option.because for option in options):
                raise ValueError(
                    f"{text!r} has the options {texts}: give two or more, all different, with a reason each"
                )

    def __str__(self):
        return "\n".join(
            f"{number}. {question.text}\n" + "".join(f"   - {option.text}\n" for option in question.options)
            for number, question in enumerate(self.questions, start=1)
        )

    __repr__ = __str__

    def html(self) -> str:
        """The quiz as a piece of HTML that needs nothing else."""
        asked = "".join(map(_html, self.questions))
        name = "q" + sha256(asked.encode()).hexdigest()[:12]
        return PIECE.format(
            name=name, style=style("box", "quiz"), asked=asked, script=module(("element", "notebook", "quiz")).strip()
        )

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.html(), "text/plain": f"{self}(Run this cell to answer in the page.)"}


PIECE = """\
<div class="kitchen-box kitchen-quiz" data-quiz="{name}">
<style>
{style}</style>
<ol>
{asked}</ol>
<script type="module">
{script}
startQuizzes("{name}");
</script>
</div>"""


def _html(question):
    """A question with its options, and below it, folded, what there is to say of each, in the same order."""
    options = "".join(f"<li>{marked(option.text)}</li>\n" for option in question.options)
    reasons = "".join(_reason(option, option is question.right) for option in question.options)
    folded = f"<details><summary>Answer</summary>\n<ul>\n{reasons}</ul>\n</details>"
    return f"<li><p>{marked(question.text)}</p>\n<ul>\n{options}</ul>\n{folded}</li>\n"


def _reason(option, right):
    head = f"<b>✓ {marked(option.text)}</b>" if right else f"✗ {marked(option.text)}"
    end = "" if option.text[-1] in ".?!" else "."
    return (
        f'<li class="kitchen-{"right" if right else "wrong"}">{head}{end} <span>{marked(option.because)}</span></li>\n'
    )
