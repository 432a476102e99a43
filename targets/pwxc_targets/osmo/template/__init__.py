"""From a file's Jinja text to the YAML that OSMO's service sees, and back to places and parameters."""
