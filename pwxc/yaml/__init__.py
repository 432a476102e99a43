"""Text to positioned nodes, nodes to models, and plain trees back to text."""
