"""One batch script as `sbatch` reads it."""
