"""The systems that pwxc reads and writes, one folder each."""
