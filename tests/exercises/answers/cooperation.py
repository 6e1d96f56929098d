"""Answers to the exercises of notebook 03 that are known to be wrong, by a piece of what is said to them; and right ones."""

MENU = "def busy_menu():\n    return [Dish(name, [{}]) for name in {}]"
UNLUCKY = "def unlucky_menu():\n    return {}"
POLITE = "def polite(dish):\n{}"
PICK = "def pick(ready, left, queued):\n    {}"

WRONG = {
    "busy_menu": {
        "returned nothing": "def busy_menu():\n    dishes = [Dish('tea', [work('pour', 5), wait('brew', 5)])]",
        "this is not a menu": "def busy_menu():\n    return ['soup', 'stew', 'jam']",
        "2 on the menu": MENU.format("work('a', 5), wait('b', 5), work('c', 5)", ["soup", "stew"]),
        "waits for 0 minutes at most": MENU.format("work('stir', 5)", ["soup", "stew", "jam"]),
        "waits for 4 minutes at most": MENU.format("work('a', 5), wait('b', 4), work('c', 5)", ["soup", "stew", "jam"]),
        "from minute 3 to 6": MENU.format("work('a', 1), wait('b', 5), work('c', 1)", ["soup", "stew", "jam"]),
        "from minute 0 to 5": MENU.format("wait('b', 5), work('c', 6)", ["soup", "stew", "jam"]),
        "stew ends with a wait until minute 20": """
def busy_menu():
    first = [Dish(name, [work("stir", 5), wait("simmer", 5), work("serve", 1)]) for name in ("soup", "jam")]
    return [*first, Dish("stew", [work("stir", 5), wait("simmer", 5)])]
""",
        "more than 100 dishes": MENU.format("work('a', 1), wait('b', 5), work('c', 1)", "map(str, range(101))"),
    },
    "unlucky_menu": {
        "returned nothing": "def unlucky_menu():\n    print([Dish('salad', [work('chop', 5)])])",
        "1 on the menu": UNLUCKY.format("[Dish('salad', [work('chop', 5)])]"),
        "nothing on your menu waits": UNLUCKY.format(
            "[Dish('salad', [work('chop', 5)]), Dish('soup', [work('stir', 1)])]"
        ),
        "all orders were tried": UNLUCKY.format("dinner()"),
        "the loop reaches the lower bound": UNLUCKY.format(
            "[Dish('roast', [work('put in', 1), wait('roast', 20)]), Dish('salad', [work('chop', 5)])]"
        ),
        "too many orders": UNLUCKY.format(
            "[Dish(f'dish {n}', [work('a', 1 + n / 7), wait('b', 2 + n / 3), work('c', 2 - n / 9), wait('d', 9 - n)] * 12)"
            " for n in range(4)]"
        ),
        "two dishes on the menu are called": UNLUCKY.format("dinner() [:2] + dinner()[:2]"),
    },
    "polite": {
        "returned nothing": POLITE.format("    Dish(dish.name, [wait('let others', 0), *dish.steps])"),
        "it should be a dish": POLITE.format("    return list(dish.steps)"),
        "keep its name": POLITE.format("    return Dish('polite ' + dish.name, dish.steps)"),
        "keeps the cook for 10 minutes, from minute 0 on": POLITE.format("    return Dish(dish.name, dish.steps)"),
        "keeps the cook for 5 minutes": POLITE.format(
            "    half = lambda step: [work(step.label, step.duration / 2), wait('let others', 0)] * 2\n"
            "    return Dish(dish.name, [s for step in dish.steps for s in (half(step) if step.kind == 'work' else [step])])"
        ),
        "between two pieces of 'knead' your version waits for 0.1 min: the pause must be a wait of 0": POLITE.format(
            "    steps = []\n    for step in dish.steps:\n        left = step.duration\n"
            "        while step.kind == 'work' and left > 1:\n"
            "            steps += [work(step.label, 1), wait('let others', 0.1)]\n            left -= 1\n"
            "        steps += [type(step)(step.kind, step.label, left), wait('let others', 0)]\n"
            "    return Dish(dish.name, steps)"
        ),
        "after 'knead' your version waits for 0.5 min": POLITE.format(
            "    steps = []\n    for step in dish.steps:\n        left = step.duration\n"
            "        while step.kind == 'work' and left > 1:\n"
            "            steps += [work(step.label, 1), wait('let others', 0)]\n            left -= 1\n"
            "        steps.append(type(step)(step.kind, step.label, left))\n"
            "        steps += [wait('let others', 0.5)] if step.kind == 'work' else []\n"
            "    return Dish(dish.name, steps)"
        ),
        "cake: 'fill' is missing in your version": POLITE.format(
            "    steps = []\n    for step in dish.steps:\n        if step.kind == 'work':\n"
            "            steps += [work(step.label, 1), wait('let others', 0)] * int(step.duration)\n"
            "        else:\n            steps.append(step)\n"
            "    return Dish(dish.name, steps)"
        ),
        "'knead' took 10 minutes, but takes 1": POLITE.format(
            "    cut = lambda step: work(step.label, min(step.duration, 1)) if step.kind == 'work' else step\n"
            "    return Dish(dish.name, map(cut, dish.steps))"
        ),
        "lost its step 'rise'": POLITE.format(
            "    steps = []\n    for step in dish.steps:\n        if step.kind == 'work':\n"
            "            steps += [work(step.label, step.duration / 20), wait('let others', 0)] * 20\n"
            "    return Dish(dish.name, steps)"
        ),
        "where dough had work 'knead', your version has work 'go on'": POLITE.format(
            "    steps = []\n    for step in dish.steps:\n"
            "        go_on = [work('go on', step.duration / 20), wait('let others', 0)] * 20\n"
            "        steps += go_on if step.kind == 'work' else [step]\n"
            "    return Dish(dish.name, steps)"
        ),
        "dough has 'let others' of 1 minutes more": POLITE.format(
            "    half = [work('knead', 0.5), wait('let others', 0)] * 20\n"
            "    return Dish(dish.name, [*half, wait('rise', 4), wait('let others', 1)])"
        ),
        # The pieces are short enough, but two of them follow each other without a pause.
        "salad keeps the cook for 2 minutes, from minute 7 on": POLITE.format(
            "    steps = []\n    for step in dish.steps:\n        left = step.duration\n"
            "        while step.kind == 'work' and left > 1:\n"
            "            steps += [work(step.label, 1), wait('let others', 0)]\n            left -= 1\n"
            "        steps.append(type(step)(step.kind, step.label, left))\n"
            "    return Dish(dish.name, steps)"
        ),
    },
    "pick": {
        "returned nothing": PICK.format("max(ready, key=left.get)"),
        "your function returned 'steak'": PICK.format("return 'steak'"),
        "as fast as the loop everywhere": PICK.format("return list(left)[0]"),
        "salad is READY for 50 minutes without a turn": PICK.format("return max(ready, key=left.get)"),
        "worst menu is a market day": PICK.format("return ready[-1]"),
        "worst menu is the dinner": PICK.format("return min(ready, key=left.get)"),
        "your code raised KeyError: 'egg whites' (line 2 of the cell)": PICK.format("return left['egg whites']"),
    },
}

