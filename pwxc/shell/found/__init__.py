"""Recognises in a script what it takes from its machine: software, launchers, containers, the scheduler's variables."""

from pwxc.shell.found.containers import ContainerCall, container_call, image_name
from pwxc.shell.found.script import flatten, recognise

__all__ = ["ContainerCall", "container_call", "flatten", "image_name", "recognise"]
