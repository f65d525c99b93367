"""Pieces that several pages share: they take values or Vars and know no state."""
