"""The one place that quotes, renders and reads shell text."""

from pwxc.shell.quote import delimiter, is_variable_name, quote
from pwxc.shell.text import Names, ShellText

__all__ = ["Names", "ShellText", "delimiter", "is_variable_name", "quote"]
