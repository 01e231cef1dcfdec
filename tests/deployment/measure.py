"""What the run shows for docs/cost.md: durations, memory and invocations of the release binaries."""

import json
import os
import re
import statistics
from pathlib import Path

from emulator import ROOT
from stack import Stack

FILE = ROOT / "docs" / "measured.json"


def peak_memory_mb(stack: Stack) -> dict[str, float]:
    """The most memory each function's process held, from /proc: to be read while they run."""
    names = {full: name for name, full in stack.functions.items()}
    peaks: dict[str, float] = {}
    for process in Path("/proc").iterdir():
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
            name = next(
                line.split(b"=", 1)[1].decode() for line in environment if line.startswith(b"AWS_LAMBDA_FUNCTION_NAME=")
            )
            peak = re.search(r"VmHWM:\s+(\d+) kB", (process / "status").read_text())
        except (OSError, StopIteration):
            continue
        if name in names and peak:
            peaks[names[name]] = max(peaks.get(names[name], 0), int(peak[1]) / 1024)
    return peaks


def measured(stack: Stack, peaks: dict[str, float]) -> dict:
    messages = len(stack.graph.sent) + len(stack.emulator.ear.mails)
    functions = {}
    for name, full in stack.functions.items():
        took = [float(found[1]) for line in stack.reports(full) if (found := re.search(r"Duration: (\S+) ms", line))]
        if not took:
            continue
        functions[name] = {
            "invocations": len(took),
            "invocations_per_1000_messages": round(len(took) * 1000 / messages),
            "duration_ms_median": statistics.median(took),
            "duration_ms_p90": statistics.quantiles(took, n=10)[-1] if len(took) > 1 else took[0],
            "memory_mb_peak": round(peaks.get(name, 0), 1),
        }
    calls = {call: round(count * 1000 / messages) for call, count in sorted(stack.emulator.ear.calls.items())}
    return {
        "what": "tests/deployment/run: release binaries on an emulator of AWS, on one machine. The emulator is "
        "slower than AWS, so durations are upper bounds; the run is full of faults, so counts are too.",
        "machine": os.uname().machine,
        "messages": messages,
        "functions": functions,
        "aws_calls_per_1000_messages": calls,
    }


def write(stack: Stack, peaks: dict[str, float]):
    FILE.write_text(json.dumps(measured(stack, peaks), indent=2) + "\n")
