"""Commands that take software from the machine: modules, environments, files that are read in (slurm.md §15, §19)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from pwxc.ir.found import SoftwareKind
from pwxc.shell.found.values import Word

_LOADS = frozenset(["load", "add", "try-load", "try-add", "load-any", "swap", "switch", "sw", "restore"])
_KEEPS = frozenset(["use", "unuse", "unload", "rm", "del", "remove", "purge", "reset", "refresh", "update", "unsetenv"])
_SHELLS_OF_MODULES = frozenset(["bash", "sh", "zsh", "ksh", "csh", "tcsh", "shell"])
_CONDA = frozenset(["conda", "mamba", "micromamba"])
_INIT_OF_MODULES = re.compile(
    r".*/(?:profile\.d/\w*(?:modules?|lmod)\w*\.c?sh|(?:init|etc)/(?:ba|z|k|c|tc)?sh|modules?\.sh|lmod\.sh)\Z", re.I
)
_CONDA_FOLDER = re.compile(r"(?:ana|mini|mamba|micro)?(?:conda|mamba|forge)\w*", re.I)
_STARTUP = re.compile(
    r"(?:.*/)?(?:\.(?:bashrc|bash_profile|profile|zshrc|bash_aliases|login|cshrc|tcshrc)|profile|bashrc)\Z"
)
_VENV = re.compile(r"(?P<folder>.*?)/?bin/activate(?:\.\w+)?\Z")
_MODULES = frozenset(["module", "ml", "modulecmd", "modulecmd.tcl", "lmod"])
_VALET = {"vpkg_require": "load", "vpkg_devrequire": "load"}


@attrs.frozen
class Taking:
    """What a command takes: the kind, names, what is done with them, and whether it only readies the shell."""

    kind: SoftwareKind
    names: tuple[str, ...]
    verb: str
    prepares: bool = False


def taking(words: Sequence[Word], made: set[str]) -> Taking | None:
    """Give what a command takes from the machine; `made` are folders of environments that the script makes itself."""
    program, rest = words[0].program, [word.value for word in words[1:]]
    if program in _MODULES:
        return _module(program, rest)
    if program in _VALET:
        return Taking(SoftwareKind.MODULE, _plain(rest), _VALET[program])
    if program in _CONDA:
        return _conda(rest)
    if program in ("source", "."):
        return _source(rest, made)
    if program in ("spack", "spacktivate"):
        return _spack(["env", "activate", *rest] if program == "spacktivate" else rest)
    if program in ("workon", "pyenv") and rest:
        names = (
            rest[1:] if program == "pyenv" and rest[0] in ("activate", "shell") else rest if program == "workon" else []
        )
        return Taking(SoftwareKind.VIRTUALENV, _plain(names), "activate") if names else None
    if program == "scl" and rest[:1] == ["enable"]:
        return Taking(SoftwareKind.SETUP, _plain(rest[1:2]), "enable")
    return None


def _plain(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word and not word.startswith("-"))


def _module(program: str, words: list[str]) -> Taking | None:
    if program in ("modulecmd", "modulecmd.tcl", "lmod") and words[:1] and words[0] in _SHELLS_OF_MODULES:
        words = words[1:]
    while (words and words[0].startswith("--")) or words[:1] in (["-q"], ["-s"], ["-f"], ["-w"]):
        words = words[1:]
    if (
        program == "ml"
        and words
        and words[0] not in _LOADS | _KEEPS | {"av", "avail", "list", "spider", "show", "save"}
    ):
        names = _plain(words)
        return Taking(SoftwareKind.MODULE, names, "load" if names else "unload", not names)
    verb = words[0] if words else "list"
    names = _plain(words[1:])
    if verb in ("swap", "switch", "sw"):
        return Taking(SoftwareKind.MODULE, names[-1:], "swap")
    if verb in _LOADS:
        return Taking(SoftwareKind.MODULE, names, "restore" if verb == "restore" else "load")
    return Taking(SoftwareKind.MODULE, names if verb == "use" else (), verb, prepares=True)


def _conda(words: list[str]) -> Taking | None:
    verb = next((word for word in words if not word.startswith("-")), "")
    rest = words[words.index(verb) + 1 :] if verb else []
    if verb == "activate":
        return Taking(
            SoftwareKind.CONDA, _plain(rest)[:1] or _option(rest, "-n", "--name", "-p", "--prefix"), "activate"
        )
    if verb == "run":
        return Taking(SoftwareKind.CONDA, _option(rest, "-n", "--name", "-p", "--prefix"), "run")
    if verb.startswith("shell"):
        return Taking(SoftwareKind.CONDA, (), "hook", prepares=True)
    if verb in ("deactivate", "init"):
        return Taking(SoftwareKind.CONDA, (), verb, prepares=True)
    return None


def _option(words: Sequence[str], *names: str) -> tuple[str, ...]:
    for number, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            return (value,) if equals else tuple(words[number + 1 : number + 2])
    return ()


def _source(words: list[str], made: set[str]) -> Taking | None:
    if not words or words[0].startswith(("<(", "-")):
        return None
    file, rest = words[0], words[1:]
    name = file.rpartition("/")[2]
    if name == "activate" and "/" not in file:
        return Taking(SoftwareKind.CONDA, _plain(rest), "activate")
    if name == "deactivate":
        return Taking(SoftwareKind.CONDA, (), "deactivate", prepares=True)
    if name in ("conda.sh", "mamba.sh", "micromamba.sh", "conda.csh"):
        return Taking(SoftwareKind.CONDA, (), "source", prepares=True)
    if (found := _VENV.fullmatch(file)) is not None:
        return _activated(found["folder"], rest, made)
    if name == "scl_source":
        return Taking(SoftwareKind.SETUP, _plain(rest[1:]), "enable")
    if _INIT_OF_MODULES.fullmatch(file):
        return Taking(SoftwareKind.MODULE, (), "source", prepares=True)
    if name in ("setup-env.sh", "setup-env.csh"):
        return Taking(SoftwareKind.SPACK, (), "source", prepares=True)
    if folder_key(file) in made:
        return None
    return Taking(SoftwareKind.SETUP, (file,), "source", prepares=_STARTUP.fullmatch(file) is not None)


def _activated(folder: str, rest: Sequence[str], made: set[str]) -> Taking | None:
    if rest and not rest[0].startswith("-"):
        return Taking(SoftwareKind.CONDA, (rest[0],), "activate")
    if folder_key(folder) in made:
        return None
    if _CONDA_FOLDER.fullmatch(folder.rstrip("/").rpartition("/")[2]):
        return Taking(SoftwareKind.CONDA, (), "activate", prepares=True)
    return Taking(SoftwareKind.VIRTUALENV, (folder,), "activate")


def _spack(words: list[str]) -> Taking | None:
    words = [word for word in words if not word.startswith("--")]
    if words[:1] == ["load"]:
        return Taking(SoftwareKind.SPACK, _plain(words[1:]), "load")
    if words[:2] == ["env", "activate"]:
        return Taking(SoftwareKind.SPACK, _plain(words[2:]), "activate")
    if words[:1] in (["unload"], ["env"]):
        return Taking(SoftwareKind.SPACK, (), words[0], prepares=True)
    return None


def folder_key(text: str) -> str:
    """Give a folder or file in the form in which two spellings of it are the same."""
    return text.removeprefix("./").rstrip("/")


def makes(words: Sequence[Word]) -> str | None:
    """Give the folder of the environment that a command makes (`python -m venv DIR`)."""
    program, rest = words[0].program, [word.value for word in words[1:]]
    if re.fullmatch(r"(?:python|pypy)[\d.]*", program) and "-m" in rest:
        place = rest.index("-m")
        if rest[place + 1 : place + 2] not in (["venv"], ["virtualenv"]):
            return None
        rest = rest[place + 2 :]
    elif program == "uv" and rest[:1] == ["venv"]:
        rest = rest[1:] or [".venv"]
    elif program not in ("virtualenv", "pyvenv"):
        return None
    folders = _plain([word for number, word in enumerate(rest) if number == 0 or rest[number - 1] not in _VENV_VALUES])
    return folder_key(folders[0]) if folders else None


_VENV_VALUES = ("-p", "--python", "--prompt", "--app-data", "--extra-search-dir")
