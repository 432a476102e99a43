"""Following a shell script: its commands, branches and loops, on values that are known or marked."""
