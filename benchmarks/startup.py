"""How long until something happens? A new Python each time; medians of seven.

python benchmarks/startup.py
"""

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
        found[name] = median_seconds(
            lambda given=arguments: subprocess.run(
                [sys.executable, *given], capture_output=True, check=True
            ),
            7,
        )
        print(f"python {' '.join(arguments):<40}{found[name]:.2f} s", flush=True)
    keep("startup", **found)
