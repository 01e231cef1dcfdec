#!/usr/bin/env python3
"""Writes the statements of permissions.toml into the roles of template.yaml: change that file, then run this.

    python3 infra/roles.py

The tests hold the two equal, so a statement changed by hand in one of them only is found. What a key of the
customer's own adds to a role, and text messages to step-dispatcher's, stands below.
"""

import re
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent
INDENT = " " * 14
INNER = " " * 16
WIDTH = 116

# The services through which a role uses what KeyArn encrypts.
OWN_KEY = {
    "export-importer": ["dynamodb", "lambda", "s3", "sns", "sqs", "ssm"],
    "segment-evaluator": ["dynamodb", "lambda", "sns", "sqs", "ssm"],
    "step-dispatcher": ["dynamodb", "lambda", "sqs", "ssm"],
    "inbound-webhook": ["dynamodb", "lambda", "sqs", "ssm"],
    "patient-pages": ["dynamodb", "lambda", "sqs", "ssm"],
    "staff-api": ["dynamodb", "lambda", "sqs", "ssm"],
    "ledger-sealer": ["dynamodb", "lambda", "s3", "sns"],
    "wake": ["sqs"],
}

TEXT_MESSAGES = """\
- !If
  - HasTextMessages
  - Sid: TextMessages
    Effect: Allow
    Action: sms-voice:SendTextMessage
    Resource:
      - !Sub arn:${AWS::Partition}:sms-voice:${AWS::Region}:${AWS::AccountId}:phone-number/*
      - !Sub arn:${AWS::Partition}:sms-voice:${AWS::Region}:${AWS::AccountId}:pool/*
      - !Sub arn:${AWS::Partition}:sms-voice:${AWS::Region}:${AWS::AccountId}:sender-id/*
      - !Sub arn:${AWS::Partition}:sms-voice:${AWS::Region}:${AWS::AccountId}:configuration-set/retorno-${Stage}
  - !Ref AWS::NoValue
"""


def intrinsic(text):
    """`${X}` as !Ref X, `${X.Arn}` as !GetAtt X.Arn, anything else that holds one as !Sub."""
    if one := re.fullmatch(r"\$\{([A-Za-z]+\.[A-Za-z]+)\}", text):
        return f"!GetAtt {one[1]}"
    if one := re.fullmatch(r"\$\{([A-Za-z:]+)\}", text):
        return f"!Ref {one[1]}"
    return f'!Sub "{text}"' if "${" in text else text


def value(items, indent):
    """One item behind its name, several as a list."""
    items = sorted(items)
    if len(items) == 1:
        return f" {items[0]}\n"
    line = f" [{', '.join(items)}]"
    if len(indent) + 10 + len(line) <= WIDTH:
        return line + "\n"
    return "\n" + "".join(f"{indent}  - {item}\n" for item in items)


def keys(statement):
    operator = "ForAnyValue" if statement.get("effect") == "Deny" else "ForAllValues"
    quoted = sorted(f'"{key}"' for key in statement["keys"])
    rows, row = [], ""
    for key in quoted:
        if row and len(INNER) + 8 + len(row) + len(key) > WIDTH:
            rows.append(row)
            row = ""
        row += (", " if row else "") + key
    rows.append(row)
    listed = f",\n{INNER}      ".join(rows)
    return (
        f'{INNER}Condition:\n{INNER}  "{operator}:StringLike":\n'
        f'{INNER}    "dynamodb:LeadingKeys":\n{INNER}      [{listed}]\n'
    )


def text(statement):
    written = f"{INDENT}- Sid: {statement['sid']}\n{INNER}Effect: {statement.get('effect', 'Allow')}\n"
    written += f"{INNER}Action:{value(statement['actions'], INNER)}"
    written += f"{INNER}Resource:{value([intrinsic(on) for on in statement['on']], INNER)}"
    if statement.get("keys"):
        written += keys(statement)
    if "when" in statement:
        operator, name, what = statement["when"]
        written += f'{INNER}Condition: {{{operator}: {{"{name}": {intrinsic(what)}}}}}\n'
    return written


def indented(block):
    return "".join(f"{INDENT}{line}\n" for line in block.splitlines())


def own_key(services):
    via = "".join(f'          - !Sub "{service}.${{AWS::Region}}.amazonaws.com"\n' for service in services)
    return indented(
        "- !If\n  - HasKey\n  - Sid: OwnKey\n    Effect: Allow\n    Action: [kms:Decrypt, kms:GenerateDataKey]\n"
        "    Resource: !Ref KeyArn\n    Condition:\n      StringLike:\n"
        f'        "kms:ViaService":\n{via}  - !Ref AWS::NoValue\n'
    )


def main():
    template = (FOLDER / "template.yaml").read_text()
    for role, statements in tomllib.loads((FOLDER / "permissions.toml").read_text()).items():
        head = f'        - PolicyName: {role}\n          PolicyDocument:\n            Version: "2012-10-17"\n            Statement:\n'
        body = "".join(text(statement) for statement in statements)
        body += indented(TEXT_MESSAGES) if role == "step-dispatcher" else ""
        body += own_key(OWN_KEY[role]) if role in OWN_KEY else ""
        pattern = re.compile(re.escape(head) + f"(?:{INDENT}.*\n)+")
        template, found = pattern.subn(lambda _: head + body, template)
        if found != 1:
            raise SystemExit(f"infra/roles.py: template.yaml has {found} policies called {role}, not one")
    (FOLDER / "template.yaml").write_text(template)


if __name__ == "__main__":
    main()
