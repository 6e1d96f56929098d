"""The exercises: one file per notebook, named as the notebook is. `exercise.py` and `pages.py` are what they are made with."""
