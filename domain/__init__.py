"""The house: users, wallets, chargers and charging sessions, and the rules that money and energy obey."""
