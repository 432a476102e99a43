"""ACTIVATE's own rules."""
