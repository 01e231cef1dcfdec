//! Clinics played at random for weeks to a year: the domain's own rules and settings, the workers and
//! the table of the model, seeded chance, virtual time, and a fault in every fifth event or more. What
//! the phones saw is judged by the simulator's own knowledge, never by the table.

mod clinic;
mod count;
mod deal;
mod evaluate;
mod happen;
mod import;
mod judge;
mod knobs;
mod mutants;
mod sim;
mod work;

pub use count::{Counts, Fault, Sometimes, Totals};
pub use mutants::MUTANTS;
pub use sim::{Outcome, play, play_without};
