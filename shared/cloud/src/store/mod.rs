//! The table: one table, every key under its tenant. `README.md` beside this file lists each access
//! pattern with its key and its request units.

mod agenda;
mod agreement;
mod ahead;
mod alias;
mod answer;
mod approval;
mod audit;
mod browser;
mod clinic;
mod commit;
mod connection;
mod contact_point;
mod due;
mod enroll;
mod enrollment;
mod find;
mod guardian_wire;
mod how;
mod item;
mod key;
mod lease;
mod ledger;
mod lift;
mod lookup;
mod message;
mod news;
mod noted_wire;
mod parked;
mod patient;
mod patient_wire;
pub mod privacy;
mod receipt;
mod route;
mod sealed;
mod sent;
mod slots;
mod stranger;
mod stranger_answer;
mod subscription_wire;
mod survey;
mod table;
mod test_message;
mod thread;
mod timetable;
mod turn;
mod undo;
mod waitlist;
mod wave;

pub use agenda::{Booking, BookingStatus};
pub use agreement::{Agreement, AgreementState, StoredAgreement};
pub use alias::Alias;
pub use answer::{AnswerClaim, AnsweredOf, NewAnswer, OverdueAnswer, SaidText, StoredAnswer};
pub use audit::Commitment;
pub use browser::{BROWSERS_MAX, Browser};
pub use clinic::{Breakers, SETTINGS_STALE_MAX, StoredClinic};
pub use commit::{Claim, ClaimRefused, Claimed};
pub use connection::{ConnectionWord, LINK_CODE_LASTS, StoredLinkCode};
pub use contact_point::{ContactKeys, contact_hash};
pub use due::{BacklogEntry, ValueEntry};
pub use enroll::{NewEnrollment, NotEnrolled};
pub use enrollment::{Advance, Dropped, OverdueStep, StoredEnrollment};
pub use lease::ImportLease;
pub use ledger::{AuditRecord, AuditValue, LedgerHead, NewDigest};
pub use lift::Lift;
pub use message::{OverdueMessage, Receipts, StoredMessage};
pub use news::{ACCOUNT_BAN, BAN_ANNOUNCED, News};
pub use parked::{PARKED_PER_HOUR_MAX, ParkedBody, ParkedOver, Parking, ReadAgainOnce};
pub use patient::{Collection, StoredPatient};
pub use receipt::{Evidence, Told};
pub use retorno_domain::slot::FreeSlot;
pub use route::RouteKind;
pub use stranger::{Stranger, StrangerGroup, StrangerHead, StrangerWord};
pub use stranger_answer::{NewStrangerAnswer, StrangerAnswer, StrangerClaim};
pub use survey::{Comment, SurveyAnswer};
pub use table::create_table;
pub use test_message::{StaffNumber, TESTS_A_DAY, TestAsked, TestMessage, TestState};
pub use thread::{HeardLine, StoredThread, Waiting};
pub use timetable::{StoredSlot, TimetableMark};
pub use turn::{Attached, ConsentRecord, PatientChange, SlotChange, TakenIn, Turn, TurnDone, WaitlistChange};
pub use waitlist::{Waiter, WaiterState};

use aws_sdk_dynamodb::Client;
use retorno_domain::ids::ClinicId;

use crate::error::CloudError;
use crate::secrets::SecretKey;

/// The table of a deployment.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: String,
    contact_key: SecretKey,
    clinics: clinic::ClinicCache,
    chance: alias::Chance,
}

impl Store {
    /// The table of that name, with the key under which contact points are hashed.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>, contact_key: SecretKey) -> Self {
        let (table, clinics) = (table.into(), clinic::ClinicCache::default());
        Self { client, table, contact_key, clinics, chance: alias::Chance::System }
    }

    /// The table for whoever reads what was recorded and needs nobody's contact: the key of this process
    /// is known to nobody, so that what it would hash is found nowhere.
    ///
    /// # Errors
    /// [`CloudError::Setup`] when the system gives no random numbers.
    pub fn without_contacts(client: Client, table: impl Into<String>) -> Result<Self, CloudError> {
        Ok(Self::new(client, table, SecretKey::random()?))
    }

    /// The same without chance: what would be random is derived, so that a run can be repeated byte for
    /// byte. For whoever plays time in memory; a name so made outlives nobody's erasure.
    #[must_use]
    pub fn repeatable(self) -> Self {
        Self { chance: alias::Chance::Repeatable, ..self }
    }

    /// The table as one clinic sees it. There is no other way to a key.
    #[must_use]
    pub fn of(&self, clinic: &ClinicId) -> TenantStore {
        TenantStore { store: self.clone(), clinic: clinic.clone() }
    }
}

/// The table as one clinic sees it: every key it builds begins with the clinic's id.
#[derive(Clone, Debug)]
pub struct TenantStore {
    pub(crate) store: Store,
    pub(crate) clinic: ClinicId,
}

impl TenantStore {
    /// Whose view this is.
    #[must_use]
    pub fn clinic(&self) -> &ClinicId {
        &self.clinic
    }

    pub(crate) fn client(&self) -> &Client {
        &self.store.client
    }

    pub(crate) fn table(&self) -> &str {
        &self.store.table
    }
}
