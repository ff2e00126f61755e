"""`python -m fcn_keras …`: `parser` reads what was typed, `commands` does it."""
