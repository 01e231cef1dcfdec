//! A batch cut into pieces that a queue takes.

use std::io;

use crate::event::Routed;

/// Largest piece, in bytes of JSON: below the 256 KiB of SQS, with room for the caller's own words.
pub const CHUNK_BYTES_MAX: usize = 200_000;

/// The events in their order, in pieces whose JSON (`[…]`) has at most so many bytes. An event that is
/// larger alone gets a piece of its own; with [`CHUNK_BYTES_MAX`] there is none, since every text of
/// an event is bounded.
#[must_use]
pub fn chunks(events: Vec<Routed>, bytes_max: usize) -> Vec<Vec<Routed>> {
    let mut pieces: Vec<Vec<Routed>> = Vec::new();
    let mut bytes = usize::MAX;
    for event in events {
        // The comma before it, or the bracket.
        let more = bytes_of(&event).saturating_add(1);
        match pieces.last_mut() {
            Some(piece) if bytes.saturating_add(more) <= bytes_max => {
                bytes += more;
                piece.push(event);
            }
            Some(_) | None => {
                bytes = more.saturating_add(1);
                pieces.push(vec![event]);
            }
        }
    }
    pieces
}

/// Counts what is written.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn bytes_of(event: &Routed) -> usize {
    let mut counter = Counter(0);
    // What cannot be written is sent alone, and fails there.
    serde_json::to_writer(&mut counter, event).map_or(usize::MAX, |()| counter.0)
}
