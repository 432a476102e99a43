"""What a workflow means: the reference machine, and whether two workflows mean the same (docs/semantics.md)."""
