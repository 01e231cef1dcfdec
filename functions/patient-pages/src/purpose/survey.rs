//! How the visit was.

use retorno_cloud::CloudError;
use retorno_cloud::desk::Visitor;
use retorno_cloud::store::{Comment, SurveyAnswer};

use crate::answer::PageAnswer;
use crate::pages::Asked;
use crate::view::{survey, thanks};

/// The longest comment that is kept.
const COMMENT_CHARS_MAX: usize = 2_000;
/// The highest mark.
const SCORE_MAX: u8 = 10;

pub(crate) async fn answer(asked: &Asked<'_>, visitor: &Visitor) -> Result<PageAnswer, CloudError> {
    let (patient, message) = (&visitor.patient().id, asked.link.message);
    if !asked.is_posted() {
        let known = visitor.tenant.survey(patient, message).await?;
        let page = if known.is_some() { thanks(&asked.shown()) } else { survey(&asked.shown(), "", false) };
        return Ok(PageAnswer::page(200, page));
    }
    let form = asked.request.form();
    let comment = form.cut("comment", COMMENT_CHARS_MAX);
    let Some(score) = form.one("score").parse().ok().filter(|score| *score <= SCORE_MAX) else {
        return Ok(PageAnswer::page(422, survey(&asked.shown(), &comment, true)));
    };
    let comment = (!comment.is_empty()).then_some(Comment(comment));
    visitor.tenant.keep_survey(patient, message, &SurveyAnswer { score, comment, at: asked.now }).await?;
    Ok(asked.again())
}
