//! Bytes cut into the pieces a target is made of. Whatever the bytes, there is a piece: a target
//! that turns input away learns nothing from it.

use std::borrow::Cow;

/// No byte of UTF-8, so it can part texts.
const SEPARATOR: u8 = 0xFF;

/// What is left of the bytes.
pub(crate) struct Pieces<'a> {
    rest: &'a [u8],
}

impl<'a> Pieces<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next byte; 0 beyond the last.
    pub(crate) fn byte(&mut self) -> u8 {
        self.bytes::<1>()[0]
    }

    /// The next bytes; 0 beyond the last.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.rest.split_at(N.min(self.rest.len()));
        self.rest = rest;
        let mut bytes = [0; N];
        for (to, from) in bytes.iter_mut().zip(taken) {
            *to = *from;
        }
        bytes
    }

    /// One of these.
    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        let at = usize::from(self.byte()) % choices.len().max(1);
        *choices.get(at).expect("there is something to choose from")
    }

    /// Bytes up to the next separator, or all that are left.
    pub(crate) fn part(&mut self) -> &'a [u8] {
        let mut parts = self.rest.splitn(2, |byte| *byte == SEPARATOR);
        let part = parts.next().unwrap_or_default();
        self.rest = parts.next().unwrap_or_default();
        part
    }

    /// [`Pieces::part`] as text, what is no UTF-8 replaced.
    pub(crate) fn text(&mut self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.part())
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// All that is left as text, what is no UTF-8 replaced.
    pub(crate) fn rest_as_text(&mut self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.rest())
    }
}
