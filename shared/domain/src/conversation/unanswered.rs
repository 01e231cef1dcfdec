//! Words that nobody answered when they were said, because nobody knew whose they were.

use super::Urgency;

/// Why a person must read words that were understood so and left without an answer, and how soon;
/// nothing where they ask for none. By the intent's word in data: the words were heard some time ago.
#[must_use]
pub fn unanswered(intent: &str, sure: bool) -> Option<(&'static str, Urgency)> {
    match (intent, sure) {
        ("urgent", _) => Some(("urgent", Urgency::Urgent)),
        ("complaint", _) => Some(("complaint", Urgency::High)),
        ("opt_out" | "stop_all" | "stop_reminders", false) => Some(("opt_out_doubtful", Urgency::Normal)),
        ("opt_out" | "stop_all" | "stop_reminders" | "opt_in" | "thanks", true) => None,
        ("question", true) => Some(("question", Urgency::High)),
        ("cancel", true) => Some(("cancel_what", Urgency::High)),
        ("wrong_person", true) => Some(("wrong_number", Urgency::Normal)),
        ("deceased", true) => Some(("deceased", Urgency::High)),
        ("unreadable", _) => Some(("unreadable", Urgency::Normal)),
        (_, false) => Some(("unclear", Urgency::Normal)),
        // A date, a yes: it was said to nobody.
        (_, true) => Some(("was_unknown", Urgency::High)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::Intent;

    #[test]
    fn what_cannot_wait_does_not_and_what_asks_for_nothing_is_left() {
        let of = |intent: &Intent, sure| unanswered(intent.code(), sure).map(|(_, urgency)| urgency);
        assert_eq!(of(&Intent::Urgent, false), Some(Urgency::Urgent));
        assert_eq!(of(&Intent::Complaint, false), Some(Urgency::High));
        assert_eq!(of(&Intent::OptOut, true), None);
        assert_eq!(of(&Intent::OptOut, false), Some(Urgency::Normal));
        assert_eq!(of(&Intent::Thanks, true), None);
        assert_eq!(of(&Intent::Yes, true), Some(Urgency::High));
    }
}
