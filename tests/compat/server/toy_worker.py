"""The program that workers under test run: toy node types, no torch."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))
    from host.services import Services
    from host.worker.process import work
    from tests.compat.server.worker_toys import worker_types

    sys.exit(
        work(Services(list, worker_types), int(sys.argv[1]), sys.argv[2], lambda device: {"type": "cpu"})
    )
