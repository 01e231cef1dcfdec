"""Everything counted anew, straight from the table, against what the providers were handed."""

from collections import Counter

from checks import Checks
from stack import Stack

# Of each message of a sequence it is known what became of it.
KNOWN = {"accepted", "failed", "dropped", "unknown", "ready"}


def recount(stack: Stack, checks: Checks, clinics: list, lost_answers: list[str]):
    checks.part("recounted from the table")
    for queue, dead, name in (
        (stack.dispatch, stack.dispatch_dead, "orders"),
        (stack.inbound, stack.inbound_dead, "events"),
    ):
        checks.same(f"no {name} are parked", stack.waiting(dead)["Visible"], 0)
        checks.soon(f"no {name} wait", lambda: sum(stack.waiting(queue).values()) == 0, 300, 2)
    handed = Counter(request.get("biz_opaque_callback_data") for request in stack.graph.sent)
    checks.that("WhatsApp was handed nothing twice", max(handed.values()) == 1, handed.most_common(3))
    tags = Counter(
        tuple(sorted((tag["Name"], tag["Value"]) for tag in mail["EmailTags"])) for mail in stack.emulator.ear.mails
    )
    checks.that("SES was handed nothing twice", max(tags.values()) == 1, tags.most_common(3))
    accepted: set[str] = set()
    for clinic in clinics:
        seen = stack.table.of(clinic.id)
        messages = [message for of in seen.messages().values() for message in of]
        states = Counter(message["st"] for message in messages)
        checks.note(f"{clinic.id}: {len(seen.patients())} patients, {len(messages)} messages: {dict(states)}")
        checks.that("of every message it is known what became of it", set(states) <= KNOWN, states)
        unknown = sorted(
            patient for patient, of in seen.messages().items() for message in of if message["st"] == "unknown"
        )
        expected = sorted(lost_answers) if clinic.id == "boreal" else []
        checks.same("the fate of those that WhatsApp gave no answer to is unknown, and of no other", unknown, expected)
        checks.same("none waits to be tried again", states["ready"], 0)
        given = [message for of in seen.answers().values() for message in of]
        checks.same("no answer is left unsaid", [answer["st"] for answer in given if answer["st"] != "accepted"], [])
        accepted |= {item["prov_id"] for item in messages + given if "prov_id" in item}
        _audited(checks, seen, messages, given)
        _booked(checks, seen)
        enrolled = [enrollment for of in seen.enrollments().values() for enrollment in of]
        overdue = [
            one["sk"]
            for one in enrolled
            if one["st"] == "running" and int(one["due"]) < clinic.now().timestamp() * 1000 - 60_000
        ]
        checks.same("no sequence stands still", overdue, [])
        without = seen.enrollments().keys() - seen.messages().keys()
        checks.same("nobody is enrolled of whom no message tells", without, set())
    taken = {request["wamid"] for request in stack.graph.sent}
    checks.same("what WhatsApp took the table knows of", taken - accepted, set())


def _audited(checks: Checks, seen, messages: list, given: list):
    """A record for each claim: as many as attempts, and none without a message."""
    attempts = sum(int(item.get("att", 0)) for item in messages + given if item.get("channel") != "none")
    checks.same("the audit has a record of every attempt", len(seen.audit()), attempts)


def _booked(checks: Checks, seen):
    visits = seen.bookings()
    slots = Counter(visit["slot"] for visit in visits if "slot" in visit)
    checks.that("no slot is booked twice", not slots or max(slots.values()) == 1, slots)
    taken = {f"{slot['sk']}" for slot in seen.slots() if "bk" in slot}
    checks.same("the slots taken are those of the visits", len(taken), len(visits))
