"""The domain: users, wallets, chargers and charging sessions, and the rules that money and energy obey."""

VERSION = "0.1.0"
"""Of the product, as in pyproject.toml."""
