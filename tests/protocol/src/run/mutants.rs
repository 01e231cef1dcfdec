//! Conditions switched off together, to see whether the runs notice. What several conditions cover
//! takes all of them: where one alone is off, the others still hold.

use crate::guard::Guard;

/// Sets of conditions without which runs must go wrong.
pub const MUTANTS: [&[Guard]; 12] = [
    &[Guard::PatientVersion],
    &[Guard::NotSuppressed],
    &[Guard::LateCheck],
    &[Guard::UndoEnrollment],
    &[Guard::AdvanceVersion],
    &[Guard::ReplaceVersion],
    &crate::model::AT_MOST_ONCE,
    &[Guard::ClaimBefore, Guard::SettingsFresh],
    &[Guard::SettingsFresh],
    &[Guard::RecordOpen, Guard::RecordAttempt],
    &[Guard::AgeAsRead],
    &[Guard::ReadyListed],
];
