"""Answers to the exercise of notebook 00."""

WRONG = {
    "side_dish": {
        "takes 6 minutes": 'def side_dish():\n    return [Dish("rice", [work("wash", 2), wait("boil", 4)])]',
        "needs the cook for 5 minutes": 'def side_dish():\n    return [Dish("rice", [work("wash", 5)])]',
        "returned nothing": 'def side_dish():\n    [Dish("rice", [work("wash", 2), wait("boil", 3)])]',
        "this is not a menu": 'def side_dish():\n    return Dish("rice", [work("wash", 2), wait("boil", 3)])',
        "the number of dishes on this menu is 2": """
def side_dish():
    return [Dish("rice", [work("wash", 2)]), Dish("tea", [wait("brew", 3)])]
""",
        "raised NameError": "def side_dish():\n    return [Plate()]",
    }
}
RIGHT = {
    "side_dish": ['def side_dish():\n    return (Dish("tea", [work("pour", 0.5)] * 4 + [wait("brew", 1.5)] * 2),)']
}
