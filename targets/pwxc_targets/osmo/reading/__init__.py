"""OSMO's specifications into the IR."""
