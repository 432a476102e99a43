"""Folders that the writer made, back into the workflow."""
