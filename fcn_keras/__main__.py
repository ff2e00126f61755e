"""`python -m fcn_keras …`: see `cli`."""

import sys

from fcn_keras.cli import main

if __name__ == "__main__":
    sys.exit(main())
