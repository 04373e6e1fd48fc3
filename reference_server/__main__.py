"""`python -m reference_server`."""

import sys

from reference_server.command import main

sys.exit(main())
