"""The IR into ACTIVATE workflow files."""
