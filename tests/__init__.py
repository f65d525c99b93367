"""Tests; a package, so that they share what tests/databases.py and tests/e2e/shots.py offer."""
