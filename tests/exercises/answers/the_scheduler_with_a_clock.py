"""Wrong answers to the exercises of notebook 02, each with what its verdict says, and right ones done differently."""

WRONG = {
    "wasteful_menu": {
        "returned nothing": """
def wasteful_menu():
    [Dish(f"tea {n}", [work("pour", 0.1), wait("brew", 2)]) for n in range(10)]
""",
        "nothing on your menu waits": """
def wasteful_menu():
    return [Dish(f"stew {n}", [work("stir", 9)]) for n in range(10)]
""",
        "one dish": """
def wasteful_menu():
    return [Dish("tea", [work("pour", 1), wait("brew", 20), work("serve", 1)])]
""",
        "is 1.16 times as long; it should be 2: the clock that parks takes 51.1 min, because the wait alone is 50": """
def wasteful_menu():
    return [Dish(f"tea {n}", [work("pour", 0.1), wait("brew", 50), work("serve", 0.1)]) for n in range(10)]
""",
        "because the waits of dough alone are 40": """
def wasteful_menu():
    soup = Dish("soup", [work("stir", 5)])
    return [soup, Dish("dough", [work("knead", 1), wait("rise", 20), work("knead", 1), wait("rise", 20)])]
""",
        "she works for 30 min with either clock": """
def wasteful_menu():
    return [Dish(f"tea {n}", [work("pour", 5), wait("brew", 10), work("serve", 5)]) for n in range(3)]
""",
        "is 1.19 times as long; it should be 2: the clock that parks takes 31 min": """
def wasteful_menu():
    dough = Dish("dough", [work("knead", 10)])
    return [dough, *(Dish(f"rest {n}", [wait("rise", 30)]) for n in range(4))]
""",
        "is 1.00 times as long; it should be 2: she never stares": """
def wasteful_menu():
    return [Dish("tea", [work("pour", 1), wait("nothing", 0)]), Dish("stew", [work("stir", 9)])]
""",
        "this is not a menu": """
def wasteful_menu():
    return [Dish("tea", [work("pour", 0.1), wait("brew", 2)]) for _ in range(10)]
""",
        "one can take in at a glance": """
def wasteful_menu():
    return [Dish(f"tea {n}", [work("pour", 0.1), wait("brew", 2)]) for n in range(1000)]
""",
        "nothing to cook": """
def wasteful_menu():
    return []
""",
    },
    "best_quantum": {
        "returned nothing": """
def best_quantum(dishes, switch_cost):
    simulate.threaded(dishes, 1, switch_cost, parked=True).makespan
""",
        "the dinner, turning is free: with 20": """
def best_quantum(dishes, switch_cost):
    quanta = [half / 2 for half in range(1, 13)]
    return max(simulate.threaded(dishes, quantum, switch_cost, parked=True).makespan for quantum in quanta)
""",
        "give `switch_cost` and `parked=True`": """
def best_quantum(dishes, switch_cost):
    quanta = [half / 2 for half in range(1, 13)]
    return min(quanta, key=lambda quantum: simulate.threaded(dishes, quantum, 0, parked=True).makespan)
""",
        "three teas, turning is free: with 3 min": """
def best_quantum(dishes, switch_cost):
    return 3
""",
        "Turning alone takes": """
def best_quantum(dishes, switch_cost):
    return 0.5 if switch_cost else 2
""",
        "a quantum is a number of minutes": """
def best_quantum(dishes, switch_cost):
    return [2, 3, 3.5, 4]
""",
        "No whole number is better: try the halves": """
def best_quantum(dishes, switch_cost):
    return min(range(1, 7), key=lambda q: simulate.threaded(dishes, q, switch_cost, parked=True).makespan)
""",
        "is not one of 0.5": """
def best_quantum(dishes, switch_cost):
    return 0
""",
    },
    "whose_turn": {
        "returned nothing": """
def whose_turn(ready, last):
    for dish in ready:
        if dish > last:
            return dish
""",
        "two turns in a row, at minutes 0 and 1": """
def whose_turn(ready, last):
    return ready[0]
""",
        "dish 2 was passed over": """
def whose_turn(ready, last):
    return next((dish for dish in ready if dish != last), last)
""",
        "you gave the cook to dish 1, which is WAITING until": """
menu = []

def whose_turn(ready, last):
    if last == -1:
        menu[:] = ready
    return menu[(last + 1) % len(menu)]
""",
        "you gave the cook to dish 0, which is WAITING until": """
def whose_turn(ready, last):
    later = [dish for dish in ready if dish > last]
    return later[0] if later else 0
""",
        "which is done": """
def whose_turn(ready, last):
    later = [dish for dish in ready if dish > last]
    return later[0] if later else last if len(ready) == 1 else ready[0]
""",
        "not in list": """
def whose_turn(ready, last):
    if last < 0:
        return ready[0]
    return ready[(ready.index(last) + 1) % len(ready)]
""",
        "return the number of one of those": """
def whose_turn(ready, last):
    return ready
""",
    },
    "clock": {
        "returned nothing": """
def clock(minutes, quantum, switch_cost):
    line = list(minutes.items())
    while line:
        name, left = line.pop(0)
""",
        "return a list of turns": """
def clock(minutes, quantum, switch_cost):
    return [(name, 0, quantum, left) for name, left in minutes.items()]
""",
        "stew goes on until 6": """
def clock(minutes, quantum, switch_cost):
    turns, now = [], 0
    for name, left in minutes.items():
        turns.append((name, now, now + left))
        now += left
    return turns
""",
        "toast goes on until 6, but should end at 5": """
def clock(minutes, quantum, switch_cost):
    line = list(minutes.items())
    turns, now = [], 0
    while line:
        name, left = line.pop(0)
        turns.append((name, now, now + quantum))
        if left > quantum:
            line.append((name, left - quantum))
        now += quantum
    return turns
""",
        "you have toast from 5 to 6, the model has stew": """
def clock(minutes, quantum, switch_cost):
    line = list(minutes.items())
    turns, now = [], 0
    while line:
        name, left = line.pop(0)
        turns.append((name, now, now + quantum))
        if left >= quantum:
            line.append((name, left - quantum))
        now += quantum
    return turns
""",
        "you have toast from 0 to 1, the model has stew": """
def clock(minutes, quantum, switch_cost):
    line = list(minutes.items())
    turns, now = [], 0
    while line:
        line.sort(key=lambda dish: dish[1])
        name, left = line.pop(0)
        end = now + min(left, quantum)
        turns.append((name, now, end))
        if left > quantum:
            line.append((name, left - quantum))
        now = end
    return turns
""",
        " not at 2: a switch costs 0.5": """
def clock(minutes, quantum, switch_cost):
    line = list(minutes.items())
    turns, now = [], 0
    while line:
        name, left = line.pop(0)
        end = now + min(left, quantum)
        turns.append((name, now, end))
        if left > quantum:
            line.append((name, left - quantum))
        now = end
    return turns
""",
        "the first turn begins at 0.5": """
def clock(minutes, quantum, switch_cost):
    line = list(minutes.items())
    turns, now = [], 0
    while line:
        name, left = line.pop(0)
        now += switch_cost
        end = now + min(left, quantum)
        turns.append((name, now, end))
        if left > quantum:
            line.append((name, left - quantum))
        now = end
    return turns
""",
        "only when she turns to another dish": """
def clock(minutes, quantum, switch_cost):
    line = list(minutes.items())
    turns, now = [], 0
    while line:
        name, left = line.pop(0)
        end = now + min(left, quantum)
        turns.append((name, now, end))
        if left > quantum:
            line.append((name, left - quantum))
        now = end + switch_cost
    return turns
""",
        "gets the cook at 1, but stew has her until 3": """
def clock(minutes, quantum, switch_cost):
    return [("stew", 0, 3), ("soup", 1, 4)]
""",
        "stew had the cook for 1 of its 6": """
def clock(minutes, quantum, switch_cost):
    turns, now = [], 0
    for name, left in minutes.items():
        turns.append((name, now, now + min(left, quantum)))
        now += min(left, quantum)
    return turns
""",
    },
}

