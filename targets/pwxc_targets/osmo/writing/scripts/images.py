"""The image in which a script starts its commands, if that can be the image of the whole task (slurm.md §15)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import attrs

from pwxc.ir.found import Found, Launch
from pwxc.ir.resources import Container
from pwxc.ir.template import Template
from pwxc.shell import quote
from pwxc.shell.found.containers import image_name, is_file
from pwxc.shell.words import tokenize
from pwxc_targets.osmo.reading.taskrules import IMAGE
from pwxc_targets.osmo.writing import codes as C  # noqa: N812
from pwxc_targets.osmo.writing.scripts.launcher import Part, constants, is_container, parts_of, shown
from pwxc_targets.osmo.writing.scripts.marked import Edit, Told, readable
from pwxc_targets.osmo.writing.scripts.prologue import is_idle

_HERE = re.compile(r"(?:\$PWD|\$\{PWD\}|\$\(pwd\)|`pwd`|\.|\$\{?SLURM_SUBMIT_DIR\}?)/?\Z")
_FOLDER = re.compile(r"/[^\s:$`'\"*?]*\Z")
_ELSEWHERE = re.compile(r"(?:oras|library|shub)://")
"""Schemes of images in registries that are no OCI images."""
_LOCAL = re.compile(r"(?:docker-archive|docker-daemon|podman-daemon|dockerd|podman|oci-archive|oci|dir|file|instance):")
"""Schemes of what is stored or runs on the machine."""
_MADE = re.compile(r"(?:apptainer|singularity) (?:pull|build)|enroot (?:import|create)")


@attrs.define
class Choice:
    """What becomes of the containers of a script.

    With an `image` the runtimes go out of the text; without one every call of them stays.
    """

    image: Template | None = None
    mounts: list[str] = attrs.field(factory=list)
    lines: list[str] = attrs.field(factory=list)
    """What the script does first, in the folder of the task."""
    edits: list[Edit] = attrs.field(factory=list)
    told: list[Told] = attrs.field(factory=list)
    kept: list[Launch] = attrs.field(factory=list)
    """Launches that stay as they are because of their container."""

    @property
    def container(self) -> Container | None:
        """The container of the task."""
        return None if self.image is None else Container(image=self.image, mounts=tuple(dict.fromkeys(self.mounts)))


def choose(text: str, found: Found, own: Container | None, fold: Callable[[Template], str]) -> Choice:
    """Choose the image of a task by its script.

    `own` is the container that the task has already; `fold` gives a template's text with the inputs' defaults.
    """
    calls = [launch for launch in found.launches if launch.container is not None]
    choice = Choice()
    if not calls:
        return choice
    faults = {id(launch): _fault(launch, text, fold) for launch in calls}
    images = {_image(launch) for launch in calls if faults[id(launch)] is None}
    if own is not None:
        images.add(image_name(own.image.literal or "") or own.image)
    stays = any(fault is not None for fault in faults.values())
    for launch in calls:
        fault = faults[id(launch)]
        if fault is None and len(images) > 1:
            fault = "the script uses several images, and a task has one: make a task for each"
        elif fault is None and stays:
            fault = "another call of the script has to stay, and with it the machine around this one"
        if fault is not None:
            choice.kept.append(launch)
            choice.told.append(Told(C.CONTAINER_CALL, f"`{shown(launch, text)}`: {fault}", launch.span, manual=True))
    if choice.kept:  # a runtime that stays needs the machine around it
        return choice
    _take(choice, text, found, calls)
    return choice


def _image(launch: Launch) -> object:
    assert launch.container is not None
    literal = launch.container.image.literal
    return launch.container.image if literal is None else literal


def _fault(launch: Launch, text: str, fold: Callable[[Template], str]) -> str | None:
    """Say why a call cannot be taken out of the script."""
    container = launch.container
    assert container is not None
    literal = fold(container.image)
    layers = [part for part in parts_of(launch, text) if is_container(part.layer)]
    if "$" in literal or "`" in literal or not literal:
        return "its image is known only in the run: name it with `osmo.image`, and call the command itself"
    shown_image = f"`{readable(literal)}`"
    if _ELSEWHERE.match(literal):
        advice = "build one, push it to a registry, and name it there"
        return f"{shown_image} is in a registry, but is no OCI image, the only kind that OSMO starts: {advice}"
    if _is_local(literal) or any(_names_folder(part, literal) for part in layers):
        return f"{shown_image} is a file of the machine: push the image to a registry, and name it there"
    if IMAGE.match(literal) is None:
        return f"{shown_image} is no image as registries name them: push it to one, and name it there"
    if launch.command >= launch.end:
        return "the image starts a command of its own: write down which"
    if launch.entrypoint and not any(part.layer.program in ("docker", "podman") for part in layers):
        return "the image's own entry point is started, which OSMO never does: write down its command"
    if not all(part.understood for part in layers):
        return "an option of the runtime is not understood"
    return None


def _is_local(name: str) -> bool:
    return is_file(name) or name.startswith(".") or _LOCAL.match(name) is not None


def _names_folder(part: Part, literal: str) -> bool:
    """Whether a call of Apptainer names its image without a scheme: it is then a file or folder, whatever its form."""
    if part.layer.program not in ("apptainer", "singularity"):
        return False
    words = constants(part.text).words(tokenize(part.text[part.layer.start : part.layer.command], part.layer.start))
    return bool(words) and words[-1].value == literal


def _take(choice: Choice, text: str, found: Found, calls: Sequence[Launch]) -> None:
    first = calls[0].container
    assert first is not None
    choice.image = first.image
    for launch in calls:
        assert launch.container is not None
        for mount in launch.container.mounts:
            _mount(choice, mount, launch, text)
    for use in found.calls:
        if _MADE.fullmatch(use.name):
            choice.edits.append(Edit(use.start, use.start, ": "))
    if not is_idle(text, found, within=calls):
        message = f"what the script does outside of its containers runs in `{first.image.literal or 'the image'}` too"
        choice.told.append(Told(C.SCRIPT_IMAGE, message, calls[0].span))


def _mount(choice: Choice, mount: str, launch: Launch, text: str) -> None:
    source, _, rest = mount.partition(":")
    target = rest.partition(":")[0] if not rest.startswith(("ro", "rw")) else ""
    target = target or source
    if _FOLDER.match(source) and _FOLDER.match(target):
        choice.mounts.append(source if source == target else f"{source}:{target}")
    elif _HERE.match(source) and (_HERE.match(target) or source == target):
        return
    elif _HERE.match(source) and _FOLDER.match(target):
        line = f'[ -e {quote(target)} ] || ln -s "$PWD" {quote(target)} || exit 1'
        choice.lines += [] if line in choice.lines else [line]
    else:
        message = f"`{readable(mount)}`: the folder is known only in the run"
        choice.told.append(Told(C.BIND, message, launch.span, manual=True))
