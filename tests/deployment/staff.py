"""Staff with accounts in the stack: they sign in with the program and see their own clinic, nobody else does."""

import json
import os
import subprocess
import urllib.error
import urllib.request

import meta
from binaries import PROGRAM
from checks import Checks
from emulator import CREDENTIALS, WORK
from stack import Stack

GIVEN, OWN = "a first password by mail", "a password of one's own"


class Staff:
    def __init__(self, stack: Stack, checks: Checks, clinic: str):
        self.stack, self.checks, self.clinic = stack, checks, clinic
        self.cognito = stack.emulator.client("cognito-idp")
        self.pool = stack.outputs["StaffPoolId"]
        self.told = WORK / "staff-outputs.json"
        # The emulator serves the API below its own address.
        self.told.write_text(json.dumps({**stack.outputs, "StaffUrl": f"{stack.api}/api"}))

    def play(self, asker: str):
        checks = self.checks
        checks.part("staff signs in and answers what waits")
        for clinic in (self.clinic, "elsewhere"):
            self.cognito.create_group(UserPoolId=self.pool, GroupName=f"clinic:{clinic}")
        reception = self._account("reception@clinic.example", f"clinic:{self.clinic}")
        stranger = self._account("somebody@elsewhere.example", "clinic:elsewhere")
        agency = self._account("it@agency.example", "agency")
        path = f"/clinics/{self.clinic}/inbox"
        checks.same("without a token nothing is answered", self._status(path, None), 401)
        checks.same("nor with one that somebody made up", self._status(path, "e30.e30.c2ln"), 401)
        checks.same("another clinic's people are refused", self._status(path, self._token(stranger)), 403)
        checks.same("and so they are at what is the agency's", self._status("/parked", self._token(reception)), 403)
        checks.same("the agency is not", self._status("/parked", self._token(agency)), 200)
        waiting = self._asks(reception, "inbox", "--json")["waiting"]
        checks.that("the inbox shows who waits", asker in [one["patient_id"] for one in waiting], waiting)
        self._says(reception, "reply", asker, "Le escribimos enseguida")
        phone = self.stack.graph.sent
        said = lambda: any("Le escribimos enseguida" in json.dumps(one) for one in phone)
        checks.soon("the patient reads the answer", said, 90)
        thread = self._asks(reception, "thread", asker, "--json")
        checks.that("the conversation shows it", any(line["by"] == "staff" for line in thread), thread)
        agenda = self._asks(reception, "agenda", "--json")
        checks.that("the agenda shows what was booked", agenda["bookings"], agenda)
        self._is_forgotten(reception, "recent")
        self._is_read_again(agency)

    def _is_forgotten(self, reception, patient: str):
        """Somebody whom nobody wrote to asks for what is held about them, and to be forgotten."""
        held = self._asks(reception, "patient", "export", patient)
        self.checks.that("everything held about somebody is exported", patient in json.dumps(held), held)
        self._says(reception, "patient", "erase", patient, "--reason", "requested", "--yes")
        left = lambda: patient not in self.stack.table.of(self.clinic).patients()
        self.checks.soon("who asked to be forgotten is", left, 60)

    def _is_read_again(self, agency):
        """Meta tells something that this version does not know: the agency has it read again, and sets it aside."""
        checks = self.checks
        checks.same("what is signed and unknown is taken in", self.stack.hook(meta.unknown()), 200)
        parked = self._asks(agency, "parked", "--json").get("bodies", [])
        checks.same("it is parked, and says why", [one["why"] for one in parked], [f"an unknown field: {meta.UNKNOWN}"])
        if not parked:
            return
        self._says(agency, "parked", "replay", parked[0]["id"])
        bodies = lambda: self._asks(agency, "parked", "--json").get("bodies", [])
        tried = lambda: [one["again"]["came"] for one in bodies() if one["again"]] == ["partly"]
        checks.soon("it is read again, and what is unknown stays", tried, 60)
        self._says(agency, "parked", "discard", parked[0]["id"])
        checks.same("it is discarded", bodies(), [])

    def _account(self, email: str, group: str):
        self.cognito.admin_create_user(
            UserPoolId=self.pool, Username=email, TemporaryPassword=GIVEN, MessageAction="SUPPRESS"
        )
        self.cognito.admin_add_user_to_group(UserPoolId=self.pool, Username=email, GroupName=group)
        session = WORK / f"{email}.session"
        session.unlink(missing_ok=True)
        done = self._run(session, "login", email, "--stack-outputs", str(self.told), given=f"{GIVEN}\n{OWN}\n")
        kept = session.exists() and not session.stat().st_mode & 0o077
        self.checks.that(f"{email} signs in, and only they may read the session", kept, done.stderr or done.stdout)
        return session

    def _run(self, session, *arguments: str, given: str = ""):
        environment = {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": self.stack.emulator.url}
        command = [str(PROGRAM), "--session", str(session), *arguments]
        return subprocess.run(command, env=environment, input=given, capture_output=True, text=True)

    def _says(self, session, *arguments: str):
        done = self._run(session, *arguments)
        self.checks.that(f"retorno {arguments[0]} does it", done.returncode == 0, done.stderr or done.stdout)
        return done.stdout

    def _asks(self, session, *arguments: str):
        try:
            return json.loads(self._says(session, *arguments))
        except ValueError:
            return {}

    def _token(self, session) -> str:
        return json.loads(session.read_text())["access"] if session.exists() else ""

    def _status(self, path: str, token: str | None) -> int:
        request = urllib.request.Request(f"{self.stack.api}/api{path}")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status
        except urllib.error.HTTPError as refused:
            return refused.code
