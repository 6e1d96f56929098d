"""The exercise of notebook 00: one dish, to see how a check works."""

from math import fsum

from kitchen import simulate
from kitchen.exercises import quizzes
from kitchen.lesson.exercise import Right, exercise
from kitchen.lesson.running import Wrong, call
from kitchen.recipe import menu

quiz = quizzes.quiz(__name__)


@exercise(
    stub='''
    def side_dish():
        """A list with one dish: five minutes, two of them work."""
        ...
    ''',
    solution="""
    def side_dish():
        return [Dish("rice", [work("wash", 1), wait("boil", 3), work("stir", 1)])]
    """,
    hints=[
        "A list with one dish is `[Dish(name, steps)]`, and the steps are a list as well.",
        "Two minutes of `work`, in one step or in two. How many minutes of `wait` are left of five?",
    ],
    setting="from kitchen import Dish, wait, work",
)
def side_dish(answer):
    """Write a menu of one dish that takes five minutes, two of them work."""
    made = call(answer)
    if made is None:
        raise Wrong("the function returned nothing: is there a `return`?")
    try:
        dishes = menu(made)
    except (TypeError, ValueError) as error:
        raise Wrong(f"this is not a menu: {error}") from None
    timeline = simulate.sync(dishes)
    if len(dishes) != 1:
        raise Wrong(f"the number of dishes on this menu is {len(dishes)}: it should be 1", timeline)
    needed = fsum(step.duration for dish in dishes for step in dish.steps)
    if abs(needed - 5) > 1e-9:
        last = timeline.spans[-1] if timeline.spans else None
        raise Wrong(f"the dish takes {needed:g} minutes, not 5", timeline, last)
    if abs(timeline.busy - 2) > 1e-9:
        raise Wrong(f"the dish needs the cook for {timeline.busy:g} minutes, not for 2", timeline, timeline.spans[0])
    return Right("five minutes, and the cook has her hands full in two of them", timeline)