RIGHT = {
    "wasteful_menu": [
        """
def wasteful_menu():
    steps = [work("a moment", 0.1), wait("a while", 0.9)] * 5
    return [Dish("a", steps), Dish("b", steps), Dish("c", steps), Dish("d", steps)]
""",
    ],
    "best_quantum": [
        """
def best_quantum(dishes, switch_cost):
    best, earliest = None, float("inf")
    for quantum in (6, 5.5, 5, 4.5, 4, 3.5, 3, 2.5, 2, 1.5, 1, 0.5):
        served = simulate.threaded(dishes, quantum, switch_cost, parked=True).makespan
        if served <= earliest:
            best, earliest = quantum, served
    return best
""",
    ],
    "whose_turn": [
        """
def whose_turn(ready, last):
    return min([dish for dish in ready if dish > last] or ready)
""",
        """
line = []

def whose_turn(ready, last):
    if last == -1:
        line.clear()
    line[:] = [dish for dish in line if dish in ready]
    line.extend(dish for dish in ready if dish not in line and dish != last)
    line.extend(dish for dish in ready if dish not in line)
    return line.pop(0)
""",
    ],
    "clock": [
        """
def clock(minutes, quantum, switch_cost):
    left, now, turns = dict(minutes), 0, []
    while any(left.values()):
        for name in left:
            if not left[name]:
                continue
            if turns and turns[-1][0] != name:
                now += switch_cost
            turn = min(quantum, left[name])
            left[name] -= turn
            turns.append([name, now, now + turn])
            now += turn
    return turns
""",
        """
def clock(minutes, quantum, switch_cost):
    line, now, last = list(minutes), 0, None
    left = dict(minutes)
    while line:
        name = line.pop(0)
        if last and last != name:
            now += switch_cost
        last, turn = name, min(quantum, left[name])
        yield name, now, now + turn
        now += turn
        left[name] -= turn
        if left[name]:
            line.append(name)
""",
    ],
}
