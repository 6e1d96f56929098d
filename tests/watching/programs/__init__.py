"""Small asyncio programs: coroutine functions, named for what they show, that write what happens into a list."""

PROGRAMS = {}


def program(function):
    """Adds a program: it is given the list."""
    assert function.__name__ not in PROGRAMS
    PROGRAMS[function.__name__] = function
    return function
