//! p
use axum::Router; use super::system::System;
pub(super) fn router() -> Router<System> { Router::new() }
