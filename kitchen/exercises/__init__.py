"""The exercises: a file per notebook, named as it is. `exercise.py` and `pages.py` are what they are made with."""
