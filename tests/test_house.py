"""Tests of the house itself: its size, its locks, its Makefile, its image. Not of what it does."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

HOUSE = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((HOUSE / "pyproject.toml").read_text())
MODULES = sorted((HOUSE / "app").rglob("*.py"))
LONGEST_MODULE = 400


def committed() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=HOUSE, capture_output=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git working copy")
    files = [HOUSE / name for name in listed.stdout.decode().split("\0") if name]
    return [file for file in files if file.is_file()]


# --- modules -------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(HOUSE)))
def test_a_module_is_short_enough_to_be_read(module):
    assert len(module.read_text().splitlines()) <= LONGEST_MODULE


def imported(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        match node:
            case ast.Import():
                yield from (name.name for name in node.names)
            case ast.ImportFrom():
                yield from (f"{node.module}.{name.name}" for name in node.names)


def test_kinds_import_neither_each_other_nor_the_store():
    kinds = {folder.parent.name for folder in (HOUSE / "app/sources").glob("*/__init__.py")}
    assert kinds, "there is at least the kind tmf"
    for kind in kinds:
        forbidden = ("app.store", *(f"app.sources.{other}" for other in kinds - {kind}))
        for module in (HOUSE / "app/sources" / kind).rglob("*.py"):
            reached = [name for name in imported(module) if name.startswith(forbidden)]
            assert not reached, f"{module} imports {reached}"


def test_no_file_names_a_package_index():
    hosts = re.compile(
        rb"|".join(
            [b"python" + b"hosted", rb"\bpypi" + rb"\.", b"npmjs" + rb"\.", rb"deb\." + b"debian"]
        )
    )
    naming = [
        file.relative_to(HOUSE) for file in committed() if hosts.search(file.read_bytes().lower())
    ]
    assert not naming


def test_every_rule_that_is_off_says_why():
    text = (HOUSE / "pyproject.toml").read_text()
    lint = text[text.index("[tool.ruff.lint]") : text.index("[tool.mypy]")]
    rules = [line for line in lint.splitlines() if re.match(r'\s+"[A-Z]+\d*",', line)]
    assert rules
    assert not [line for line in rules if "#" not in line]


# --- the locks -----------------------------------------------------------------------------------


def locked(name: str) -> list[Requirement]:
    """What a lock pins, for every platform; fails where a pin is no exact one or has no hash."""
    pins = []
    for line in (HOUSE / name).read_text().replace("\\\n", " ").splitlines():
        if not line or line.lstrip().startswith("#"):
            continue
        pin, *hashes = line.split(" --hash=")
        assert hashes, f"{pin} has no hash"
        pins.append(Requirement(pin))
        assert [exactly.operator for exactly in pins[-1].specifier] == ["=="]
    return pins


def locked_here(name: str) -> dict[str, Version]:
    """The versions a lock gives this platform."""
    return {
        canonicalize_name(pin.name): Version(next(iter(pin.specifier)).version)
        for pin in locked(name)
        if pin.marker is None or pin.marker.evaluate()
    }


def group(name: str) -> list[str]:
    entries = PYPROJECT["dependency-groups"][name]
    return [
        line
        for entry in entries
        for line in (group(entry["include-group"]) if isinstance(entry, dict) else [entry])
    ]


def closure(lines: list[str]) -> dict[str, list[Requirement]]:
    """Everything `lines` lead to in the installed environment, and what is asked of each."""
    found: dict[str, list[Requirement]] = {}
    waiting = [Requirement(line) for line in lines]
    seen = set()
    while waiting:
        required = waiting.pop()
        name = canonicalize_name(required.name)
        found.setdefault(name, []).append(required)
        for extra in {"", *required.extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for line in metadata.requires(name) or ():
                further = Requirement(line)
                if further.marker is None or further.marker.evaluate({"extra": extra}):
                    waiting.append(further)
    return found


ASKED = {
    "requirements.lock": PYPROJECT["project"]["dependencies"]
    + [line for name in ("test", "check", "build") for line in group(name)],
    "runtime.lock": PYPROJECT["project"]["dependencies"],
}


@pytest.mark.parametrize("lock", ASKED)
def test_the_lock_holds_exactly_what_pyproject_asks_for(lock):
    asked = closure(ASKED[lock])
    pins = locked_here(lock)
    assert pins.keys() == asked.keys(), "run: make lock"
    for name, requirements in asked.items():
        for required in requirements:
            assert pins[name] in required.specifier, f"{required}: run make lock"


def test_the_image_runs_the_versions_that_are_tested():
    assert set(map(str, locked("runtime.lock"))) <= set(map(str, locked("requirements.lock")))


def test_the_installer_is_pinned_by_hash_too():
    pins = locked_here("tools.lock")
    assert pins.keys() == {"uv", "setuptools"}
    assert all(pins[one.name] in one.specifier for one in map(Requirement, group("tools")))


# --- the Makefile --------------------------------------------------------------------------------

MAKEFILE = (HOUSE / "Makefile").read_text()
TARGETS = (
    "run",
    "test",
    "coverage",
    "check",
    "bench",
    "faults",
    "fuzz",
    "openapi",
    "screenshots",
    "lock",
    "clean",
)


def test_make_alone_tells_every_target():
    told = subprocess.run(["make"], cwd=HOUSE, capture_output=True, text=True, check=True).stdout
    for target in TARGETS:
        assert re.search(rf"^  {target}\s+\w", told, re.MULTILINE), target


def test_every_target_is_documented_and_phony():
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    documented = re.findall(r"^([a-z]+):.*## \S", MAKEFILE, re.MULTILINE)
    assert sorted(phony.split()) == sorted(documented) == sorted(("help", *TARGETS))


def test_what_a_machine_runs_is_the_tests_then_the_checks():
    lines = (HOUSE / ".ci/run").read_text().splitlines()
    assert [line for line in lines if line.startswith("make")] == ["make test", "make check"]


# --- the image: no engine to build it with is at hand, so its text is held to what is proven -----

DOCKERFILE = (HOUSE / "Dockerfile").read_text().replace("\\\n", " ")
STAGES = DOCKERFILE.split("\nFROM ")[1:]
COMPOSE = yaml.safe_load((HOUSE / "compose.yaml").read_text())


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_the_image_is_built_in_one_stage_and_run_in_another():
    assert len(STAGES) == 2
    assert "COPY --from=build /opt/listener /opt/listener" in STAGES[1]
    assert "pip" not in STAGES[1]


def test_the_image_runs_as_nobody_in_particular():
    (user,) = re.findall(r"^USER (\S+)$", STAGES[1], re.MULTILINE)
    assert user.isdigit()
    assert int(user) >= 10000
    assert f"--uid {user}" in STAGES[1]


@pytest.mark.parametrize(
    "command",
    [
        ".tools/bin/pip install --quiet --require-hashes -r tools.lock",
        "pip sync --quiet --require-hashes --python",
        "pip install --quiet --no-deps",
    ],
)
def test_the_image_is_made_by_the_commands_of_the_makefile(command):
    assert command in squeezed(MAKEFILE)
    assert command in squeezed(DOCKERFILE)


@pytest.mark.parametrize(
    "name",
    ["UV_SYSTEM_CERTS", "UV_PYTHON_DOWNLOADS", "UV_PYTHON_PREFERENCE", "UV_COMPILE_BYTECODE"],
)
def test_the_installer_is_set_as_in_the_makefile(name):
    (made,) = re.findall(rf"{name} := (\S+)", MAKEFILE)
    assert f"{name}={made}" in DOCKERFILE


def test_the_image_serves_says_whether_it_is_well_and_keeps_its_data():
    image = squeezed(STAGES[1])
    assert 'ENTRYPOINT ["listener"] CMD ["serve"]' in image
    assert "LISTENER_HOST=0.0.0.0" in image
    assert "HEALTHCHECK" in image
    assert "/healthz" in image
    assert "VOLUME /data" in image
    assert "LISTENER_DATA_DIR=/data" in image


def test_what_the_image_copies_is_there_and_reaches_the_builder():
    copied = {
        name
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
        for name in line.split()
    }
    allowed = {
        line[1:] for line in (HOUSE / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    assert copied == allowed
    assert not [name for name in copied if not (HOUSE / name).exists()]


def test_the_composition_starts_in_order():
    services = COMPOSE["services"]
    assert services["migrate"]["command"] == ["db", "upgrade"]
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["listener"]["command"] == ["serve"]
    assert services["listener"]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"}
    }
    assert "pg_isready" in " ".join(services["postgres"]["healthcheck"]["test"])


def test_the_composition_holds_no_secret_and_no_rights():
    for name, service in COMPOSE["services"].items():
        for variable, value in service["environment"].items():
            if re.search("PASSWORD|SECRET|KEY", variable):
                assert re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", value), f"{name}: {variable}"
        if name != "postgres":
            assert service["cap_drop"] == ["ALL"]
            assert service["read_only"] is True
    assert not re.search(r"://[^/\s]*:[^/\s]*@", (HOUSE / "compose.yaml").read_text())


def test_the_composition_tells_on_the_sign_in_page_what_is_run_beside_it():
    told = COMPOSE["services"]["listener"]["environment"]["LISTENER_SIGN_IN_COMMAND"].split()
    assert told[:4] == ["docker", "compose", "exec", "listener"]
    assert told[4:] == ["listener", "token", "--ui"]
    assert " ".join(told) in (HOUSE / "docs" / "operating.md").read_text()


def test_the_composition_names_only_volumes_it_declares():
    used = {
        mount.split(":")[0]
        for service in COMPOSE["services"].values()
        for mount in service.get("volumes", ())
    }
    assert used == set(COMPOSE["volumes"])
