"""The rules that OSMO enforces on one task (osmo.md §11 to §17, §24, §25)."""

from __future__ import annotations

import re

from pwxc_targets.osmo import model
from pwxc_targets.osmo.reading import codes as C  # noqa: N812
from pwxc_targets.osmo.reading.check import Check
from pwxc_targets.osmo.reading.scalars import MOST_DIGITS, parse_quantity
from pwxc_targets.osmo.tokens import TOKEN

_PART = r"[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?"
IMAGE = re.compile(
    rf"(?:(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+(?=:\d+/))(?::\d+)?/)?"
    rf"{_PART}(?:/{_PART})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?(?:@[A-Za-z0-9_+.-]+:[0-9a-fA-F]+)?\Z"
)
_URL = re.compile(r"(?P<scheme>[a-z0-9]+)://(?P<rest>.*)\Z", re.DOTALL)
_LEAST_PARTS = {"s3": 1, "gs": 1, "swift": 3, "tos": 2, "azure": 2}
"""How many parts behind the scheme each kind of store needs (§12)."""
_EXIT_CODES = re.compile(r"\d+(?:-\d+(?:\d-\d+)*)?(?:,\d+(?:-\d+)?)*\Z")
r"""What OSMO's own `(\d+(-\d+)?)+(,\d+(-\d+)?)*` matches, without its exponential time."""
_DATASET = re.compile(r"(?:[\w{}-]+/)?[\w{}-]+(?::[\w{}.-]+)?\Z")
EXIT_ORDER = ("FAIL", "COMPLETE", "RESCHEDULE")
"""The order in which OSMO asks its exit actions: by the length of the word, whatever the file says (§15)."""


def check_task(check: Check, task: model.Task) -> None:
    """Report every rule of the service that a task breaks."""
    if not task.command:
        check.fault(C.NO_COMMAND, f"task `{task.name}` has no command", check.at(task, "command"))
    if task.name.lower().replace("_", "-") == "osmo-ctrl":
        check.fault(C.RESERVED_NAME, f"a task cannot be called `{task.name}`", check.at(task, "name"))
    if not IMAGE.match(task.image):
        check.fault(
            C.BAD_IMAGE, f"`{task.image}` is not an image", check.at(task, "image"), help=_image_help(task.image)
        )
    _check_data(check, task)
    _check_files(check, task)
    _check_exit_actions(check, task)
    _check_leftovers(check, task)
    for number, mount in enumerate(task.volume_mounts):
        if mount.count(":") > 1 or mount.endswith(":") or not mount.split(":")[0]:
            check.fault(C.BAD_MOUNT, f"`{mount}` is not a mount", check.at(task, "volumeMounts", number))


def _image_help(image: str) -> str:
    if TOKEN.search(image):
        return "special tokens are replaced later: they cannot stand in an image"
    if "://" in image:
        return f"without the scheme: `{image.partition('://')[2]}`"
    return "the path is in lower case" if image.lower() != image else ""


def _check_data(check: Check, task: model.Task) -> None:
    for item in task.inputs:
        given = [name for name in ("task", "url", "dataset") if getattr(item, name) is not None]
        _check_form(check, item, given, "task", "url")
        if item.url is not None:
            check_url(check, item, item.url)
        if item.dataset is not None:
            _check_dataset(check, item.dataset)
    for output in task.outputs:
        given = [name for name in ("url", "dataset", "update_dataset") if getattr(output, name) is not None]
        _check_form(check, output, given, "url")
        if output.url is not None:
            check_url(check, output, output.url)
        for dataset in (output.dataset, output.update_dataset):
            if dataset is not None:
                _check_dataset(check, dataset)
    for point in task.checkpoint:
        check_url(check, point, point.url)


def _check_form(check: Check, item: model.TaskInput | model.TaskOutput, given: list[str], *due: str) -> None:
    if len(given) == 1 and not (item.regex and given[0] in ("dataset", "update_dataset")):
        return
    wanted = " or ".join(f"`{name}`" for name in due)
    if not given:
        check.fault(C.INPUT_FORM, f"{wanted} is missing here", check.at(item))
    elif len(given) > 1:
        check.fault(C.INPUT_FORM, f"`{given[0]}` and `{given[1]}` cannot stand in one item", check.at(item, given[1]))
    else:
        check.fault(C.INPUT_FORM, "the `regex` of a dataset stands inside it", check.at(item, "regex"))


