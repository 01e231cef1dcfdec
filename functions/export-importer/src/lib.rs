//! When an export lands, turn its rows into patients and appointments, and start what their changes start.

pub mod export;
