//! A message that says it is of SNS, and where to fetch its certificate.

use inbound_webhook::verify::sns::Unproven;

use super::meta_webhook::now;
use crate::pieces::Pieces;

const TOPIC: &str = "arn:aws:sns:sa-east-1:123456789012:correo";
/// Where the certificates of the topic's region are.
const HOST: &str = "https://sns.sa-east-1.amazonaws.com/";

/// The message, and after a separator the certificate.
pub fn run(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    let message = pieces.part();
    let certificate = pieces.rest();
    let topics = [TOPIC.to_owned()];
    assert!(Unproven::read(message, &[], now()).is_err(), "a topic of nobody's");
    let Ok(unproven) = Unproven::read(message, &topics, now()) else { return };
    let url = unproven.certificate().as_str();
    let name = url.strip_prefix(HOST).and_then(|path| path.strip_suffix(".pem")).expect("an address of SNS");
    assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "more than a name");
    assert!(unproven.prove(certificate).is_err(), "proven by somebody else's certificate");
}