def check_url(check: Check, item: model.TaskInput | model.TaskOutput | model.Checkpoint, url: str) -> None:
    """Report a URL that is not of one of the five stores."""
    bare = TOKEN.sub("token", url)
    matched = _URL.match(bare)
    least = _LEAST_PARTS.get(matched["scheme"]) if matched else None
    if matched is None or least is None:
        scheme = url.partition("://")[0] if "://" in url else url
        known = ", ".join(f"`{name}://`" for name in _LEAST_PARTS)
        check.fault(
            C.BAD_URL, f"`{scheme}` is no kind of store that OSMO knows", check.at(item, "url"), help=f"one of {known}"
        )
        return
    parts = matched["rest"].rstrip("/").split("/")
    if len(parts) < least or not all(parts[:least]) or re.search(r"[,;*]", matched["rest"]):
        check.fault(C.BAD_URL, f"`{url}` is not a complete {matched['scheme']} address", check.at(item, "url"))


def _check_dataset(check: Check, dataset: model.DatasetRef | model.DatasetUpdate) -> None:
    if not _DATASET.match(dataset.name):
        check.fault(C.BAD_DATASET, f"`{dataset.name}` is not a dataset's name", check.at(dataset, "name"))


def _check_files(check: Check, task: model.Task) -> None:
    seen: set[str] = set()
    for file in task.files:
        first, *_ = file.path.lstrip("/").split("/")
        below_output = file.path.startswith("/osmo/data/output/")
        if not file.path.strip("/") or (first == "osmo" and not below_output):
            check.fault(C.FILE_PATH, f"a file cannot be put at `{file.path}`", check.at(file, "path"))
        if file.path in seen:
            message = f"task `{task.name}` has two files at `{file.path}`"
            check.fault(C.FILE_PATH, message, check.at(file, "path"))
        seen.add(file.path)
        if file.contents is not None and file.localpath is not None:
            check.fault(C.FILE_CONTENTS, "a file has `contents` or `localpath`, not both", check.at(file, "localpath"))
        elif file.contents is None and file.localpath is None:
            check.fault(C.FILE_CONTENTS, f"the file `{file.path}` has no `contents`", check.at(file, "path"))


def _check_exit_actions(check: Check, task: model.Task) -> None:
    claimed: dict[str, list[tuple[int, int]]] = {}
    for action, codes in task.exit_actions.items():
        span = check.at(task, "exitActions", action)
        if action.upper() not in EXIT_ORDER:
            known = ", ".join(f"`{word}`" for word in EXIT_ORDER)
            check.fault(C.EXIT_ACTION, f"`{action}` is no exit action", span, help=f"one of {known}")
        elif not _EXIT_CODES.match(codes) or any(len(number) > MOST_DIGITS for number in re.split("[,-]", codes)):
            message = f"`{codes[:80]}` is not a list of exit codes"
            check.fault(C.EXIT_CODES, message, span, help="numbers and ranges with commas and no blanks: `0,1-10`")
        else:
            ranges = parse_exit_codes(codes)
            for low, high in ranges:
                if low > high:
                    check.fault(C.EXIT_NOTHING, f"the range `{low}-{high}` matches no code", span)
            _check_overlap(check, task, action, ranges, claimed)
            claimed[action] = ranges


def _check_overlap(
    check: Check,
    task: model.Task,
    action: str,
    ranges: list[tuple[int, int]],
    claimed: dict[str, list[tuple[int, int]]],
) -> None:
    for other, taken in claimed.items():
        shared = next((max(a, c) for a, b in ranges for c, d in taken if max(a, c) <= min(b, d)), None)
        if shared is not None:
            winner = min((action.upper(), other.upper()), key=EXIT_ORDER.index)
            check.fault(
                C.EXIT_OVERLAP,
                f"exit code {shared} is claimed by `{other}` and `{action}`",
                check.at(task, "exitActions", action),
                help=f"OSMO takes {winner}",
            )


def parse_exit_codes(text: str) -> list[tuple[int, int]]:
    """Give the ranges of an exit code list that matches OSMO's pattern; `1-23-4` means 1 to 4, as in OSMO."""
    ranges = []
    for part in text.split(","):
        numbers = part.split("-")
        ranges.append((int(numbers[0]), int(numbers[-1])))
    return ranges


def _check_leftovers(check: Check, task: model.Task) -> None:
    if task.download_type not in (None, "download"):
        message = f"`downloadType` cannot be `{task.download_type}`"
        check.fault(C.BAD_VALUE, message, check.at(task, "downloadType"), help="only `download` is left")
    if task.cache_size is not None:
        size = task.cache_size
        percent = re.fullmatch(r"(\d+)%", size)
        if (percent and int(percent[1]) > 100) or (not percent and parse_quantity(size) is None):
            message = f"`{size}` is not a cache size"
            check.fault(C.BAD_VALUE, message, check.at(task, "cacheSize"), help="`2Gi`, or `50%`")
