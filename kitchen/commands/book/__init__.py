"""``python3 -m kitchen book [DIR]``: the notebooks as a web site that needs no kernel, no server and no network."""
