//! Columns of tables, and headers that name them.

use csv::StringRecord;

/// The columns that a table can have.
pub(in crate::cli) struct Columns {
    /// The names, in the order in which a row without a header has them.
    pub(in crate::cli) names: &'static [&'static str],
    /// The columns one of which a header has to name.
    pub(in crate::cli) needed: &'static [&'static str],
    /// Whether there has to be a header.
    pub(in crate::cli) header: Header,
}

/// Whether the first row has to name the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Header {
    /// A table without a header is refused.
    Required,
    /// A first row that names no column is a row like the others.
    Optional,
}

impl Columns {
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        let mut names = self.names.iter();
        names.position(|column| column.eq_ignore_ascii_case(name))
    }

    pub(super) fn are_named_by(&self, row: &StringRecord) -> bool {
        row.iter().any(|field| self.position(field).is_some())
    }

    /// Describes what a header is.
    pub(super) fn wanted(&self) -> String {
        let known = self.names.join(", ");
        format!("a table begins with a header of column names; the columns are {known}")
    }

    /// Why the first row is no header. A single field may be anything, such as a passphrase: it is not
    /// shown.
    pub(super) fn no_header(&self, first: &StringRecord) -> String {
        let wanted = self.wanted();
        let field = first.get(0).unwrap_or_default();
        if field.starts_with('#') {
            format!("a table has no comments; {wanted}")
        } else if let Some(separator) = field.chars().find(|found| ";\t|".contains(*found)) {
            format!("commas separate fields, not {separator:?}; {wanted}")
        } else if first.len() > 1 {
            format!("unknown column {field:?}; {wanted}")
        } else {
            format!("the first row is not a header; {wanted}")
        }
    }

    /// The place of each column in a header.
    pub(super) fn places(&self, header: &StringRecord) -> Result<Vec<Option<usize>>, String> {
        let mut places = vec![None; self.names.len()];
        for (place, name) in header.iter().enumerate() {
            let Some(column) = self.position(name) else {
                let known = self.names.join(", ");
                return Err(format!("unknown column {name:?}; the columns are {known}"));
            };
            if places[column].replace(place).is_some() {
                return Err(format!("the column {name} is named twice"));
            }
        }
        let is_there = |name: &&str| self.position(name).is_some_and(|it| places[it].is_some());
        if !self.needed.iter().any(is_there) {
            return Err(format!("column {} is required", self.needed.join(" or ")));
        }
        Ok(places)
    }
}
