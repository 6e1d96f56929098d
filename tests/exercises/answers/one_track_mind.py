"""Wrong answers to the exercises of notebook 01, each with what its verdict says, and right ones done differently."""

WRONG = {
    "quarter_busy": {
        "too busy": """
quarter_busy = [Dish("soup", [work("chop", 5), wait("simmer", 5)]), Dish("salad", [work("chop", 4)])]
""",
        "too idle": """
quarter_busy = [Dish("soup", [work("chop", 1), wait("simmer", 30)]), Dish("rice", [wait("boil", 12)])]
""",
        "the number of dishes on the menu is 3": """
quarter_busy = [Dish(name, [work("chop", 1), wait("simmer", 3)]) for name in ("soup", "rice", "stew")]
""",
        "this is a Dish": """
quarter_busy = Dish("soup", [work("chop", 1), wait("simmer", 3)])
""",
        "both dishes are called 'soup'": """
quarter_busy = [Dish("soup", [work("chop", 1), wait("simmer", 3)])] * 2
""",
        "it is not a Dish": """
quarter_busy = [work("chop", 1), wait("simmer", 3)]
""",
        "this is a function": """
def quarter_busy():
    return [Dish("soup", [work("chop", 1), wait("simmer", 3)])]
""",
        "no time at all": """
quarter_busy = [Dish("water", []), Dish("air", [work("open the window", 0)])]
""",
    },
    "finishes": {
        "how long it takes by itself": """
def finishes(dishes):
    return {dish.name: sum(step.duration for step in dish.steps) for dish in dishes}
""",
        "its waits count": """
def finishes(dishes):
    now, done = 0.0, {}
    for dish in dishes:
        now += sum(step.duration for step in dish.steps if step.kind == "work")
        done[dish.name] = now
    return done
""",
        " you say porridge is on the table at 0 min, but it is at 13; at your time she begins it": """
def finishes(dishes):
    now, done = 0.0, {}
    for dish in dishes:
        done[dish.name] = now
        now += sum(step.duration for step in dish.steps)
    return done
""",
        "returned None": """
def finishes(dishes):
    now = 0.0
    for dish in dishes:
        now += sum(step.duration for step in dish.steps)
        print(dish.name, now)
""",
        "this should be a dict from name to minute, but it is a list": """
def finishes(dishes):
    now, done = 0.0, []
    for dish in dishes:
        now += sum(step.duration for step in dish.steps)
        done.append(now)
    return done
""",
        "'nothing' is on the menu, but not in your": """
def finishes(dishes):
    now, done = 0.0, {}
    for dish in dishes:
        for step in dish.steps:
            now += step.duration
            done[dish.name] = now
    return done
""",
        "your code raised IndexError": """
def finishes(dishes):
    done = {dishes[0].name: sum(step.duration for step in dishes[0].steps)}
    now = done[dishes[0].name]
    for dish in dishes[1:]:
        now += sum(step.duration for step in dish.steps)
        done[dish.name] = now
    return done
""",
    },
    "least_waiting": {
        "look at the work only": """
def least_waiting(dishes):
    def its_work(dish):
        return sum(step.duration for step in dish.steps if step.kind == "work")

    return sorted(dishes, key=its_work)
""",
        "You begin with the longest": """
def least_waiting(dishes):
    return sorted(dishes, key=lambda dish: sum(step.duration for step in dish.steps), reverse=True)
""",
        "come before every dish that takes longer": """
def least_waiting(dishes):
    return sorted(dishes, key=lambda dish: max(step.duration for step in dish.steps) * len(dish.steps))
""",
        "list.sort returns None": """
def least_waiting(dishes):
    return dishes.sort(key=lambda dish: sum(step.duration for step in dish.steps))
""",
        "it is not a dish": """
def least_waiting(dishes):
    return sorted(sum(step.duration for step in dish.steps) for dish in dishes)
""",
        "one guest gets nothing": """
def least_waiting(dishes):
    return [min(dishes, key=lambda dish: sum(step.duration for step in dish.steps))]
""",
        "must take one argument": """
def least_waiting():
    return sorted(dishes, key=lambda dish: sum(step.duration for step in dish.steps))
""",
        "'<' not supported": """
def least_waiting(dishes):
    return sorted(dishes)
""",
    },
    "one_track": {
        "no dish is WAITING under sync": """
def one_track(dishes):
    pieces, now = [], 0.0
    for dish in dishes:
        pieces.append((dish.name, State.READY, 0.0, now))
        for step in dish.steps:
            state = State.RUNNING if step.kind == "work" else State.WAITING
            pieces.append((dish.name, state, now, now + step.duration))
            now += step.duration
    return pieces
""",
        "could go on, so it queues for the cook": """
def one_track(dishes):
    pieces, now = [], 0.0
    for dish in dishes:
        for step in dish.steps:
            state = State.RUNNING if step.kind == "work" else State.IDLING
            pieces.append((dish.name, state, now, now + step.duration))
            now += step.duration
    return pieces
""",
        "she is still at the dish before": """
def one_track(dishes):
    pieces = []
    for dish in dishes:
        now = 0.0
        for step in dish.steps:
            state = State.RUNNING if step.kind == "work" else State.IDLING
            pieces.append((dish.name, state, now, now + step.duration))
            now += step.duration
    return pieces
""",
        "a wait is not RUNNING": """
def one_track(dishes):
    pieces, now = [], 0.0
    for dish in dishes:
        pieces.append((dish.name, State.READY, 0.0, now))
        for step in dish.steps:
            pieces.append((dish.name, State.RUNNING, now, now + step.duration))
            now += step.duration
    return pieces
""",
        "returned None": """
def one_track(dishes):
    for dish in dishes:
        for step in dish.steps:
            print(dish.name, step.label)
""",
        "make each piece a (name, state, start, end)": """
def one_track(dishes):
    pieces, now = [], 0.0
    for dish in dishes:
        for step in dish.steps:
            pieces.append((dish.name, step.kind, now, now + step.duration))
            now += step.duration
    return pieces
""",
        "ends before it begins": """
def one_track(dishes):
    pieces, now = [], 0.0
    for dish in dishes:
        pieces.append((dish.name, State.READY, 0.0, now))
        for step in dish.steps:
            state = State.RUNNING if step.kind == "work" else State.IDLING
            pieces.append((dish.name, state, now, step.duration))
            now += step.duration
    return pieces
""",
        "a list of (name, state, start, end), but it is a": """
def one_track(dishes):
    return sum(step.duration for dish in dishes for step in dish.steps)
""",
    },
}

