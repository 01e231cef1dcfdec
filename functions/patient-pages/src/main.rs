//! Answers API Gateway.
fn main() {}
