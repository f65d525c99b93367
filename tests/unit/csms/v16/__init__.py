"""Unit tests of what OCPP 1.6 messages mean."""
