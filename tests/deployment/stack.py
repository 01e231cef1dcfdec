"""The stack as deployed: the unchanged template, its parameters, its secrets, and its entries."""

import json
import os
import secrets as random
import subprocess
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import meta
from binaries import BUILT, FUNCTIONS, PROGRAM
from checks import Stopped
from clinic import Clinic
from emulator import CREDENTIALS, STACK, TEMPLATE, WORK, Emulator
from table import Table
from wire import Graph

APP = "agency"
STAGE = "prod"


class Stack:
    def __init__(self, emulator: Emulator):
        self.emulator = emulator
        self.app_secret = random.token_hex(16)
        self.verify_token = random.token_hex(8)
        self.table: Table | None = None
        self.graph = Graph(random.token_hex(24))

    def deploy(self):
        parameters = {
            "Stage": STAGE,
            "Architecture": "x86_64",
            "GraphUrl": self.graph.url,
            "PagesUrl": "https://citas.example",
            "Protect": "no",
        }
        self.emulator.sam(
            "deploy",
            *("--template-file", str(TEMPLATE)),
            *("--stack-name", STACK),
            *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"),
            *("--resolve-s3", "--no-confirm-changeset", "--no-progressbar"),
            *("--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())),
        )
        made = self.emulator.outputs()
        self.table = Table(self.emulator.client("dynamodb"), made["TableName"])
        self.bucket = made["UploadBucket"]
        self.dispatch, self.dispatch_dead = made["DispatchQueueUrl"], made["DispatchDeadLettersUrl"]
        self.inbound, self.inbound_dead = made["InboundQueueUrl"], made["InboundDeadLettersUrl"]
        self.topic = made["ProviderEventsArn"]
        self.mail_set = made["MailConfigurationSet"]
        self.outputs = made
        self.api = f"{self.emulator.url}/_aws/execute-api/{made['ApiId']}/$default"
        self.functions = {name: f"retorno-{STAGE}-{name}" for name in FUNCTIONS}
        self._number_the_numbers()
        # As docs/deploy.md says: whoever deploys has the outputs in a file, and the program.
        self._told = WORK / "outputs.json"
        self._told.write_text(json.dumps(made))
        self._retorno("secret", "make")
        self.put_secret("WHATSAPP_TOKEN", self.graph.token)
        self.put_hook_secrets(self.app_secret)

    def _number_the_numbers(self):
        """The emulator leaves the value of a parameter of type Number a text, and then compares it with
        numbers: the readers of the queues would stand still."""
        functions = self.emulator.client("lambda")
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            at_once = int(mapping["ScalingConfig"]["MaximumConcurrency"])
            functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": at_once})

    def _retorno(self, *arguments: str, given: str = ""):
        """The program, as whoever runs a stack uses it."""
        environment = {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": self.emulator.url}
        command = [str(PROGRAM), *arguments, "--stack-outputs", str(self._told)]
        done = subprocess.run(command, env=environment, input=given, capture_output=True, text=True)
        if done.returncode:
            raise Stopped(f"retorno {' '.join(arguments)}: {done.stderr or done.stdout}")

    def board(self, clinic: Clinic, settings: str):
        """Takes a clinic in. (Its domain is verified at once by the emulator, as by the agency's DNS.)"""
        file = WORK / f"{clinic.id}.toml"
        file.write_text(settings)
        self._retorno("clinic", "add", str(file), "--id", clinic.id)

    def put_settings(self, clinic: Clinic, settings: str):
        self.emulator.client("dynamodb").update_item(
            TableName=self.table.name,
            Key={"pk": {"S": f"T#{clinic.id}#"}, "sk": {"S": "CLINIC"}},
            ConditionExpression="attribute_exists(pk)",
            UpdateExpression="SET toml = :t ADD ver :one",
            ExpressionAttributeValues={":t": {"S": settings}, ":one": {"N": "1"}},
        )

    def put_secret(self, name: str, value: str):
        self._retorno("secret", "set", name, given=value)

    def put_hook_secrets(self, *secrets: str):
        """What Meta signs with; several while one replaces the other."""
        app = {"secrets": secrets, "verify_tokens": [self.verify_token]}
        self.put_secret("HOOK_SECRETS", json.dumps({"meta": {APP: app}}))

    # ---- Entries.

    def upload(self, clinic: Clinic, kind: str, name: str, content: bytes):
        self.emulator.client("s3").put_object(Bucket=self.bucket, Key=f"{kind}/{clinic.id}/{name}", Body=content)

    def hook(self, body: bytes, secret: str | None = None, app: str = APP) -> int:
        """A webhook of Meta's; says the status of the answer."""
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": meta.signature(secret or self.app_secret, body),
        }
        return self.emulator.http("POST", f"{self.api}/hooks/meta/{app}", body, headers).status

    def page(self, method: str, path: str, body: bytes = b""):
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "null"} if body else {}
        return self.emulator.http(method, f"{self.api}{path}", body, headers)

    def invoke(self, function: str, event: dict) -> dict:
        answer = self.emulator.client("lambda").invoke(FunctionName=self.functions[function], Payload=json.dumps(event))
        said = answer["Payload"].read().decode()
        return {"failed": "FunctionError" in answer, "said": said}

    def order(self, queue: str, order: dict):
        self.emulator.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(order))

    def bring_morning(self, clinic: Clinic):
        """Sets the clinic's daily schedule for the minute to come."""
        scheduler, at = self.emulator.client("scheduler"), datetime.now(timezone.utc) + timedelta(seconds=75)
        there = scheduler.get_schedule(GroupName=self.outputs["ScheduleGroup"], Name=f"morning-{clinic.id}")
        kept = ("Name", "GroupName", "FlexibleTimeWindow", "Target")
        scheduler.update_schedule(
            ScheduleExpression=f"cron({at.minute} {at.hour} * * ? *)",
            ScheduleExpressionTimezone="UTC",
            **{name: there[name] for name in kept},
        )

    def schedules(self) -> list[dict]:
        """Wake-ups to come: once, to the dispatch queue."""
        scheduler, group = self.emulator.client("scheduler"), self.outputs["ScheduleGroup"]
        pages = scheduler.get_paginator("list_schedules").paginate(GroupName=group)
        named = [schedule["Name"] for page in pages for schedule in page["Schedules"]]
        found = [scheduler.get_schedule(GroupName=group, Name=name) for name in named]
        once = [schedule for schedule in found if schedule["ScheduleExpression"].startswith("at(")]
        return [schedule for schedule in once if schedule["Target"]["Arn"] == self.outputs["DispatchQueueArn"]]

    def publish_bounce(self, mail: dict):
        """What SES publishes of a mail that could not be delivered."""
        told = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        to = mail["Destination"]["ToAddresses"]
        event = {
            "eventType": "Bounce",
            "mail": {
                "timestamp": told,
                "messageId": "bounced-1",
                "destination": to,
                "tags": {tag["Name"]: [tag["Value"]] for tag in mail["EmailTags"]},
            },
            "bounce": {
                "bounceType": "Permanent",
                "bounceSubType": "NoEmail",
                "feedbackId": "feedback-1",
                "timestamp": told,
                "bouncedRecipients": [{"emailAddress": to[0], "status": "5.1.1"}],
            },
        }
        self.emulator.client("sns").publish(TopicArn=self.topic, Message=json.dumps(event))

    def waiting(self, queue: str) -> dict[str, int]:
        """Messages of a queue: to be taken, being handled, delayed."""
        names = ("", "NotVisible", "Delayed")
        wanted = [f"ApproximateNumberOfMessages{name}" for name in names]
        told = self.emulator.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=wanted)["Attributes"]
        return {name or "Visible": int(told[f"ApproximateNumberOfMessages{name}"]) for name in names}

    def quiet(self) -> bool:
        """Nothing is on its way now; what is delayed may be."""
        return all(
            counts["Visible"] + counts["NotVisible"] == 0 for counts in map(self.waiting, (self.dispatch, self.inbound))
        )

    # ---- What whoever runs a stack does.

    @contextmanager
    def hidden_for(self, queue: str, seconds: int):
        """Shortens how long a message that failed is hidden: minutes, which a test need not wait for."""
        sqs, name = self.emulator.client("sqs"), "VisibilityTimeout"
        usual = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])["Attributes"][name]
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={name: str(seconds)})
        try:
            yield
        finally:
            sqs.set_queue_attributes(QueueUrl=queue, Attributes={name: usual})

    def redrive(self, dead: str, back_to: str | None, mended: str = "") -> int:
        """Takes what is parked, and puts it back mended, or discards it. (The emulator has no
        StartMessageMoveTask, which moves what needs no mending.)"""
        sqs = self.emulator.client("sqs")
        taken = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10).get("Messages", [])
        for message in taken:
            if back_to:
                sqs.send_message(QueueUrl=back_to, MessageBody=mended)
            sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
        return len(taken)

    def add_reader(self, function: str, code: bytes | None) -> str:
        """A second function with the first one's settings and other code, reading the same queue."""
        functions = self.emulator.client("lambda")
        like = functions.get_function_configuration(FunctionName=self.functions[function])
        name = f"{self.functions[function]}-former"
        functions.create_function(
            FunctionName=name,
            Runtime=like["Runtime"],
            Role=like["Role"],
            Handler=like["Handler"],
            Timeout=like["Timeout"],
            MemorySize=like["MemorySize"],
            Environment={"Variables": like["Environment"]["Variables"]},
            Code={"ZipFile": code or (BUILT / function / "bootstrap.zip").read_bytes()},
        )
        functions.create_event_source_mapping(
            FunctionName=name,
            EventSourceArn=self.outputs["DispatchQueueArn"],
            BatchSize=1,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )
        return name

    def share_orders(self, batch: int, at_once: int):
        """How many orders the present dispatcher takes at a time: the emulator would give it all of them."""
        functions = self.emulator.client("lambda")
        present = functions.list_event_source_mappings(FunctionName=self.functions["step-dispatcher"])
        for mapping in present["EventSourceMappings"]:
            scaling = {"MaximumConcurrency": at_once}
            functions.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=batch, ScalingConfig=scaling)

    def remove_reader(self, name: str):
        functions = self.emulator.client("lambda")
        for mapping in functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]:
            functions.delete_event_source_mapping(UUID=mapping["UUID"])
        functions.delete_function(FunctionName=name)

    def reports(self, function: str) -> list[str]:
        """The lines in which Lambda says how long each invocation took."""
        logs = self.emulator.client("logs")
        try:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}")
            return [
                event["message"] for page in pages for event in page["events"] if event["message"].startswith("REPORT")
            ]
        except logs.exceptions.ResourceNotFoundException:
            return []

    def invocations(self, function: str) -> int:
        return len(self.reports(function))
