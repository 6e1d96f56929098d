"""The exercises: one file per notebook, named as the notebook is. `exercise.py` is what they are made with."""
