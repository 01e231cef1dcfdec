"""Builds, deploys, plays, recounts, ends. See README.md."""

import argparse
import sys

import binaries
import measure
from checks import Checks, Stopped
from emulator import WORK, Emulator
from faults import Faults
from recount import recount
from stack import Stack
from staff import Staff
from week import Week


def main() -> int:
    options = argparse.ArgumentParser(prog="tests/deployment/run")
    options.add_argument("--build-only", action="store_true", help="the tools and the release binaries, nothing else")
    options.add_argument("--week-only", action="store_true", help="without the faults")
    options.add_argument("--keep", action="store_true", help="leave the emulator running until Ctrl-C")
    options = options.parse_args()
    checks = Checks()
    checks.part("the functions' release binaries")
    former = None
    if not (options.build_only or options.week_only):
        former = binaries.previous("step-dispatcher", ["functions/step-dispatcher", "shared"])
    binaries.build(binaries.FUNCTIONS)
    if options.build_only:
        return 0
    binaries.build_program()
    checks.part("an emulator of AWS, and the template in it")
    emulator = Emulator()
    try:
        stack = Stack(emulator)
        try:
            stack.deploy()
            checks.that("the unchanged template is deployed, its keys are made", True)
            play(stack, checks, former, options.week_only)
        except Stopped as stopped:
            checks.that("everything was played to its end", False, stopped)
        if checks.failed and stack.table:
            kept = stack.table.keep(WORK / "table.json")
            checks.note(f"what the table held is in {kept}, what the functions said in {emulator.log}")
        if options.keep:
            checks.note(f"the emulator goes on at {emulator.url} until Enter is pressed")
            sys.stdin.readline()
    finally:
        emulator.close()
    return checks.close()


def play(stack: Stack, checks: Checks, former, week_only: bool):
    week = Week(stack, checks)
    week.play()
    Staff(stack, checks, week.clinic.id).play("asker")
    peaks = measure.peak_memory_mb(stack)
    if week_only:
        return recount(stack, checks, [week.clinic], [])
    faults = Faults(stack, checks, former)
    faults.play()
    recount(stack, checks, [week.clinic, faults.clinic], faults.lost_answers)
    measure.write(stack, measure.peak_memory_mb(stack) or peaks)


if __name__ == "__main__":
    sys.exit(main())
