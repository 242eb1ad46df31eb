"""How many contract checks each detector has: `python tests/contract/count.py`."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from oddgan.detectors import classes


def main() -> None:
    """Collect, group by the class named in each test's id, and print a table."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", str(Path(__file__).parent)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    names = Counter(m.group(1) for m in re.finditer(r"\[(\w+)", listed) if m.group(1) in classes())
    for name, number in sorted(names.items()):
        sys.stdout.write(f"{name:24}{number:5}\n")


if __name__ == "__main__":
    main()
