//! Parameters by name: a query string, an urlencoded form, or a multipart form (what PHP's curl sends for an
//! array), all looked up alike.

use futures_util::stream;
use waypost_h1::Field;

use super::{Call, Fail};
use crate::limits;

/// Parameters, those of the body before those of the query string.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// The first one of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All of them in their order, written as an urlencoded form.
    pub(super) fn encoded(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// `form`, then what `query` holds.
    pub(super) fn of(query: Option<&str>, form: Vec<(String, String)>) -> Result<Self, Fail> {
        let mut all = form;
        let query = query.unwrap_or_default();
        all.extend(
            url::form_urlencoded::parse(query.as_bytes()).into_owned().take(limits::FIELDS + 1),
        );
        few(all).map(Self)
    }
}

impl Call {
    /// A parameter of the query string or form.
    ///
    /// # Errors
    /// As [`Call::fields`].
    pub fn query(&self, name: &str) -> Result<Option<&str>, Fail> {
        Ok(self.fields()?.get(name))
    }

    /// A parameter that is a whole number in `range`.
    ///
    /// # Errors
    /// [`Fail::Invalid`] where it is anything else; as [`Call::fields`].
    pub fn query_number(
        &self,
        name: &'static str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<Option<u64>, Fail> {
        let Some(text) = self.query(name)? else { return Ok(None) };
        match text.parse().ok().filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => {
                let (least, most) = (range.start(), range.end());
                Err(Fail::invalid(name, format!("expected a whole number from {least} to {most}")))
            }
        }
    }
}

/// The fields of a form's body.
pub(super) fn read(kind: Option<&str>, body: &[u8]) -> Result<Vec<(String, String)>, Fail> {
    if body.is_empty() {
        return Ok(Vec::new());
    }
    match kind.and_then(|kind| multer::parse_boundary(kind).ok()) {
        Some(boundary) => futures_executor::block_on(multipart(boundary, body.to_vec())),
        None => {
            few(url::form_urlencoded::parse(body).into_owned().take(limits::FIELDS + 1).collect())
        }
    }
}

/// The text fields of a multipart body (RFC 7578). The body is all there: nothing is waited for.
async fn multipart(boundary: String, body: Vec<u8>) -> Result<Vec<(String, String)>, Fail> {
    let chunks = stream::iter([Ok::<_, std::convert::Infallible>(body)]);
    let mut parts = multer::Multipart::new(chunks, boundary);
    let mut fields = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(malformed)? {
        let name = part.name().unwrap_or_default().to_owned();
        fields.push((name, part.text().await.map_err(malformed)?));
        if fields.len() > limits::FIELDS {
            break;
        }
    }
    few(fields)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn malformed(error: multer::Error) -> Fail {
    Fail::Malformed(format!("The form can't be read: {error}"))
}

fn few(fields: Vec<(String, String)>) -> Result<Vec<(String, String)>, Fail> {
    if fields.len() <= limits::FIELDS {
        return Ok(fields);
    }
    Err(Fail::Malformed(format!("More than {} parameters", limits::FIELDS)))
}

/// Whether a body of this type is a form; one without a type is taken for it.
pub(super) fn is_form(call: &Call) -> bool {
    let kind =
        call.header(Field::ContentType).map(|kind| kind.split(';').next().unwrap_or_default());
    kind.is_none_or(|kind| {
        let kind = kind.trim();
        ["application/x-www-form-urlencoded", "multipart/form-data"]
            .iter()
            .any(|form| kind.eq_ignore_ascii_case(form))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MULTIPART: &str = "--X\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nMy Title\r\n\
        --X\r\nContent-Disposition: form-data; name=\"notes\"\r\n\r\ncaf\u{e9}\r\n--X--\r\n";

    #[test]
    fn forms_of_both_kinds() {
        for (kind, body, expected) in [
            (None, "title=My+Title&notes=caf%C3%A9", Some("My Title")),
            (Some("application/x-www-form-urlencoded"), "notes=&title=a%26b", Some("a&b")),
            (Some("multipart/form-data; boundary=X"), MULTIPART, Some("My Title")),
            (Some("multipart/form-data; boundary=Y"), MULTIPART, None),
            (Some("multipart/form-data; boundary=X"), "--X\r\nnonsense", None),
            (None, "", None),
        ] {
            let fields = read(kind, body.as_bytes()).map(Fields);
            let title = fields.as_ref().ok().and_then(|fields| fields.get("title"));
            assert_eq!(title, expected, "{kind:?} {body:?}: {fields:?}");
        }
    }

    #[test]
    fn fields_are_bounded_and_the_body_comes_first() {
        let many = "a=b&".repeat(limits::FIELDS + 1);
        assert!(read(None, many.as_bytes()).is_err());
        assert!(Fields::of(Some(&many), Vec::new()).is_err());
        let body = vec![("a".to_owned(), "body".to_owned())];
        let fields = Fields::of(Some("a=query&b=query"), body).unwrap();
        assert_eq!((fields.get("a"), fields.get("b")), (Some("body"), Some("query")));
        assert_eq!(fields.encoded(), "a=body&a=query&b=query");
    }
}
