"""The writer of OSMO workflow files."""
