"""``python3 -m kitchen``: see ``launch.py``."""

import sys

from kitchen.launch import main

sys.exit(main())
