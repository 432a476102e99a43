"""The rules of lint for batch scripts, one module for each part of a script."""
