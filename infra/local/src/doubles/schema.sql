-- Instants are microseconds since the Unix epoch, UTC.
CREATE TABLE IF NOT EXISTS queue_messages (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    queue      TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    visible_at INTEGER NOT NULL,
    receives   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS queue_order ON queue_messages (queue, visible_at, number);

CREATE TABLE IF NOT EXISTS schedules (
    group_name   TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    request      TEXT    NOT NULL,
    next_due     INTEGER,
    created_at   INTEGER NOT NULL,
    modified_at  INTEGER NOT NULL,
    PRIMARY KEY (group_name, name)
) STRICT;
CREATE INDEX IF NOT EXISTS schedule_order ON schedules (next_due, group_name, name)
    WHERE next_due IS NOT NULL;

CREATE TABLE IF NOT EXISTS invocations (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    schedule     TEXT    NOT NULL,
    target_arn   TEXT    NOT NULL,
    payload      TEXT    NOT NULL,
    available_at INTEGER NOT NULL,
    taken        INTEGER NOT NULL DEFAULT 0,
    attempts     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE IF NOT EXISTS mails (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    request TEXT    NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS whatsapp_messages (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    at              INTEGER NOT NULL,
    phone_number_id TEXT    NOT NULL,
    request         TEXT    NOT NULL
) STRICT;
-- A message is found again by the id that its sender gave it.
CREATE INDEX IF NOT EXISTS whatsapp_opaque
    ON whatsapp_messages (json_extract(request, '$.biz_opaque_callback_data'));

-- What was written to a number: it opens the window in which one may write freely.
CREATE TABLE IF NOT EXISTS whatsapp_inbound (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    at              INTEGER NOT NULL,
    phone_number_id TEXT    NOT NULL,
    sender          TEXT    NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS whatsapp_window ON whatsapp_inbound (phone_number_id, sender, at);

-- Accounts at Meta: whether the sandbox's app receives their events.
CREATE TABLE IF NOT EXISTS whatsapp_accounts (
    account    TEXT    NOT NULL PRIMARY KEY,
    subscribed INTEGER NOT NULL
) STRICT;

-- Their templates. What Meta does by itself (approving, ending a pause) it does at `decide_at`.
CREATE TABLE IF NOT EXISTS whatsapp_templates (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    account   TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    language  TEXT    NOT NULL,
    status    TEXT    NOT NULL,
    category  TEXT    NOT NULL,
    reason    TEXT    NOT NULL DEFAULT 'NONE',
    body      TEXT    NOT NULL,
    buttons   TEXT    NOT NULL,
    pauses    INTEGER NOT NULL DEFAULT 0,
    decide_at INTEGER,
    UNIQUE (account, name, language)
) STRICT;

-- What Meta has to tell of them, until it was told.
CREATE TABLE IF NOT EXISTS whatsapp_template_news (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    webhook TEXT    NOT NULL
) STRICT;

-- Gateways of clinics: how each stands towards a telephone, and what it was given to send.
CREATE TABLE IF NOT EXISTS gateway_instances (
    kind     TEXT    NOT NULL,
    instance TEXT    NOT NULL,
    link     TEXT    NOT NULL,
    codes    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, instance)
) STRICT;
CREATE TABLE IF NOT EXISTS gateway_messages (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    instance  TEXT    NOT NULL,
    recipient TEXT    NOT NULL,
    text      TEXT    NOT NULL,
    answers   TEXT,
    told      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS gateway_untold ON gateway_messages (told) WHERE told = 0;

-- Browsers of the sandbox, and what push services were given for any browser.
CREATE TABLE IF NOT EXISTS push_browsers (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    gone   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS push_alerts (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    endpoint TEXT    NOT NULL,
    topic    TEXT,
    urgency  TEXT    NOT NULL,
    ttl      INTEGER NOT NULL,
    body     BLOB    NOT NULL
) STRICT;
