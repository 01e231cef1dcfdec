"""Webhooks as Meta sends them: its JSON, its signature over the bytes."""

import hashlib
import hmac
import itertools
import json
import time

_numbers = itertools.count(1)

# A field that no version knows.
UNKNOWN = "messages_of_tomorrow"


def signature(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _webhook(number: str, phone: str, **value) -> bytes:
    change = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "0", "phone_number_id": number},
        **value,
    }
    entry = {"id": "100000000000009", "changes": [{"field": "messages", "value": change}]}
    # Meta escapes whatever is not ASCII, as this does.
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def unknown() -> bytes:
    """Something that we know nothing of, beside nothing else."""
    entry = {"id": "100000000000009", "changes": [{"field": UNKNOWN, "value": {}}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def written(number: str, phone: str, text: str, answers: str | None = None) -> bytes:
    """A patient writes."""
    message = {
        "from": phone.lstrip("+"),
        "id": f"wamid.in.{next(_numbers)}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
    }
    if answers:
        message["context"] = {"from": number, "id": answers}
    contacts = [{"profile": {"name": "Lucía"}, "wa_id": phone.lstrip("+")}]
    return _webhook(number, phone, contacts=contacts, messages=[message])


def receipt(number: str, request: dict, status: str) -> bytes:
    """Meta tells what became of a message it took: of `request`, as the double keeps it."""
    told = {
        "id": request["wamid"],
        "status": status,
        "timestamp": str(int(time.time())),
        "recipient_id": request["to"].lstrip("+"),
        "biz_opaque_callback_data": request.get("biz_opaque_callback_data", ""),
        "pricing": {"billable": True, "pricing_model": "PMP", "category": "marketing"},
    }
    return _webhook(number, request["to"], statuses=[told])