RIGHT = {
    "busy_menu": [
        MENU.format("work('a', 1), wait('b', 5), work('c', 1)", "map(str, range(10))"),
        """
def busy_menu():
    pots = [Dish(name, [work("fill", 1), wait("boil", 9), work("pour", 2)]) for name in ("tea", "soup")]
    pots.append(Dish("dough", [work("knead", 20), wait("rise", 5), work("bake", 1)]))
    return pots + [Dish("salad", [work("chop", 6), wait("drain", 5), work("toss", 6)])]
""",
    ],
    "unlucky_menu": [
        UNLUCKY.format("dinner()[::-1]"),
        # Where it is best to stand aside although somebody is READY.
        UNLUCKY.format(
            "(Dish('roast', [work('put in', 1), wait('brown', 1), work('turn', 1), wait('roast', 20)]),"
            " Dish('dough', [work('knead', 9)]))"
        ),
    ],
    "polite": [
        # Pieces of half a minute, by recursion.
        """
def polite(dish):
    def cut(step):
        if step.kind == "wait" or step.duration <= 0.5:
            return [step, wait("pause", 0)]
        return [work(step.label, 0.5), wait("pause", 0), *cut(work(step.label, step.duration - 0.5))]

    return Dish(dish.name, [piece for step in dish.steps for piece in cut(step)])
""",
        # Equal pieces, and a pause only where another piece of work follows.
        """
def polite(dish):
    pieces = []
    for step in dish.steps:
        n = max(1, -int(-step.duration // 1)) if step.kind == "work" else 1
        for _ in range(n):
            if step.kind == "work" and pieces and pieces[-1].kind == "work":
                pieces.append(wait("go ahead", 0))
            pieces.append(work(step.label, step.duration / n) if step.kind == "work" else step)
    return Dish(dish.name, pieces)
""",
    ],
    "pick": [
        PICK.format("return max(ready, key=lambda name: left[name] + 3 * queued[name])"),
        PICK.format("return max(ready, key=lambda name: (queued[name] >= 8, left[name]))"),
    ],
}
