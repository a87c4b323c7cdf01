"""`python -m apportion`: the command line, where its script is not on the path."""

import sys

from apportion.cli import main

sys.exit(main())
