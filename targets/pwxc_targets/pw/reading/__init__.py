"""ACTIVATE workflow files into the IR."""
