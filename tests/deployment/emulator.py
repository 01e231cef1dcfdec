"""The emulator of AWS: started on a free port, deployed to, ended."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
import urllib3
from botocore.config import Config
from checks import until
from wire import Ear

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "target" / "deployment"
TEMPLATE = ROOT / "infra" / "template.yaml"
REGION = "us-east-1"
STACK = "retorno"

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}


class Emulator:
    def __init__(self):
        WORK.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # What the functions are given as AWS.
        self.ear = Ear(self.port)
        self.log = WORK / "emulator.log"
        environment = {
            **os.environ,
            **CREDENTIALS,
            "GATEWAY_PORT": str(self.port),
            "AWS_ENDPOINT_URL": self.ear.url,
            "PYTHONUNBUFFERED": "1",
        }
        self.process = subprocess.Popen(
            [Path(sys.executable).parent / "ministack"],
            env=environment,
            cwd=WORK,
            stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._http = urllib3.PoolManager(retries=False)
        if not until(self._is_up, 60, 0.2):
            self.close()
            raise SystemExit(f"the emulator did not start; see {self.log}")
        # The emulator is one process and slow when it is busy: patience, and no second try of a write.
        settings = Config(read_timeout=120, retries={"total_max_attempts": 1}, parameter_validation=True)
        self._session = boto3.Session("test", "test", region_name=REGION)
        self._settings = settings
        self._clients: dict = {}

    def _is_up(self) -> bool:
        try:
            return self._http.request("GET", f"{self.url}/_ministack/health", timeout=2).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def client(self, service: str):
        if service not in self._clients:
            self._clients[service] = self._session.client(service, endpoint_url=self.url, config=self._settings)
        return self._clients[service]

    def http(self, method: str, url: str, body: bytes = b"", headers: dict | None = None) -> urllib3.BaseHTTPResponse:
        """A request from outside; redirects are looked at, not followed."""
        return self._http.request(method, url, body=body or None, headers=headers or {}, redirect=False, timeout=60)

    def mailbox(self) -> list[dict]:
        accounts = json.loads(self.http("GET", f"{self.url}/_ministack/ses/messages").data)["messages"]
        return [mail for mails in accounts.values() for mail in mails]

    def sam(self, *arguments: str):
        """Runs `sam` against the emulator; its output goes to a file, and to the screen when it fails."""
        log = WORK / f"sam-{arguments[0]}.log"
        environment = {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": self.url, "SAM_CLI_TELEMETRY": "0", "CI": "1"}
        with log.open("wb") as output:
            done = subprocess.run(
                ["sam", *arguments], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
        if done.returncode:
            raise SystemExit(f"sam {arguments[0]} failed:\n{log.read_text(errors='replace')[-6000:]}")

    def outputs(self) -> dict[str, str]:
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def resources(self) -> dict[str, str]:
        """What the stack made: physical ids by logical id."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
        found = [resource for page in pages for resource in page["StackResourceSummaries"]]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}

    def close(self):
        """Ends the emulator with the functions it started, and nothing else."""
        self.ear.close()
        for name in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, name)
            except ProcessLookupError:
                break
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                continue
            time.sleep(0.2)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
