"""What outputs of a page share stands in it once."""

from kitchen import dinner, simulate
from kitchen.views import assets
from kitchen.views.player import Player


def test_what_is_packed_stands_in_the_first_output_that_has_it_and_only_once_in_that():
    packed, _ = assets.packed()
    html, had = Player(simulate.sync(dinner())).html(), set()
    first = assets.once(html + html, had)
    assert first.count(packed) == 1
    assert first.index(packed) < len(html)
    assert packed not in assets.once(html, had)
    assert assets.once(html, had) == html.replace(packed, "")
