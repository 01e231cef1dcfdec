//! How patients found their visits: one answer a message; a later one of the same patient replaces it.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use chrono::{DateTime, Utc};
use retorno_domain::ids::{MessageId, PatientId};

use super::TenantStore;
use super::enrollment::put_item;
use super::item::{Reader, ms, n, s};
use super::key::Keys;
use crate::error::CloudError;

/// What a patient wrote about a visit.
#[derive(Clone, PartialEq, Eq)]
pub struct Comment(pub String);

impl std::fmt::Debug for Comment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Comment({} characters)", self.0.chars().count())
    }
}

/// An answer to a survey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurveyAnswer {
    /// From 0 to 10: how much the patient would recommend the clinic.
    pub score: u8,
    /// Why.
    pub comment: Option<Comment>,
    /// When.
    pub at: DateTime<Utc>,
}

impl TenantStore {
    /// Keeps an answer to the survey that a message asked for. Harmless to repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn keep_survey(
        &self,
        patient: &PatientId,
        message: MessageId,
        answer: &SurveyAnswer,
    ) -> Result<(), CloudError> {
        let mut item = Keys(&self.clinic).survey(patient, message).item();
        item.insert("score".to_owned(), n(answer.score));
        item.insert("at".to_owned(), ms(answer.at));
        item.insert("ttl".to_owned(), self.ttl_of(answer.at));
        if let Some(comment) = &answer.comment {
            item.insert("comment".to_owned(), s(comment.0.clone()));
        }
        // Of somebody who was erased since, nothing is kept.
        let opinion = Put::builder().table_name(self.table()).set_item(Some(item));
        let opinion = TransactWriteItem::builder().put(put_item(opinion)?).build();
        self.finish(vec![opinion, self.is_there(patient)?]).await.map(|_| ())
    }

    /// The answer to the survey that a message asked for.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn survey(&self, patient: &PatientId, message: MessageId) -> Result<Option<SurveyAnswer>, CloudError> {
        let key = Keys(&self.clinic).survey(patient, message);
        let Some(item) = self.get("GetItem survey", key.item()).await? else { return Ok(None) };
        let reader = Reader { kind: "survey", item: &item };
        let comment = reader.text_opt("comment").map(|text| Comment(text.to_owned()));
        Ok(Some(SurveyAnswer { score: reader.number("score")?, comment, at: reader.instant("at")? }))
    }
}
