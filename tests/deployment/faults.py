"""What may go wrong in the cloud: each told apart by the patients it happens to."""

import json
import secrets as random
import threading
from pathlib import Path

import meta
from checks import Checks
from clinic import YEAR, Clinic, Patient
from stack import Stack

DISPATCHER = "step-dispatcher"
# Secrets are looked at again every five minutes.
ROTATED = 400
# A retry of a message proven not sent comes after two minutes, and there are three attempts.
RETRIED = 300


class Faults:
    def __init__(self, stack: Stack, checks: Checks, former: tuple[str, Path] | None):
        self.stack, self.checks, self.former = stack, checks, former
        self.clinic = Clinic("boreal", "100000000000002")
        self.lost_answers: list[str] = []

    def play(self):
        self.stack.board(self.clinic, self.clinic.settings(minutes_left=25))
        self.stack.upload(self.clinic, "slots", "slots.csv", self.clinic.slots(a_day=8))
        self.checks.must("another clinic has its free slots", lambda: len(self._seen().slots()) == 104, 90)
        self.everything_comes_twice()
        replaced = self.a_secret_is_replaced()
        self.a_message_is_poison()
        self.the_provider_is_down()
        self.the_provider_fails()
        self.two_versions_at_once()
        self.the_former_secret_ends(replaced)

    def _seen(self):
        return self.stack.table.of(self.clinic.id)

    def _cohort(self, name: str, count: int) -> list[Patient]:
        """New patients, imported and waiting for the next wave."""
        cohort = [Patient(f"{name}{number}", YEAR) for number in range(1, count + 1)]
        self.clinic.patients += cohort
        self.stack.upload(self.clinic, "uploads", f"{name}.csv", self.clinic.export())
        known = lambda: {patient.id for patient in cohort} <= self._seen().patients().keys()
        self.checks.must(f"{count} patients more are imported", known, 90)
        return cohort

    def _enroll(self, cohort: list[Patient]):
        """The wave, called for as the schedule does; first messages within a minute or two."""
        self.stack.put_settings(self.clinic, self.clinic.settings(minutes_left=1))
        done = self.stack.invoke("segment-evaluator", {"clinic": self.clinic.id})
        self.checks.that("the evaluation is done", not done["failed"], done["said"])
        enrolled = lambda: {patient.id for patient in cohort} <= self._seen().enrollments().keys()
        self.checks.must("all of them are enrolled", enrolled, 60)
        self.stack.put_settings(self.clinic, self.clinic.settings(minutes_left=25))

    def _each_once(self, cohort: list[Patient], within: float) -> bool:
        counts = lambda: [len(self.stack.graph.to(patient.phone)) for patient in cohort]
        self.checks.soon("each of them has a message", lambda: min(counts()) >= 1, within)
        return self.checks.that("and nobody has two", max(counts()) == 1, counts())

    # ---- Twice.

    def everything_comes_twice(self):
        checks, stack = self.checks, self.stack
        checks.part("events that come twice: a file, an order, a webhook")
        cohort = self._cohort("twice", 4)
        before = {name: item["ver"] for name, item in self._seen().patients().items()}
        event = self._landed("twice.csv")
        for _ in range(2):
            done = stack.invoke("export-importer", event)
            checks.that("the same event again is no error", not done["failed"], done["said"])
        after = {name: item["ver"] for name, item in self._seen().patients().items()}
        checks.same("and changes nobody's record", after, before)
        self._enroll(cohort)
        orders = [self._first_step(patient.id) for patient in cohort]
        for order in orders * 3:
            stack.order(stack.dispatch, order)
        self._each_once(cohort, 180)
        for order in orders * 2:
            stack.order(stack.dispatch, order)
        checks.soon("the orders are all taken up", stack.quiet, 60)
        self._each_once(cohort, 1)
        body = meta.written(self.clinic.number, cohort[0].phone, "1")
        together = [threading.Thread(target=stack.hook, args=(body,)) for _ in range(3)]
        for one in together:
            one.start()
        for one in together:
            one.join()
        booked = lambda: [visit for visit in self._seen().bookings() if visit["patient"] == cohort[0].id]
        checks.soon("a webhook three times at once books", booked, 90)
        checks.same("and once more is taken, for Meta would go on", stack.hook(body), 200)
        checks.soon("all of them are taken in", stack.quiet, 60)
        checks.same("one visit is booked", len(booked()), 1)
        answered = lambda: len(stack.graph.to(cohort[0].phone)) >= 2
        checks.soon("one answer is given", answered, 60)
        checks.same("and no second one", len(stack.graph.to(cohort[0].phone)), 2)

    def _landed(self, name: str) -> dict:
        """What S3 tells of a file."""
        key = f"uploads/{self.clinic.id}/{name}"
        bucket = {"name": self.stack.bucket, "arn": f"arn:aws:s3:::{self.stack.bucket}"}
        record = {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "us-east-1",
            "eventTime": "2026-01-01T00:00:00.000Z",
            "eventName": "ObjectCreated:Put",
            "userIdentity": {"principalId": "agency"},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {},
            "s3": {"bucket": bucket, "object": {"key": key, "size": 1, "sequencer": "0055AED6DCD90281E5"}},
        }
        return {"Records": [record]}

    def _first_step(self, patient: str) -> dict:
        enrollment = self._seen().enrollments()[patient][0]["sk"].removeprefix("E#")
        return {"order": "step", "clinic": self.clinic.id, "patient": patient, "enrollment": enrollment, "step": 0}

    # ---- Secrets.

    def a_secret_is_replaced(self) -> str:
        self.checks.part("the secret that webhooks are signed with is replaced")
        new = random.token_hex(16)
        self.stack.put_hook_secrets(new, self.stack.app_secret)
        self.checks.note("the new one is added; the functions look every five minutes, so other things go on meanwhile")
        return new

    def the_former_secret_ends(self, new: str):
        checks, stack = self.checks, self.stack
        checks.part("the former secret ends")
        taken = lambda secret: (
            stack.hook(meta.written(self.clinic.number, "+5491150000001", "hola"), secret=secret) == 200
        )
        checks.soon("what is signed with the new one is taken", lambda: taken(new), ROTATED, 5)
        checks.that("and so is what was signed with the former", taken(stack.app_secret))
        former, stack.app_secret = stack.app_secret, new
        stack.put_hook_secrets(new)
        checks.soon("once the former is taken out, it is refused", lambda: not taken(former), ROTATED, 5)
        checks.that("and the new one is not", taken(new))

    # ---- Poison.

    def a_message_is_poison(self):
        checks, stack = self.checks, self.stack
        checks.part("a message that nothing can be made of")
        patient = self._cohort("mended", 1)
        self._enroll(patient)
        for queue, dead, name in (
            (stack.dispatch, stack.dispatch_dead, "orders"),
            (stack.inbound, stack.inbound_dead, "events"),
        ):
            with stack.hidden_for(queue, seconds=1):
                stack.emulator.client("sqs").send_message(QueueUrl=queue, MessageBody='{"order": "ste')
                parked = lambda: stack.waiting(dead)["Visible"] == 1
                checks.soon(f"it is parked beside the queue of {name}, after five attempts", parked, 90)
                checks.that("and is in nobody's way", stack.quiet())
        mended = json.dumps(self._first_step(patient[0].id))
        checks.same("mended, it goes back to its queue", stack.redrive(stack.dispatch_dead, stack.dispatch, mended), 1)
        checks.same("the other is discarded", stack.redrive(stack.inbound_dead, None), 1)
        self._each_once(patient, 120)

    # ---- The provider.

    def the_provider_is_down(self):
        checks, stack = self.checks, self.stack
        checks.part("WhatsApp cannot be reached: for an hour as some see it, for one attempt as others do")
        for_long = self._cohort("hour", 4)
        stack.graph.down()
        self._enroll(for_long)
        attempts = lambda cohort: [message["att"] for message in self._first_messages(cohort)]
        checks.soon("each message is tried a second time", lambda: attempts(for_long) == [2] * 4, 400, 2)
        for_short = self._cohort("minute", 4)
        self._enroll(for_short)
        checks.soon("and a third time", lambda: attempts(for_long) == [3] * 4, 400, 2)
        mailed = lambda: all(stack.emulator.ear.mails_to(patient.email) for patient in for_long)
        checks.soon("then the sequence goes on with the e-mail", mailed, 120)
        checks.same("for the message is known to have failed", self._states_of(for_long), ["failed"] * 4)
        waiting = lambda: self._states_of(for_short) == ["ready"] * 4
        checks.soon("the others' are known not to have left, and wait", waiting, 120)
        stack.graph.up()
        self._each_once(for_short, RETRIED)
        checks.soon("and are known to have left", lambda: self._states_of(for_short) == ["accepted"] * 4, 60)
        checks.same("nobody had both", [len(stack.graph.to(patient.phone)) for patient in for_long], [0] * 4)

    def the_provider_fails(self):
        checks, stack = self.checks, self.stack
        checks.part("WhatsApp answers with 5xx: perhaps sent")
        cohort = self._cohort("perhaps", 3)
        stack.graph.mode = "failing"
        self._enroll(cohort)
        unknown = lambda: self._states_of(cohort).count("unknown") == len(cohort)
        checks.soon("the fate of each message is unknown, and listed", unknown, 240)
        stack.graph.mode = "up"
        stack.order(stack.dispatch, {"order": "sweep", "clinic": self.clinic.id})
        for patient in cohort:
            stack.order(stack.dispatch, self._first_step(patient.id))
        checks.soon("the orders are all taken up", stack.quiet, 60)
        checks.same("none is sent again", [len(stack.graph.to(patient.phone)) for patient in cohort], [0] * len(cohort))
        self.lost_answers = [patient.id for patient in cohort]

    def _states_of(self, cohort: list[Patient]) -> list[str]:
        return [message["st"] for message in self._first_messages(cohort)]

    def _first_messages(self, cohort: list[Patient]) -> list[dict]:
        messages = self._seen().messages()
        return [
            message for patient in cohort for message in messages.get(patient.id, []) if message.get("step") == "d1"
        ]

    # ---- Versions.

    def two_versions_at_once(self):
        checks, stack = self.checks, self.stack
        checks.part("the former version of the dispatcher reads the same queue as the present one")
        if self.former:
            checks.note(f"the former is that of {self.former[0]}")
        else:
            checks.note("there is no earlier version of this stack in this clone: the present one stands for it")
        name = stack.add_reader(DISPATCHER, self.former[1].read_bytes() if self.former else None)
        cohort = self._cohort("version", 16)
        stack.share_orders(batch=1, at_once=2)
        self._enroll(cohort)
        # Each order twice and all at once: both versions have the same patients before them.
        for order in [self._first_step(patient.id) for patient in cohort] * 2:
            stack.order(stack.dispatch, order)
        self._each_once(cohort, 240)
        took = {function: stack.invocations(function) for function in (stack.functions[DISPATCHER], name)}
        checks.that("both versions took up orders", all(took.values()), took)
        stack.remove_reader(name)
        stack.share_orders(batch=5, at_once=5)
