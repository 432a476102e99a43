"""Commands that run inside an image: the container runtimes of machines (slurm.md §15)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import attrs

from pwxc.shell.found.launchers import Call
from pwxc.shell.found.options import Table, take
from pwxc.shell.found.values import Values, Word
from pwxc.shell.words import Token

_APPTAINER = Table.of(
    "add-caps allow-setuid-caps app apply-cgroups authfile bind blkio-weight blkio-weight-device config "
    "cpu-shares cpus cpuset-cpus cpuset-mems cwd device dns docker-host drop-caps env env-file fusemount home "
    "hostname memory memory-reservation memory-swap mount net-args network network-args no-mount nvccli-args "
    "overlay pem-path pids-limit pwd scratch security shm-size workdir",
    "allow-setuid boot cleanenv compat contain containall debug disable-cache docker-login fakeroot hostfs ipc "
    "keep-privs net no-cleanenv no-eval no-home no-https no-init no-oci no-pid no-privs no-tmp-sandbox "
    "no-umask nocolor nohttps nv nvccli oci oom-kill-disable passphrase pid quiet rocm rw sharens silent "
    "tmp-sandbox underlay unsquash userns uts verbose vm vm-err writable writable-tmpfs nocolor system-session "
    "user-session keyring",
    "",
    "B=bind C=containall H=home S=scratch W=workdir a=app c=contain d=debug e=cleanenv f=fakeroot i=ipc n=net "
    "o=overlay p=pid q=quiet s=silent u=userns v=verbose w=writable",
)  # fmt: skip
_DOCKER = Table.of(
    "add-host annotation attach authfile blkio-weight cap-add cap-drop cdi-spec-dir cgroup-parent cgroupns "
    "cidfile conmon-pidfile config context cpu-period cpu-quota cpu-shares cpus cpuset-cpus cpuset-mems creds "
    "decryption-key device device-cgroup-rule dns dns-option dns-search domainname entrypoint env env-file "
    "env-merge expose gidmap gpus group-add group-entry health-cmd hooks-dir host hostname hostuser "
    "image-volume init-path ip ip6 ipc isolation label label-file link log-driver log-level log-opt "
    "mac-address memory memory-reservation memory-swap memory-swappiness module mount name net network "
    "network-alias oom-score-adj passwd-entry pid pids-limit platform pod preserve-fds publish pull requires "
    "restart root rootfs-propagation runroot runtime sdnotify seccomp-policy secret security-opt shm-size "
    "stop-signal stop-timeout storage-driver storage-opt subgidname subuidname sysctl systemd timeout tmpfs tz "
    "uidmap ulimit umask unsetenv user userns uts variant volume volume-driver volumes-from workdir",
    "detach gpu help init interactive mpi no-healthcheck no-hosts oom-kill-disable privileged publish-all "
    "quiet read-only replace rm rmi rootfs tls-verify tty cuda-mpi nccl openmpi-pmi2 cvmfs scratch",
    "",
    "a=attach c=cpu-shares d=detach e=env h=hostname i=interactive l=label m=memory p=publish P=publish-all "
    "q=quiet t=tty u=user v=volume w=workdir",
)  # fmt: skip
_SHIFTER = Table.of(
    "env env-file image module user volume workdir",
    "clearenv entrypoint help verbose",
    "entrypoint",
    "E=clearenv V=volume e=env i=image m=module v=verbose w=workdir",
)
_ENROOT = Table.of("conf env mount rc", "root rw", "", "c=rc e=env m=mount r=root w=rw")
_SARUS = Table.of(
    "annotation device env mount name workdir",
    "centralized-repository entrypoint glibc init mpi no-kill pid ssh tty",
    "entrypoint mpi mpi-type writable-volatile",
    "e=env m=mpi t=tty w=workdir n=name",
)
_CHARLIECLOUD = Table.of(
    "bind cd gid join-ct join-pid join-tag set-env storage uid unset-env",
    "cdi device fake-syslog home no-home no-passwd private-tmp seccomp unsafe verbose write write-fake",
    "join set-env env-no-expand",
    "b=bind c=cd g=gid u=uid j=join s=storage t=private-tmp v=verbose w=write W=write-fake m=unsafe",
)
_UDOCKER = Table.of(
    "cpuset-cpus dri device env env-file entrypoint hostname name platform publish pull user volume workdir",
    "allow-root bindhome containerauth dri hostauth hostenv nobanner nometa nosysdirs novol rm detach interactive tty",
    "",
    "d=detach e=env h=hostname i=interactive t=tty u=user v=volume w=workdir p=publish",
)
_DOCKERS = frozenset(["docker", "podman", "podman-hpc", "nvidia-docker", "nerdctl"])
_SCHEMES = re.compile(r"docker:(?://)?(?!/)|dockerhub://")


def is_file(text: str) -> bool:
    """Whether the name of an image is that of a file."""
    return text.startswith(("/", "./", "../", "~")) or text.endswith((".sif", ".simg", ".img", ".sqsh", ".squashfs"))


def image_name(text: str) -> str:
    """Give the name of an image without a scheme of the runtime, as registries have it; a path stays as it stands.

    pyxis and enroot write `[USER@]REGISTRY#IMAGE:TAG` (slurm.md §15).
    """
    if is_file(text) or text.startswith("$"):
        return text
    name = _SCHEMES.sub("", text, count=1) if _SCHEMES.match(text) else text
    if "#" in name:
        registry, _, rest = name.partition("#")
        return f"{registry.rpartition('@')[2]}/{rest}"
    return name


def _items(words: Sequence[Word]) -> list[str]:
    return [item for word in words for item in word.value.split(",") if item]


def _mount_items(words: Sequence[Word]) -> list[str]:
    """Give mounts that are written as `type=bind,source=A,target=B` the short way."""
    found = []
    for word in words:
        pairs = dict(item.partition("=")[::2] for item in word.value.split(","))
        source = pairs.get("source", pairs.get("src", ""))
        target = pairs.get("target", pairs.get("destination", pairs.get("dst", "")))
        found.append(f"{source}:{target}" if source and target else word.value)
    return found


def _at(words: Sequence[Word], call: Call, *, image: bool = True) -> Call:
    """Take the image, which is the word behind the options."""
    if image and call.place < len(words):
        call.image = words[call.place].value
        call.place += 1
    return call


def read_apptainer(words: Sequence[Word]) -> Call | None:
    """Read what follows `apptainer` or `singularity`; None where it runs no command in an image."""
    first = take(words, _APPTAINER)
    verb = words[first.place].value if first.place < len(words) else ""
    if verb not in ("exec", "run", "shell"):
        return None
    rest = words[first.place + 1 :]
    taken = take(rest, _APPTAINER)
    call = _at(rest, Call(taken.place, taken, open=not (taken.understood and first.understood)))
    call.place += first.place + 1
    call.mounts = [*_items(taken.all("bind")), *_mount_items(taken.all("mount"))]
    _folder(call, "pwd", "cwd")
    call.fields["entrypoint"] = verb == "run"
    return call


def _folder(call: Call, *names: str) -> None:
    if (folder := call.taken.last(*names)) is not None:
        call.fields["workdir"] = folder.value


def read_docker(words: Sequence[Word]) -> Call | None:
    """Read what follows `docker` or `podman`; None where it runs no new container."""
    first = take(words, _DOCKER)
    verbs = [word.value for word in words[first.place : first.place + 2]]
    skipped = 2 if verbs == ["container", "run"] else 1 if verbs[:1] == ["run"] else 0
    if not skipped:
        return None
    rest = words[first.place + skipped :]
    taken = take(rest, _DOCKER)
    call = _at(rest, Call(taken.place, taken, open=not taken.understood))
    call.place += first.place + skipped
    call.mounts = [*(word.value for word in taken.all("volume")), *_mount_items(taken.all("mount"))]
    _folder(call, "workdir")
    call.privileged = taken.has("privileged")
    network = taken.last("network", "net")
    call.host_network = network is not None and network.value == "host"
    entry = taken.last("entrypoint")
    call.fields["entrypoint"] = entry is None or bool(entry.value)
    return call


def read_shifter(words: Sequence[Word]) -> Call:
    """Read what follows `shifter`; the image may be that of the job."""
    if words and words[0].value == "run":
        return _as_sarus(words)
    taken = take(words, _SHIFTER)
    call = Call(taken.place, taken, open=not taken.understood)
    image = taken.last("image")
    call.image = image.value if image is not None else ""
    call.mounts = [item for word in taken.all("volume") for item in word.value.split(";") if item]
    _folder(call, "workdir")
    call.fields["entrypoint"] = taken.has("entrypoint")
    return call


def read_enroot(words: Sequence[Word]) -> Call | None:
    """Read what follows `enroot`; None where it starts nothing."""
    if not words or words[0].value != "start":
        return None
    call = _simple(words, _ENROOT, "mount", 1)
    if call.image and not is_file(call.image):
        call.container, call.image = call.image, None
    return call


def _simple(words: Sequence[Word], table: Table, mounts: str, skipped: int) -> Call:
    rest = words[skipped:]
    taken = take(rest, table)
    call = _at(rest, Call(taken.place, taken, open=not taken.understood))
    call.place += skipped
    call.mounts = [word.value for word in taken.all(mounts)]
    _folder(call, "workdir", "cd")
    call.fields["entrypoint"] = True
    return call


def _read_sarus(words: Sequence[Word]) -> Call | None:
    return _as_sarus(words) if words and words[0].value == "run" else None


def _as_sarus(words: Sequence[Word]) -> Call:
    call = _simple(words, _SARUS, "mount", 1)
    call.mounts = _mount_items(call.taken.all("mount"))
    call.fields["entrypoint"] = call.taken.has("entrypoint")
    return call


def _read_udocker(words: Sequence[Word]) -> Call | None:
    place = next((number for number, word in enumerate(words) if word.value == "run"), None)
    return _simple(words, _UDOCKER, "volume", place + 1) if place is not None else None


def _read_charliecloud(words: Sequence[Word]) -> Call:
    call = _simple(words, _CHARLIECLOUD, "bind", 0)
    if call.place < len(words) and words[call.place].value == "--":
        call.place += 1
    call.fields["entrypoint"] = False
    return call


READERS: dict[str, Callable[[Sequence[Word]], Call | None]] = {
    "apptainer": read_apptainer, "singularity": read_apptainer, "shifter": read_shifter, "enroot": read_enroot,
    "sarus": _read_sarus, "udocker": _read_udocker, "ch-run": _read_charliecloud,
    **dict.fromkeys(_DOCKERS, read_docker),
}  # fmt: skip


def take_pyxis(call: Call) -> None:
    """Take the image that a call of `srun` names for pyxis, for an OCI runtime, or for shifter."""
    taken = call.taken
    image = taken.last("container-image") or taken.last("container") or taken.last("image")
    name = taken.last("container-name")
    if image is not None:
        call.image = image.value
    elif name is not None:
        call.container = name.value.partition(":")[0]
    call.mounts = _items(taken.all("container-mounts"))
    _folder(call, "container-workdir")
    call.fields["entrypoint"] = taken.has("container-entrypoint")


@attrs.define
class Images:
    """Images that the script itself makes under another name: files that it pulls, and containers with a name."""

    made: dict[str, str] = attrs.field(factory=dict)

    def of(self, call: Call, image: str) -> str | None:
        """Give the name of the image that a call runs in: none, its own, or `image` where it leaves it to the job.

        It is empty where the call names a container that something else has made.
        """
        if call.container:
            return image_name(self.made.get(_file(call.container), ""))
        text = call.image or image if call.image is not None else None
        return image_name(self.made.get(_file(text), text)) if text is not None else None

    def take(self, program: str, words: Sequence[Word]) -> bool:
        """Take a call of a runtime that makes an image; gives whether it is one."""
        if program in ("apptainer", "singularity"):
            return self._pulled(words)
        return program == "enroot" and self._created(words)

    def note(self, call: Call) -> None:
        """Take the name that a call of pyxis gives to its container."""
        name, image = call.taken.last("container-name"), call.taken.last("container-image")
        if name is not None and image is not None:
            self.made[_file(name.value.partition(":")[0])] = image.value

    def _pulled(self, words: Sequence[Word]) -> bool:
        plain = [word.value for word in words if not word.value.startswith("-")]
        verb = ".".join(plain[: 1 + (plain[:1] == ["instance"])])
        if verb == "instance.start" and len(plain) > 2:
            self.made[f"instance://{plain[-1]}"] = plain[-2]
        if verb.startswith("instance."):
            return True
        if verb not in ("pull", "build"):
            return False
        origin = next((value for value in plain if "://" in value), None)
        if origin is None:
            return True
        before = plain[: plain.index(origin)]
        file = before[-1] if len(before) > 1 else None
        if file is None and verb == "pull":
            name, _, tag = origin.rpartition("/")[2].partition(":")
            file = f"{name}_{tag or 'latest'}.sif"
        if file is not None and origin.startswith("docker://"):
            self.made[_file(file)] = origin
        return True

    def _created(self, words: Sequence[Word]) -> bool:
        verb = words[0].value if words else ""
        if verb not in ("import", "create"):
            return False
        table = Table.of("output name arch", "force", "", "o=output n=name a=arch f=force")
        taken = take(words[1:], table)
        rest = words[1 + taken.place :]
        target = taken.last("output", "name")
        if rest:
            origin = rest[0].value
            image = origin.rpartition("#")[2].rpartition("//")[2]
            name = target.value if target is not None else f"{re.sub('[/:]', '+', image).removesuffix('.sqsh')}.sqsh"
            self.made[_file(name)] = self.made.get(_file(origin), origin)
        return True


def _file(text: str) -> str:
    return text.removeprefix("./").rstrip("/")


@attrs.frozen
class ContainerCall:
    """A call of a container runtime that starts a command: `place` is the first word of that.

    `image` is as the call names it, and `options` are the names of those that were given.
    """

    program: str
    image: str
    place: int
    options: frozenset[str]
    mounts: tuple[str, ...]


def container_call(tokens: Sequence[Token]) -> ContainerCall | None:
    """Read words as a call of a container runtime; None where they are none, or not wholly understood."""
    words = Values().words(tokens)
    reader = READERS.get(words[0].program) if words else None
    call = reader(words[1:]) if reader is not None else None
    if call is None or call.open or not call.image or call.place + 1 >= len(words):
        return None
    options = frozenset(name for name, _ in call.taken.options)
    return ContainerCall(words[0].program, call.image, call.place + 1, options, tuple(call.mounts))
