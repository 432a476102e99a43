"""The core's rows of the catalogue; each target has its own in `codes.py` of its folder.

PWX0xxx files and options · PWX1xxx text and YAML · PWX2xxx reading (21 osmo, 22 pw, 23 torc, 24 slurm) ·
PWX3xxx what was kept and lost (31 osmo, 32 pw, 33 torc, 34 slurm as the target) · PWX4xxx lint (41 … 44 likewise).
"""

from __future__ import annotations

from pwxc.diagnostics.code import error, note, warning

UNREADABLE_FILE = error(
    "PWX0001",
    "unreadable-file",
    "A file that was named on the command line cannot be opened or read.",
    "Check the path and its permissions. `-` reads standard input.",
    "pwxc compile missing.yaml --to pw",
)
UNKNOWN_DIALECT = error(
    "PWX0002",
    "unknown-dialect",
    "No installed target has this name.",
    "`pwxc targets` lists the systems that are installed.",
    "pwxc compile train.yaml --to slrum",
)
UNGUESSABLE = error(
    "PWX0003",
    "cannot-tell-the-dialect",
    "The text looks like none of the known systems, so it is not clear how to read it.",
    "Name the system with `--from`.",
    "pwxc lint notes.txt",
)
BAD_OPTION = error(
    "PWX0004",
    "bad-option",
    "An `--option`, `--set` or `--allow` is not of the form that is expected, or names something unknown.",
    "`pwxc targets` lists the options of each system; values are written `name=value`.",
    "pwxc compile train.yaml --to torc --option torc.version=9",
)
CANNOT_WRITE = error(
    "PWX0005",
    "cannot-write",
    "An output file could not be written. No file was changed in part: each is replaced as a whole or not at all.",
    "Check the folder and the free space.",
    "pwxc compile train.yaml --to pw -o /read-only/workflow.yaml",
)
GUESSED = note(
    "PWX0006",
    "guessed-dialect",
    "The source's system was guessed from its content, and reading it as that system failed.",
    "If the guess is wrong, name the system with `--from`.",
    "pwxc compile train.yaml --to pw        # guessed to be OSMO, and it is not",
)
NOT_READABLE = error(
    "PWX0007",
    "no-reader-or-writer",
    "The target that was asked for cannot read, or cannot write.",
    "`pwxc targets` says what each system can do.",
    "pwxc compile plan.toy --to toy         # a plug-in that only reads",
)
INTERNAL = error(
    "PWX0999",
    "internal-error",
    "pwxc itself failed. This is a fault of the compiler, not of the file.",
    "Please report it with the file that causes it. `PWXC_DEBUG=1` prints where it happened.",
    "internal error: KeyError: 'x'",
)

NOT_TEXT = error(
    "PWX1001",
    "not-text",
    "The file is not UTF-8 text: it has bytes that cannot be decoded, or NUL or other control characters.",
    "Save the file as UTF-8. A file of an editor on Windows may be UTF-16.",
    "name: caf\\xe9      # Latin-1 where UTF-8 is due",
)
OTHER_ENCODING = warning(
    "PWX1014",
    "other-encoding",
    "The file is not UTF-8 text. Its system takes it byte for byte, but the one that is written does not.",
    "Save the file as UTF-8 if characters come out wrong.",
    "# the comment of a batch script in Latin-1: caf\\xe9",
)
TOO_LARGE = error(
    "PWX1002",
    "too-large",
    "The text is larger than the limit, which protects against files that were never meant to be workflows.",
    "Split the workflow.",
    "# a log of 300 MB that was named by mistake",
)
TOO_DEEP = error(
    "PWX1003",
    "too-deep",
    "Lists and maps are nested deeper than any workflow language needs.",
    "Look for brackets or indentation that were opened and never closed.",
    "a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[ … ]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
)
TOO_MANY_NODES = error(
    "PWX1004",
    "too-many-nodes",
    "The document has more values than the limit.",
    "Split the workflow, or use the language's own loops.",
    "values: [1, 2, 3, …]      # millions of them",
)
ALIAS_BOMB = error(
    "PWX1005",
    "alias-expansion",
    "Aliases repeat aliases so often that the document would be far larger than its text, or an alias contains itself.",
    "Write the values out, or refer to each anchor once.",
    "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]",
)
YAML_SYNTAX = error(
    "PWX1006",
    "yaml-syntax",
    "The text is not YAML.",
    "Check indentation, quotes and colons near the place that is marked.",
    "key: value: another",
)
DUPLICATE_KEY = error(
    "PWX1007",
    "duplicate-key",
    "A map has the same key twice. YAML forbids it; loaders keep one of the values and drop the other without a word.",
    "Remove one of the two. `--allow PWX1007` keeps the last one, as most loaders do.",
    "name: a\nname: b",
)
EMPTY_DOCUMENT = error(
    "PWX1008",
    "empty-document",
    "The file has no content.",
    "Check that the right file was given.",
    "# only a comment",
)
SEVERAL_DOCUMENTS = error(
    "PWX1009",
    "several-documents",
    "The file has more than one YAML document; a workflow is one.",
    "Split the file, or remove the stray `---`.",
    "name: a\n---\nname: b",
)
WRONG_TYPE = error(
    "PWX1010",
    "wrong-type",
    "A value has another type than the language asks for here.",
    "Write a value of the type that the message names.",
    "command: sleep    # a list is due: [sleep]",
)
UNKNOWN_KEY = error(
    "PWX1011",
    "unknown-key",
    "The language has no such key here.",
    "Correct the spelling, or remove the key.",
    "workflow:\n  tasks:\n  - {name: a, image: ubuntu:24.04, comand: [make]}",
)
MISSING_KEY = error(
    "PWX1012",
    "missing-key",
    "A key that the language requires is absent.",
    "Add it.",
    "workflow:\n  tasks:\n  - {name: a, command: [make]}      # `image` is missing",
)
UNKNOWN_KEY_KEPT = warning(
    "PWX1013",
    "unknown-key-kept",
    "The language has no such key here. It is kept for the way back into the same language.",
    "Correct the spelling, or remove the key.",
    "jobs:\n- {name: a, command: make, colour: red}",
)

NOT_CARRIED = error(
    "PWX3001",
    "not-carried",
    "The target's writer took no notice of this part of the workflow, so it is not in the output.",
    "Leave it out of the source, or allow the loss with `--allow PWX3001` or `--lossy`.",
    "task a: `novelty` is not carried into the output",
)
