"""Answers to the exercises that are known to be wrong, and right ones besides the solutions: a file per notebook."""
