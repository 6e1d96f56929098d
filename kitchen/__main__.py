"""``python3 -m kitchen``: see ``commands/launch.py``."""

import sys

from kitchen.commands.launch import main

sys.exit(main())
