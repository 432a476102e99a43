"""The IR into batch scripts and a submit script."""
