"""python -m o2b.servers: stop what a killed process left running; refuse when it is in use."""

import sys

from o2b.servers.embedded import stop_left_over
from o2b.servers.home import Home
from o2b.servers.trouble import ServerTrouble

try:
    if not stop_left_over(Home.from_environment()):
        sys.exit("O2B: somebody still uses these servers; stop that first.")
except ServerTrouble as trouble:
    sys.exit(f"O2B: {trouble}")
