"""What words become: expansion, arithmetic, patterns, and the filters that work on texts."""
