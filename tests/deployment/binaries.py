"""The release binaries of the functions, as they are deployed."""

import os
import shutil
import subprocess
from pathlib import Path

from emulator import ROOT, WORK

FUNCTIONS = [
    "export-importer",
    "inbound-webhook",
    "ledger-sealer",
    "patient-pages",
    "segment-evaluator",
    "staff-api",
    "step-dispatcher",
]
BUILT = ROOT / "target" / "lambda"
# What whoever runs a stack uses: it makes the keys and adds the clinics.
PROGRAM = ROOT / "target" / "debug" / "retorno"


def build_program():
    # With a test beside it, cargo gives the crates the features that tests/run gives them, and builds nothing twice.
    command = ["cargo", "build", "--locked", "--workspace", "--bin", "retorno", "--test", "tidy"]
    if subprocess.run(command, cwd=ROOT).returncode:
        raise SystemExit("the program could not be built")


def build(packages: list[str], root: Path = ROOT, into: Path = BUILT):
    """Builds for this machine's own processor: the emulator runs the binaries as processes."""
    architecture = "arm64" if os.uname().machine in ("aarch64", "arm64") else "x86_64"
    command = [root / "infra" / "build", architecture, *packages]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target"), "INTO": str(into)}
    done = subprocess.run(command, env=environment)
    if done.returncode:
        raise SystemExit("the functions could not be built")


def previous(of: str, paths: list[str]) -> tuple[str, Path] | None:
    """The zip of a function as it was before the last commit that changed `paths`, and that commit;
    nothing in a clone without a past, or where that version does not belong to this template."""
    log = subprocess.run(
        ["git", "log", "--first-parent", "--format=%H", "-n", "2", "--", *paths],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    commits = log.stdout.split()
    if len(commits) < 2 or not _is_built_alike(commits[1]):
        return None
    commit = commits[1]
    # The crates of others are those of the present one, and built already.
    zipped = WORK / "previous" / f"{of}-{commit[:12]}.zip"
    if not zipped.exists():
        tree = WORK / "previous" / "tree"
        subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, capture_output=True)
        subprocess.run(
            ["git", "worktree", "add", "--force", "--detach", str(tree), commit],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        try:
            build([of], tree, WORK / "previous")
            shutil.move(WORK / "previous" / of / "bootstrap.zip", zipped)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, capture_output=True)
    return commit[:12], zipped


def _is_built_alike(commit: str) -> bool:
    """Whether that version has the template, and what builds the functions."""
    looked = lambda path: subprocess.run(["git", "cat-file", "-e", f"{commit}:infra/{path}"], cwd=ROOT, capture_output=True)
    return all(looked(path).returncode == 0 for path in ("template.yaml", "build"))
