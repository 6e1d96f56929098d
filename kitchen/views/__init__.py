"""How a Timeline is drawn: on paper, in the page, while it grows, with sliders."""
