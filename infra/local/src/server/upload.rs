//! Bodies on their way to a file: written as they arrive, never held whole, and bounded.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::{Body, Bytes, HttpBody as _};
use axum::http::StatusCode;
use staff_api::Problem;

use super::system::System;
use crate::host::HostError;

/// The largest file taken, in bytes.
pub(crate) const FILE_BYTES_MAX: u64 = 1 << 30;

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A file that is being received; deleted unless it is handed on.
pub(crate) struct Incoming {
    file: File,
    path: Option<PathBuf>,
    bytes: u64,
}

impl Incoming {
    /// An empty file among the uploads.
    ///
    /// # Errors
    /// [`Problem`] when the disk refuses.
    pub(crate) fn new(system: &System) -> Result<Self, Problem> {
        let folder = system.folder.uploads();
        let failed = |error| HostError::Io { what: "keeping the upload".to_owned(), error };
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let path = folder.join(NUMBER.fetch_add(1, Ordering::Relaxed).to_string());
        let file = File::create(&path).map_err(failed)?;
        Ok(Self { file, path: Some(path), bytes: 0 })
    }

    /// Adds what arrived.
    ///
    /// # Errors
    /// [`Problem`] when it is more than [`FILE_BYTES_MAX`], or the disk refuses.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.bytes > FILE_BYTES_MAX {
            let what = format!("the file is larger than {} MB; split it", FILE_BYTES_MAX >> 20);
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, what)
                .coded("file_large")
                .with("mb", FILE_BYTES_MAX >> 20));
        }
        let written = self.file.write_all(bytes);
        written.map_err(|error| HostError::Io { what: "keeping the upload".to_owned(), error }.into())
    }

    /// Whether nothing arrived.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Hands the file on; whoever takes it deletes it.
    pub(crate) fn take(mut self) -> Option<PathBuf> {
        self.path.take()
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Receives a whole body as a file.
///
/// # Errors
/// [`Problem`].
pub(crate) async fn receive(system: &System, mut body: Body) -> Result<PathBuf, Problem> {
    let mut incoming = Incoming::new(system)?;
    while let Some(data) = next_data(&mut body).await? {
        incoming.add(&data)?;
    }
    incoming.take().ok_or_else(|| Problem::bad("the upload was lost"))
}

/// Receives a short text.
///
/// # Errors
/// [`Problem`] when it is longer than `most` bytes or not UTF-8.
pub(crate) async fn receive_text(mut body: Body, most: usize) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(data) = next_data(&mut body).await? {
        bytes.extend_from_slice(&data);
        if bytes.len() > most {
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("more than {most} bytes")).coded("form"));
        }
    }
    String::from_utf8(bytes).map_err(|_| Problem::bad("the text is not UTF-8"))
}

async fn next_data(body: &mut Body) -> Result<Option<Bytes>, Problem> {
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
        match frame {
            None => return Ok(None),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(_)) => return Err(Problem::bad("the upload broke off").coded("upload_broken")),
        }
    }
}
