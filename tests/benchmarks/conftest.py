"""Whatever lies in this folder measures, and so runs alone."""


def pytest_itemcollected(item):
    item.add_marker("measured")
