"""What makes pwxc start fast keeps its promises: entry points, frozen classes, models that wait, late imports."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import attrs
import pytest

import pwxc
from pwxc.entrypoints import find_entry_points
from pwxc.frozen import frozen
from pwxc.yaml.structure import Surface, key, keys_of, surface, to_tree

ROOT = Path(__file__).parents[1]
WORKFLOW = """\
workflow:
  name: one
  tasks:
  - name: a
    image: ubuntu
    command: [echo, "{{output}}"]
default-values:
  unused: 1
"""


# entry points


def install(folder: Path, name: str, text: str) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.partition('-')[0]}\nVersion: 1\n")
    (folder / name / "entry_points.txt").write_text(text)


@pytest.mark.parametrize("group", sorted(entry_points().groups))
def test_entry_points_are_those_of_the_standard_library(group):
    expected = {}
    for point in entry_points(group=group):
        expected.setdefault(point.name, f"{point.module}:{point.attr}" if point.attr else point.module)
    assert find_entry_points(group) == expected


def test_an_outsider_is_found_and_the_first_distribution_of_a_name_counts(tmp_path, monkeypatch):
    early, late = tmp_path / "early", tmp_path / "late"
    install(
        early, "My_Systems-2.0.dist-info", "[other]\nx = m:x\n[pwxc.test]\n# ours\nnew = my.pkg:Thing.target [fast]\n"
    )
    install(late, "my.systems-1.0.dist-info", "[pwxc.test]\nold = my.pkg:old\n")
    install(late, "more-1.0.egg-info", "[pwxc.test]\nnew = more:late\nmore=more\n")
    monkeypatch.setattr(sys, "path", [str(early), str(late)])
    assert find_entry_points("pwxc.test") == {"new": "my.pkg:Thing.target", "more": "more"}


def test_what_is_not_in_folders_is_left_to_the_standard_library(tmp_path, monkeypatch):
    archive = tmp_path / "zipped.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("zipped-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: zipped\nVersion: 1\n")
        file.writestr("zipped-1.0.dist-info/entry_points.txt", "[pwxc.test]\nzipped = z:target\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(archive)])
    assert find_entry_points("pwxc.test") == {"zipped": "z:target"}


# frozen classes


def both() -> list[type]:
    def make(decorate):
        class Point:
            x: int
            y: tuple[int, ...] = ()
            place: str = attrs.field(default="", eq=False, repr=False)
            note: str = attrs.field(default="", repr=str.upper)

        Point.__qualname__ = "Point"
        return decorate(Point)

    return [make(frozen), make(attrs.frozen)]


def test_a_frozen_class_behaves_like_one_of_attrs():
    for point in both():
        one, same, other = point(1, (2,), "here"), point(1, (2,), "there"), point(1, (3,))
        assert one == same
        assert hash(one) == hash(same)
        assert one != other
        assert one != (1, (2,), "")
        assert repr(point(1, note="n")) == "Point(x=1, y=(), note=N)"
        assert attrs.evolve(one, x=5) == point(5, (2,))
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            one.x = 2


def test_frozen_classes_of_other_names_are_not_equal():
    ours, theirs = both()
    assert ours(1) != theirs(1)


def test_a_class_keeps_the_methods_that_it_has():
    @frozen
    class Named:
        name: str

        def __repr__(self) -> str:
            return self.name

    assert repr(Named("x")) == "x"


# models


def test_a_model_waits_until_it_is_used():
    @surface
    class Base(Surface):
        name: str = key("Name", doc="")

    @surface
    class Model(Base):
        tags: list[str] = key("Tags", doc="", factory=list)

    assert [info.name for info in keys_of(Model)] == ["Name", "Tags"]
    assert to_tree(Model(name="a", tags=["b"])) == {"Name": "a", "Tags": ["b"]}
    assert Model(name="a") == Model(name="a") != Model(name="b")
    assert Model(name="a") != Base(name="a")
    assert repr(Base(name="a")).endswith("Base(extra={}, name='a')")
    with pytest.raises(TypeError):
        Model(name="a", unknown=1)


# imports and the collector


def test_a_small_compilation_imports_only_what_it_needs():
    program = f"import sys, pwxc; pwxc.compile({WORKFLOW!r}, to='pw', lossy=True).files[0]; print(*sys.modules)"
    paths = os.pathsep.join(str(ROOT / name) for name in (".", "grammars", "targets"))
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    idle = {
        "jinja2",
        "lark",
        "rich",
        "importlib.metadata",
        "hashlib",
        "pwxc_targets.pw.read",
        "pwxc_targets.torc.model",
    }
    assert not idle & set(done.stdout.split())


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_is_left_as_it_was(on):
    (gc.enable if on else gc.disable)()
    try:
        frozen_before = gc.get_freeze_count()
        assert pwxc.compile(WORKFLOW, to="pw", lossy=True).files
        assert gc.isenabled() is on
        assert gc.get_freeze_count() == frozen_before
    finally:
        gc.enable()
