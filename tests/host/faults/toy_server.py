"""A whole server with toy node types, to be killed: `toy_server.py HOME` prints its address."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent.parent.parent))
    from host.server.serving import serve
    from tests.host.serving import SERVICES, settings_for

    sys.exit(serve(SERVICES, settings_for(Path(sys.argv[1]))))
