"""The product of several processes behind one address, in a real browser."""
