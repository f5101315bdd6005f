"""The program that workers of servers under test run: toy node types, no torch."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent.parent))
    from host.services import Services
    from host.worker.process import work
    from tests.host.toys import toy_types

    sys.exit(work(Services(list, toy_types), int(sys.argv[1]), sys.argv[2], lambda device: {"type": "cpu"}))
