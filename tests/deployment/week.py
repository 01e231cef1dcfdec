"""A clinic's week, through public entries only: an export lands, the morning comes, messages leave,
patients answer, book, open their links and say stop."""

import re
from html import unescape
from urllib.parse import urlencode

import meta
from checks import Checks
from clinic import LONGER, YEAR, Clinic, Patient
from stack import Stack

# Long enough for the emulator, which is one process and slow.
IMPORTED, ENROLLED, SENT, ANSWERED = 90, 120, 240, 90

FAMILY = "+5491150099001"


def people() -> list[Patient]:
    answering = [Patient(name, YEAR) for name in ("booker", "stopper", "asker", "silent", "unwell")]
    passing = [Patient(name, LONGER) for name in ("reader", "clicker", "leaver", "bouncer", "quiet")]
    left_alone = [
        Patient("unasked", consent=""),
        Patient("refuser", consent="opt-out 2025-01-01"),
        Patient("minor", born="2015-05-05"),
        Patient("booked", booked=True),
        Patient("recent", away_days=20),
    ]
    family = [Patient("parent", phone=FAMILY), Patient("child", phone=FAMILY)]
    return answering + passing + left_alone + family


ALONE = ("unasked", "refuser", "minor", "booked", "recent")


class Week:
    def __init__(self, stack: Stack, checks: Checks):
        self.stack, self.checks = stack, checks
        self.clinic = Clinic("aurora", "100000000000001", people())
        self.of = {patient.id: patient for patient in self.clinic.patients}

    def play(self):
        self.exports_land()
        self.morning_comes()
        self.first_messages_leave()
        self.patients_answer()
        self.the_other_sequence_goes_through()
        self.links_are_opened()
        self.mail_tells_of_itself()

    def _seen(self):
        return self.stack.table.of(self.clinic.id)

    # ---- The export.

    def exports_land(self):
        self.checks.part("an export and free slots land in the bucket")
        self.stack.board(self.clinic, self.clinic.settings(minutes_left=25))
        # One after the other: the emulator gives two copies of a function one and the same /tmp.
        self.stack.upload(self.clinic, "slots", "slots.csv", self.clinic.slots())
        self.checks.must("the free slots are in the table", lambda: len(self._seen().slots()) == 52, IMPORTED)
        self.stack.upload(self.clinic, "uploads", "export.csv", self.clinic.export())
        everybody = len(self.clinic.patients)
        self.checks.must(
            f"all {everybody} patients are in the table", lambda: len(self._seen().patients()) == everybody, IMPORTED
        )
        self.checks.soon("the import left its report", lambda: self._seen().reports(), IMPORTED)

    # ---- The wave.

    def morning_comes(self):
        self.checks.part("the morning's schedule fires, brought forward; the wave is enrolled")
        # First messages are spread over the hours that are left: few, so that they leave now.
        self.stack.put_settings(self.clinic, self.clinic.settings(minutes_left=3))
        self.stack.bring_morning(self.clinic)
        expected = len(self.clinic.patients) - len(ALONE) - 1
        self.checks.must(
            f"the {expected} who may be written to are enrolled, one of two who share a phone",
            lambda: len(self._seen().enrollments()) == expected,
            ENROLLED,
        )
        self.stack.put_settings(self.clinic, self.clinic.settings(minutes_left=25))

    def first_messages_leave(self):
        self.checks.part("steps fall due; messages leave")
        enrolled = self._seen().enrollments().keys()
        asked = lambda: all(self.stack.graph.to(self.of[name].phone) for name in enrolled)
        self.checks.must("whoever is enrolled has their first WhatsApp", asked, SENT)
        for name in ALONE:
            patient = self.of[name]
            reached = self.stack.graph.to(patient.phone) or self.stack.emulator.ear.mails_to(patient.email)
            self.checks.that(f"nobody wrote to '{name}'", not reached, reached)
        self.checks.same("nobody wrote to both of a family", len(self.stack.graph.to(FAMILY)), 1)
        first = self.stack.graph.to(self.of["booker"].phone)[0]
        self.checks.same("a template is sent in the clinic's language", first["template"]["language"]["code"], "es_AR")
        self.checks.that(
            "it carries the id that receipts give back", first.get("biz_opaque_callback_data"), first.keys()
        )
        pending = self.stack.schedules()
        self.checks.that(
            "the next steps, days ahead, wait as schedules for the dispatch queue",
            len(pending) >= 5,
            f"{len(pending)} schedules",
        )

    # ---- Answers.

    def patients_answer(self):
        checks, stack = self.checks, self.stack
        checks.part("receipts and answers come by signed webhooks")
        for name in ("booker", "silent"):
            request = stack.graph.to(self.of[name].phone)[0]
            for status in ("sent", "delivered", "read"):
                checks.same(
                    f"the hook takes '{status}' of {name}",
                    stack.hook(meta.receipt(self.clinic.number, request, status)),
                    200,
                )
        for kept in ("sent_at", "delivered_at", "read_at"):
            checks.soon(f"{kept} stands with the message", lambda: self._first_message("booker").get(kept), ANSWERED)
        body = meta.written(self.clinic.number, self.of["booker"].phone, "2")
        checks.same("a forged signature is refused", stack.hook(body, secret="0" * 32), 401)
        checks.same("an app that is not ours is refused", stack.hook(body, app="stranger"), 401)
        self._say("booker", "2")
        visit = checks.soon("'2' books the second of the two slots offered", self._booking_of_booker, ANSWERED)
        if visit:
            offered = self._first_message("booker")["slots"].splitlines()
            checks.same("it is that slot", visit["slot"], offered[1])
        checks.soon("the booker is told so", lambda: len(stack.graph.to(self.of["booker"].phone)) >= 2, ANSWERED)
        checks.soon(
            "the sequence of whoever booked is over", lambda: self._enrollment("booker")["st"] == "ended", ANSWERED
        )
        self._say("stopper", "PARAR")
        checks.soon("PARAR ends the sequence", lambda: self._enrollment("stopper")["st"] == "ended", ANSWERED)
        self._say("unwell", "estoy con mucho dolor y fiebre, ayuda")
        checks.soon("whoever is unwell waits for a person", lambda: self._waits("unwell"), ANSWERED)
        self._say("asker", "¿atienden con mi obra social?")
        checks.soon("a question waits for a person", lambda: self._waits("asker"), ANSWERED)

    def _say(self, name: str, text: str):
        first = self.stack.graph.to(self.of[name].phone)[0]["wamid"]
        body = meta.written(self.clinic.number, self.of[name].phone, text, answers=first)
        self.checks.same(f"the hook takes what {name} writes", self.stack.hook(body), 200)

    def _first_message(self, name: str) -> dict:
        messages = self._seen().messages().get(name, [])
        return next((message for message in messages if message.get("step") == "d1"), {})

    def _enrollment(self, name: str) -> dict:
        return self._seen().enrollments()[name][0]

    def _booking_of_booker(self) -> dict | None:
        return next((visit for visit in self._seen().bookings() if visit["patient"] == "booker"), None)

    def _waits(self, name: str) -> bool:
        of = f"#P#{name}"
        threads = [item for item in self._seen().items if item["sk"] == "CONVERSATION" and item["pk"].endswith(of)]
        return any("why" in thread for thread in threads)

    # ---- The sequence whose steps all fall on one day.

    def the_other_sequence_goes_through(self):
        checks, ear = self.checks, self.stack.emulator.ear
        checks.part("a whole sequence: WhatsApp, e-mail, WhatsApp, a call")
        passing = ("reader", "clicker", "leaver", "bouncer", "quiet")
        mailed = lambda: all(ear.mails_to(self.of[name].email) for name in passing)
        checks.must("the e-mails leave", mailed, SENT)
        mail = ear.mails_to(self.of["reader"].email)[0]
        simple = mail["Content"]["Simple"]
        headers = {header["Name"]: header["Value"] for header in simple.get("Headers", [])}
        checks.that("with one-click unsubscribe", headers.get("List-Unsubscribe", "").startswith("<https://"), headers)
        checks.same("as RFC 8058 says", headers.get("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click")
        checks.same("through the stack's configuration set", mail.get("ConfigurationSetName"), self.stack.mail_set)
        checks.same(
            "tagged with message, clinic and attempt", {tag["Name"] for tag in mail["EmailTags"]}, {"m", "t", "a"}
        )
        arrived = {address for mail in self.stack.emulator.mailbox() for address in mail["To"]}
        checks.that("they are in the mailbox", {self.of[name].email for name in passing} <= arrived, arrived)
        asked_twice = lambda: all(len(self.stack.graph.to(self.of[name].phone)) == 2 for name in ("reader", "quiet"))
        checks.soon("the second WhatsApp leaves, and no third", asked_twice, SENT)
        called = lambda: {"reader", "quiet"} <= {call["patient"] for call in self._seen().calls()}
        checks.soon("a call is on the staff's list", called, SENT)

    # ---- Links.

    def links_are_opened(self):
        checks, stack = self.checks, self.stack
        checks.part("patients open their signed links")
        page = stack.page("GET", self._link("clicker", r"/l/[A-Za-z0-9_-]+"))
        checks.same("the page of a link opens", page.status, 200)
        html = page.data.decode()
        forms = [form for form in re.findall(r"<form.*?</form>", html, re.S) if 'name="slot"' in form]
        checks.that("it shows free slots", forms, html[:300])
        checks.that("and no name, phone or address", not re.search(r"Lucía|\+549|@example", html))
        if forms:
            hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', forms[0])
            form = {name: unescape(value) for name, value in hidden}
            form["slot"] = unescape(re.search(r'name="slot" value="([^"]+)"', forms[0])[1])
            done = stack.page("POST", self._link("clicker", r"/l/[A-Za-z0-9_-]+"), urlencode(form).encode())
            checks.same("choosing one leads back to a page", done.status, 303)
            booked = lambda: any(visit["patient"] == "clicker" for visit in self._seen().bookings())
            checks.soon("the visit is booked", booked, ANSWERED)
        forged = self._link("clicker", r"/l/[A-Za-z0-9_-]+")[:-1]
        checks.that("a link that nobody signed shows nothing", stack.page("GET", forged).status in (404, 410), forged)
        unsubscribe = self._unsubscribe("leaver")
        done = stack.page("POST", unsubscribe, b"List-Unsubscribe=One-Click")
        checks.that("one click in the mail program unsubscribes", done.status in (200, 303), done.status)
        ended = lambda: self._enrollment("leaver")["st"] == "ended"
        checks.soon("and ends the sequence", ended, ANSWERED)

    def _mail(self, name: str) -> dict:
        return self.stack.emulator.ear.mails_to(self.of[name].email)[0]["Content"]["Simple"]

    def _link(self, name: str, of: str) -> str:
        """The first link of a patient's e-mail, without its host."""
        text = self._mail(name)["Body"]["Text"]["Data"]
        found = re.search(rf"https://citas\.example({of})", text)
        return found[1] if found else "/l/none"

    def _unsubscribe(self, name: str) -> str:
        headers = {header["Name"]: header["Value"] for header in self._mail(name)["Headers"]}
        return headers["List-Unsubscribe"].strip("<>").removeprefix("https://citas.example")

        to_stopper = [request["type"] for request in stack.graph.to(self.of["stopper"].phone)]
        checks.same("whoever said PARAR has had one message and one answer", to_stopper, ["template", "text"])

    # ---- What SES publishes.

    def mail_tells_of_itself(self):
        self.checks.part("SES tells of a bounce, by the topic")
        self.stack.publish_bounce(self.stack.emulator.ear.mails_to(self.of["bouncer"].email)[0])
        failed = lambda: any(message.get("failed_at") for message in self._seen().messages()["bouncer"])
        self.checks.soon("the message is known not to have arrived", failed, ANSWERED)
