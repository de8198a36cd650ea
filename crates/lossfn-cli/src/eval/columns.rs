//! Which columns of a table play which role.

use crate::error::CliError;
use crate::eval::Question;
use crate::read::{Column, ColumnType, ReadAs, Request, Source, table_name};
use lossfn::Form;
use std::path::Path;

/// The columns of one table that are read, in the order of the requests made of it.
#[derive(Clone, Debug)]
pub struct Roles {
    /// What to read.
    pub requests: Vec<Request>,
    /// The columns of the prediction, as positions in `requests`.
    pub prediction: Vec<usize>,
    /// The columns of the target.
    pub target: Vec<usize>,
    /// The column of the weights.
    pub weights: Option<usize>,
    /// The column of the mask.
    pub mask: Option<usize>,
    /// The columns to group by.
    pub by: Vec<usize>,
    /// The names, in the order of the requests.
    pub names: Vec<String>,
}

impl Roles {
    /// Finds the columns of a question in a table.
    pub fn new(question: &Question, path: &Path, source: &dyn Source) -> Result<Self, CliError> {
        let columns = source.columns();
        let mut roles = Self {
            requests: Vec::new(),
            prediction: Vec::new(),
            target: Vec::new(),
            weights: None,
            mask: None,
            by: Vec::new(),
            names: Vec::new(),
        };
        let find = |wanted: &str| find(wanted, columns, path);
        let costs = question.costs()?;
        let over_rows = costs.iter().any(|cost| cost.loss().form() != Form::Pointwise);
        let mut request_all = |wanted: &str| -> Result<Vec<usize>, CliError> {
            let chosen = select(wanted, columns, path)?;
            // Text does not tell by its column alone whether it holds lists.
            let may_be_list = over_rows && chosen.len() == 1;
            let read_as = |at: usize| match columns[at].kind {
                ColumnType::List => ReadAs::List,
                ColumnType::Text if may_be_list => ReadAs::List,
                _ => ReadAs::Number,
            };
            Ok(chosen.into_iter().map(|at| roles.request(columns, at, read_as(at))).collect())
        };
        let prediction = request_all(&question.prediction)?;
        let target = request_all(&question.target)?;
        (roles.prediction, roles.target) = (prediction, target);
        if let Some(name) = &question.weights {
            roles.weights = Some(roles.request(columns, find(name)?, ReadAs::Number));
        }
        if let Some(name) = &question.mask {
            roles.mask = Some(roles.request(columns, find(name)?, ReadAs::Number));
        }
        for name in &question.by {
            let place = roles.request(columns, find(name)?, ReadAs::Key);
            roles.by.push(place);
        }
        Ok(roles)
    }

    fn request(&mut self, columns: &[Column], column: usize, read_as: ReadAs) -> usize {
        let request = Request { column, read_as };
        if let Some(place) = self.requests.iter().position(|known| *known == request) {
            return place;
        }
        self.requests.push(request);
        self.names.push(columns[column].name.clone());
        self.requests.len() - 1
    }
}

fn find(wanted: &str, columns: &[Column], path: &Path) -> Result<usize, CliError> {
    columns.iter().position(|column| column.name == wanted).ok_or_else(|| {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        CliError::message(format!(
            "{}: there is no column {wanted:?}; {}",
            table_name(path),
            match names.as_slice() {
                [] => "there are no columns at all".to_owned(),
                names => format!("there are: {}", names.join(", ")),
            }
        ))
    })
}

/// One column, several separated by commas, or all that match a pattern with `*`.
fn select(wanted: &str, columns: &[Column], path: &Path) -> Result<Vec<usize>, CliError> {
    if let Some(at) = columns.iter().position(|column| column.name == wanted) {
        return Ok(vec![at]);
    }
    if wanted.contains(',') {
        return wanted.split(',').map(|name| find(name.trim(), columns, path)).collect();
    }
    let pattern = glob::Pattern::new(wanted)
        .map_err(|error| CliError::message(format!("the pattern {wanted:?}: {error}")))?;
    let mut matching: Vec<usize> =
        (0..columns.len()).filter(|&at| pattern.matches(&columns[at].name)).collect();
    if matching.is_empty() {
        return find(wanted, columns, path).map(|at| vec![at]);
    }
    // score_10 comes after score_9, wherever it stands in the file.
    let number = |at: usize| {
        let name = &columns[at].name;
        let digits = name.trim_end_matches(|c: char| !c.is_ascii_digit());
        let start = digits.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        digits[start..].parse::<u64>().ok()
    };
    if matching.iter().all(|&at| number(at).is_some()) {
        matching.sort_by_key(|&at| number(at));
    }
    Ok(matching)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_ordered_by_number() {
        let names = ["y", "score_10", "score_2", "score_0", "other"];
        let columns: Vec<Column> = names
            .map(|name| Column { name: name.into(), kind: ColumnType::Number })
            .into_iter()
            .collect();
        let chosen = |wanted| select(wanted, &columns, Path::new("f")).unwrap();
        assert_eq!(chosen("score_*"), [3, 2, 1]);
        assert_eq!(chosen("other, score_2"), [4, 2]);
        let error = select("scores_*", &columns, Path::new("f")).unwrap_err().to_string();
        assert!(error.contains("y, score_10, score_2"), "{error}");
    }
}
