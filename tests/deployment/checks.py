"""What was seen: each a sentence, printed as it is known, counted at the end."""

import sys
import time


class Stopped(Exception):
    """What comes next would only repeat that this failed."""


class Checks:
    def __init__(self):
        self.passed, self.failed = 0, []
        self.began = time.monotonic()

    def part(self, title: str):
        print(f"\n== {title}  ({time.monotonic() - self.began:.0f} s)", flush=True)

    def note(self, text: str):
        print(f"   {text}", flush=True)

    def that(self, sentence: str, holds: bool, seen: object = "") -> bool:
        if holds:
            self.passed += 1
            print(f"ok {sentence}", flush=True)
        else:
            self.failed.append(sentence)
            print(f"NO {sentence}: {seen}", flush=True)
        return bool(holds)

    def same(self, sentence: str, seen: object, expected: object) -> bool:
        return self.that(sentence, seen == expected, f"{seen!r} where {expected!r} was expected")

    def soon(self, sentence: str, look, within: float = 90, every: float = 0.5) -> object:
        """Looks until there is something to see, and gives it; a failed check after the deadline."""
        seen = until(look, within, every)
        self.that(sentence, bool(seen), f"not within {within:.0f} s")
        return seen

    def must(self, sentence: str, look, within: float = 90, every: float = 0.5) -> object:
        """As `soon`, of what the rest depends on."""
        seen = self.soon(sentence, look, within, every)
        if not seen:
            raise Stopped(sentence)
        return seen

    def close(self) -> int:
        print(f"\n{self.passed} passed, {len(self.failed)} failed", flush=True)
        for sentence in self.failed:
            print(f"failed: {sentence}", file=sys.stderr)
        return 1 if self.failed or not self.passed else 0


def until(look, within: float, every: float = 0.5):
    """What `look` gives once it gives anything; its last word when the time is over."""
    deadline = time.monotonic() + within
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(every)
    return seen
