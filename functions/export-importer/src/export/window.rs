//! The part of the source held in memory: one buffer that never grows.

use std::io::{ErrorKind, Read};

use super::refusal::RefusalReason;

/// Room for new bytes beside the longest record, in bytes.
const CHUNK_BYTES: usize = 256 << 10;

/// How much is read. The defaults leave a wide margin over any clinic and keep a file in 1.5 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest row in bytes, line breaks within quotes included.
    pub record_bytes_max: usize,
    /// Longest cell in bytes.
    pub cell_bytes_max: usize,
    /// Most columns of a header.
    pub columns_max: usize,
    /// Most rows of a file, header aside.
    pub rows_max: u64,
    /// Longest file in bytes.
    pub file_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            record_bytes_max: 1 << 20,
            cell_bytes_max: 64 << 10,
            columns_max: 256,
            rows_max: 2_000_000,
            file_bytes_max: 256 << 20,
        }
    }
}

/// What asking the source for more came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    /// There are more bytes.
    More,
    /// The source has ended.
    End,
    /// Nothing more may or can be read, now and ever after.
    Stop(RefusalReason),
}

/// A source and the bytes of it not yet dealt with.
pub(super) struct Window<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    bytes_read: u64,
    bytes_read_max: u64,
    over: Option<Fill>,
}

impl<R: Read> Window<R> {
    pub(super) fn new(source: R, limits: &Limits) -> Self {
        Self {
            source,
            buffer: vec![0; limits.record_bytes_max.saturating_add(CHUNK_BYTES)],
            start: 0,
            end: 0,
            bytes_read: 0,
            bytes_read_max: limits.file_bytes_max,
            over: None,
        }
    }

    /// The bytes held.
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Lets go of the first `count` bytes.
    pub(super) fn drop_front(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }

    /// Reads on. The caller holds at most a record, so there is always room for a chunk.
    pub(super) fn fill(&mut self) -> Fill {
        if let Some(over) = self.over {
            return over;
        }
        if self.end.saturating_add(CHUNK_BYTES) > self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = loop {
            match self.source.read(free) {
                Ok(read) => break read.min(free.len()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.stop(RefusalReason::ReadFailed(error.kind())),
            }
        };
        let allowed = usize::try_from(self.bytes_read_max.saturating_sub(self.bytes_read)).unwrap_or(usize::MAX);
        let kept = read.min(allowed);
        self.end += kept;
        self.bytes_read += kept as u64;
        if read == 0 {
            self.over = Some(Fill::End);
            return Fill::End;
        }
        if read > kept {
            let stop = self.stop(RefusalReason::FileTooLong { max_bytes: self.bytes_read_max });
            if kept == 0 {
                return stop;
            }
        }
        Fill::More
    }

    /// Bytes taken from the source so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Memory held for the source's bytes.
    #[cfg(test)]
    pub(super) fn buffer_bytes(&self) -> usize {
        self.buffer.capacity()
    }

    fn stop(&mut self, reason: RefusalReason) -> Fill {
        self.over = Some(Fill::Stop(reason));
        Fill::Stop(reason)
    }
}