RIGHT = {
    "quarter_busy": [
        """
quarter_busy = (Dish("egg", [wait("boil", 6), work("peel", 2)]), Dish("nothing", ()))
""",
        """
quarter_busy = [Dish("ice", [wait("freeze", 8)]), Dish("salad", [work("wash", 1), work("chop", 1)])]
""",
    ],
    "finishes": [
        """
def finishes(dishes):
    return {
        dish.name: sum(step.duration for earlier in dishes[: n + 1] for step in earlier.steps)
        for n, dish in enumerate(dishes)
    }
""",
        """
def finishes(dishes):
    return simulate.sync(dishes).finishes
""",
    ],
    "least_waiting": [
        """
def least_waiting(dishes):
    dishes.sort(key=lambda dish: simulate.sync([dish]).makespan)
    return dishes
""",
        """
def least_waiting(dishes):
    left, order = list(dishes), []
    while left:
        shortest = left[0]
        for dish in left[1:]:
            if sum(step.duration for step in dish.steps) <= sum(step.duration for step in shortest.steps):
                shortest = dish
        left.remove(shortest)
        order.append(shortest)
    return order
""",
    ],
    "one_track": [
        """
from kitchen import Span

def one_track(dishes):
    spans, begin = [], 0.0
    for dish in dishes:
        now = begin
        for step in dish.steps:
            end = now + step.duration
            state = State.IDLING if step.kind == "wait" else State.RUNNING
            spans.append(Span(dish.name, state, step.label, now, end))
            now = end
        if begin > 0 and dish.steps:
            spans.append(Span(dish.name, State.READY, dish.steps[0].label, 0.0, begin))
        begin = now
    return spans
""",
        """
def one_track(dishes):
    now = 0.0
    for dish in dishes:
        yield [dish.name, State.READY, 0, now]
        for step in dish.steps:
            yield [dish.name, {"work": State.RUNNING, "wait": State.IDLING}[step.kind], now, now + step.duration]
            now += step.duration
""",
    ],
}
