"""Templates read as they are written: loops over tasks as sweeps, conditions as conditions (docs/architecture.md)."""
