//! The targets, each a parser and what must hold of it.

pub mod aws_event;
pub mod catalogue;
pub mod consent_cell;
pub mod e164;
pub mod email;
pub mod export_cells;
pub mod export_file;
pub mod export_header;
pub mod export_rows;
pub mod gateway_webhook;
pub mod hook_request;
pub mod ids;
pub mod import_rows;
pub mod instant_cell;
pub mod link_token;
pub mod message_value;
pub mod meta_webhook;
pub mod order;
pub mod person_name;
pub mod phone;
pub mod provider_request;
pub mod push_subscription;
pub mod service_words;
pub mod settings;
pub mod slots_file;
pub mod sns_message;
pub mod template;
pub mod whatsapp_answer;

/// A parser under test.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: of its module, of its corpus and of its program under `fuzz`.
    pub name: &'static str,
    /// Runs it once; fails by a panic.
    pub run: fn(&[u8]),
}

macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        /// All of them.
        pub const TARGETS: &[Target] = &[$(Target { name: stringify!($name), run: $name::run }),*];
    };
}

targets!(
    aws_event,
    catalogue,
    consent_cell,
    e164,
    email,
    export_cells,
    export_file,
    export_header,
    export_rows,
    gateway_webhook,
    hook_request,
    ids,
    import_rows,
    instant_cell,
    link_token,
    message_value,
    meta_webhook,
    order,
    person_name,
    phone,
    provider_request,
    push_subscription,
    service_words,
    settings,
    slots_file,
    sns_message,
    template,
    whatsapp_answer,
);
