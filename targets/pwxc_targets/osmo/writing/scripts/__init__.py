"""Scripts of machines with a scheduler, made ready for a container: software, launchers, variables (slurm.md §21)."""
