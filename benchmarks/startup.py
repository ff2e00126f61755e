"""How long do an import and a command take to start? Medians of seven, each in a new Python.

Run it with `python benchmarks/startup.py`.
"""

import functools
import subprocess
import sys

from measuring import keep, median_seconds

COMMANDS = {
    "python": ["-c", "pass"],
    "import": ["-c", "import fcn_keras"],
    "help": ["-m", "fcn_keras", "--help"],
    "models": ["-c", "import fcn_keras; fcn_keras.models"],
    "figures": ["-m", "fcn_keras", "figures", "--list"],
}

if __name__ == "__main__":
    found = {}
    for name, arguments in COMMANDS.items():
        command = [sys.executable, *arguments]
        run = functools.partial(subprocess.run, command, capture_output=True, check=True)
        found[name] = median_seconds(run, 7)
        print(f"python {' '.join(arguments):<40}{found[name]:.2f} s", flush=True)
    keep("startup", **found)
