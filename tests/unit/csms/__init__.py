"""Unit tests of the CSMS."""
