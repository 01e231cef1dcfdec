//! Reading and writing items: attributes by name, with an error that names the attribute.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};

use crate::error::CloudError;

/// An item as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn s(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn n(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn ms(at: DateTime<Utc>) -> AttributeValue {
    n(at.timestamp_millis())
}

/// Reads an item of one kind.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) kind: &'static str,
    pub(crate) item: &'a Item,
}

impl<'a> Reader<'a> {
    pub(crate) fn corrupt(&self, attribute: &str) -> CloudError {
        CloudError::Corrupt { kind: self.kind, attribute: attribute.to_owned() }
    }

    pub(crate) fn text_opt(&self, name: &str) -> Option<&'a str> {
        self.item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
    }

    pub(crate) fn text(&self, name: &str) -> Result<&'a str, CloudError> {
        self.text_opt(name).ok_or_else(|| self.corrupt(name))
    }

    pub(crate) fn number_opt<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, CloudError> {
        match self.item.get(name) {
            None => Ok(None),
            Some(value) => {
                let number = value.as_n().ok().and_then(|text| text.parse().ok());
                number.map(Some).ok_or_else(|| self.corrupt(name))
            }
        }
    }

    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, CloudError> {
        self.number_opt(name)?.ok_or_else(|| self.corrupt(name))
    }

    pub(crate) fn instant_opt(&self, name: &str) -> Result<Option<DateTime<Utc>>, CloudError> {
        let millis: Option<i64> = self.number_opt(name)?;
        millis.map(|m| DateTime::from_timestamp_millis(m).ok_or_else(|| self.corrupt(name))).transpose()
    }

    pub(crate) fn instant(&self, name: &str) -> Result<DateTime<Utc>, CloudError> {
        self.instant_opt(name)?.ok_or_else(|| self.corrupt(name))
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.item.get(name).and_then(|value| value.as_bool().ok()).copied().unwrap_or(false)
    }

    pub(crate) fn parse<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, CloudError> {
        parse(self.text(name)?).ok_or_else(|| self.corrupt(name))
    }
}
