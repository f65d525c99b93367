"""Measurements of the chargers' side, side by side with peers in one run."""
