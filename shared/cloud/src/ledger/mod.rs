//! The chain of a clinic's audit records as it is stored and handed out: digests, and the file of them with
//! their records. `ledger-sealer` writes the chain, and checks such a file.

pub mod digest;
pub mod export;
