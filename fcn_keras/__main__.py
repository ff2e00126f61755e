"""`python -m fcn_keras …`: see `command_line`."""

import sys

from fcn_keras.command_line.parser import main

if __name__ == "__main__":
    sys.exit(main())
