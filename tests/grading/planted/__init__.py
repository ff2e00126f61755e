"""Wrong answers to the assignments, one module each; `test_checks.py` and `test_assignments.py` use them."""
