"""How a reader predicts, plays, and is judged."""
