//! The named, typed columns of a feature map.

use serde::{Deserialize, Serialize};

use super::{
    Column, Kind, MAX_COLUMNS, MAX_NAME_BYTES, MAX_ROW_BYTES,
    layout::{Layout, Slot, SlotSet},
};
use crate::types::{Error, Result, SchemaId, nearest};

/// The columns of a feature map: data first, then scores.
///
/// A schema evolves by adding nullable columns under a new id ([`Schema::evolve`]). It reads the rows of all its
/// ancestors: the columns that such a row lacks are null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Schema {
    id: SchemaId,
    columns: Vec<Column>,
    /// Columns by name, sorted by name.
    by_name: Vec<u16>,
    /// Where each column lies.
    slots: Vec<Slot>,
    /// Columns by slot.
    by_slot: Vec<u16>,
    /// One for each ancestor, oldest first, and the schema's own.
    layouts: Vec<Layout>,
    /// Columns that are not nullable.
    required: SlotSet,
    /// Score columns.
    scores: SlotSet,
    /// Columns with a range.
    ranged: Vec<u16>,
    /// Columns whose bytes may be wrong: bools and text.
    fallible: Vec<u16>,
}

#[derive(Serialize, Deserialize)]
struct Parts {
    id: SchemaId,
    columns: Vec<Column>,
}

impl Schema {
    /// A first schema of these columns.
    pub fn new(id: SchemaId, mut columns: Vec<Column>) -> Result<Self> {
        columns.iter_mut().for_each(|column| column.since = id);
        Schema::from_columns(id, columns)
    }

    /// The same schema under another id, as a first one: what the catalogue does with a schema read from a file.
    pub fn with_id(self, id: SchemaId) -> Result<Self> {
        Schema::new(id, self.columns)
    }

    /// The next schema of the map: the columns of this one, unchanged, and new nullable ones.
    pub fn evolve(&self, id: SchemaId, mut columns: Vec<Column>) -> Result<Self> {
        if id <= self.id {
            return Err(Error::internal(format!("schema {id} cannot follow schema {}", self.id)));
        }
        for column in &mut columns {
            column.since = match self.named(&column.name) {
                Some(old) => {
                    column.since = old.since;
                    same(old, column)?;
                    old.since
                }
                None if column.nullable => id,
                None => {
                    return Err(Error::invalid(format!("the new column `{}` is not nullable", column.name))
                        .hint("stored rows lack it: declare it with `nullable = true`"));
                }
            };
        }
        if let Some(lost) = self.columns.iter().find(|old| columns.iter().all(|new| new.name != old.name)) {
            return Err(Error::invalid(format!("the column `{}` is missing", lost.name))
                .hint("a schema evolves by adding nullable columns; it cannot lose one"));
        }
        if columns.len() == self.columns.len() {
            return Err(Error::invalid("the schema adds no column"));
        }
        Schema::from_columns(id, columns)
    }

    /// Its id; every row carries the id of the schema it was written under.
    pub fn id(&self) -> SchemaId {
        self.id
    }

    /// Its columns, data first, then scores.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The index of the column of this name.
    pub fn column(&self, name: &str) -> Option<usize> {
        let found = self
            .by_name
            .binary_search_by(|at| self.columns[usize::from(*at)].name.as_str().cmp(name))
            .ok()?;
        Some(usize::from(self.by_name[found]))
    }

    /// The column of this name.
    pub fn named(&self, name: &str) -> Option<&Column> {
        self.column(name).map(|at| &self.columns[at])
    }

    /// The index of the column of this name, or a refusal that names the nearest one.
    pub fn require(&self, name: &str) -> Result<usize> {
        self.column(name).ok_or_else(|| {
            let error = Error::invalid(format!("there is no column `{name}`"));
            match nearest(name, self.columns.iter().map(|column| column.name.as_str())) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("the columns are {}", self.listing())),
            }
        })
    }

    /// How many columns come before the scores.
    pub fn data_columns(&self) -> usize {
        self.columns.iter().take_while(|column| !column.is_score).count()
    }

    /// Whether rows written under the schema `id` can be read.
    pub fn reads(&self, id: SchemaId) -> bool {
        self.layout_of(id).is_some()
    }

    pub(super) fn layout(&self) -> &Layout {
        // `from_columns` builds one layout at least.
        &self.layouts[self.layouts.len() - 1]
    }

    pub(super) fn layout_of(&self, id: SchemaId) -> Option<&Layout> {
        self.layouts.iter().rev().find(|layout| layout.schema == id)
    }

    pub(super) fn slot(&self, column: usize) -> Option<Slot> {
        self.slots.get(column).copied()
    }

    /// The column at this place of the null bitmap.
    pub(super) fn at_slot(&self, rank: usize) -> Option<usize> {
        self.by_slot.get(rank).copied().map(usize::from)
    }

    /// The columns that are not nullable.
    pub(super) fn required(&self) -> &SlotSet {
        &self.required
    }

    /// The score columns.
    pub(super) fn scores(&self) -> &SlotSet {
        &self.scores
    }

    /// The columns with a range.
    pub(super) fn ranged(&self) -> impl Iterator<Item = usize> + '_ {
        self.ranged.iter().copied().map(usize::from)
    }

    /// The columns whose bytes may be wrong.
    pub(super) fn fallible(&self) -> impl Iterator<Item = usize> + '_ {
        self.fallible.iter().copied().map(usize::from)
    }

    fn listing(&self) -> String {
        const SHOWN: usize = 12;
        let mut names: Vec<_> =
            self.columns.iter().take(SHOWN).map(|column| format!("`{}`", column.name)).collect();
        if self.columns.len() > SHOWN {
            names.push(format!("{} more", self.columns.len() - SHOWN));
        }
        names.join(", ")
    }

    fn from_columns(id: SchemaId, columns: Vec<Column>) -> Result<Self> {
        if columns.is_empty() {
            return Err(Error::invalid("the schema has no columns"));
        }
        if columns.len() > MAX_COLUMNS {
            return Err(Error::invalid(format!(
                "the schema has {} columns, more than the limit of {MAX_COLUMNS}",
                columns.len()
            )));
        }
        columns.iter().try_for_each(validate)?;
        if let Some(pair) = columns.windows(2).find(|pair| pair[0].is_score && !pair[1].is_score) {
            return Err(Error::invalid(format!("the column `{}` comes after a score", pair[1].name)));
        }
        if columns.iter().map(|column| column.since).max() != Some(id) {
            return Err(Error::invalid(format!("no column belongs to schema {id}")));
        }
        let by_name = by_name(&columns)?;
        let (slots, by_slot, layouts) = lay_out(&columns);
        let set = |member: fn(&Column) -> bool| {
            let members = columns.iter().zip(&slots).filter(|(column, _)| member(column));
            SlotSet::of(slots.len(), members.map(|(_, slot)| slot.rank()))
        };
        let (required, scores) = (set(|column| !column.nullable), set(|column| column.is_score));
        let ranged = listed(&columns, |column| column.min.is_some() || column.max.is_some());
        let fallible = listed(&columns, |column| matches!(column.kind, Kind::Bool | Kind::Str));
        let schema =
            Schema { id, columns, by_name, slots, by_slot, layouts, required, scores, ranged, fallible };
        match schema.layout().variable_at {
            0..=MAX_ROW_BYTES => Ok(schema),
            bytes => Err(Error::invalid(format!(
                "a row takes at least {bytes} bytes, more than the limit of {MAX_ROW_BYTES}"
            ))),
        }
    }
}

fn validate(column: &Column) -> Result<()> {
    let name = column.name.as_str();
    let refuse = |why: String| Err(Error::invalid(format!("the column `{}` {why}", name.escape_debug())));
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        return Err(Error::invalid(format!(
            "a column's name has {} bytes, not 1 to {MAX_NAME_BYTES}",
            name.len()
        )));
    }
    if name.trim() != name || name.contains(char::is_control) || name.starts_with("__") || name == "this" {
        return Err(Error::invalid(format!("`{}` cannot name a column", name.escape_debug())).hint(
            "names have no control characters or outer spaces, do not start with `__` and are not `this`",
        ));
    }
    if column.is_score && !column.nullable {
        return refuse("is a score and must be nullable".into());
    }
    let bounds = [column.min, column.max];
    if bounds.iter().flatten().any(|bound| !bound.is_finite()) {
        return refuse("has a bound that is not a finite number".into());
    }
    if bounds.iter().any(Option::is_some) && (!column.kind.is_numeric() || column.is_score) {
        return refuse(format!("cannot have a range: only numbers that clients write can ({})", column.kind));
    }
    match bounds {
        [Some(min), Some(max)] if min > max => refuse(format!("has a min of {min} above its max of {max}")),
        _ => Ok(()),
    }
}

fn same(old: &Column, new: &Column) -> Result<()> {
    if old == new {
        return Ok(());
    }
    Err(Error::invalid(format!("the column `{}` differs from the stored schema's", old.name))
        .hint("a schema evolves by adding nullable columns; existing ones keep type, null and range"))
}

fn by_name(columns: &[Column]) -> Result<Vec<u16>> {
    // At most MAX_COLUMNS, so an index fits u16.
    let mut order: Vec<u16> = (0..columns.len() as u16).collect();
    order.sort_by_key(|at| columns[usize::from(*at)].name.as_str());
    let name = |at: u16| columns[usize::from(at)].name.as_str();
    match order.windows(2).find(|pair| name(pair[0]) == name(pair[1])) {
        Some(pair) => Err(Error::invalid(format!("there are two columns `{}`", name(pair[0])))),
        None => Ok(order),
    }
}

fn lay_out(columns: &[Column]) -> (Vec<Slot>, Vec<u16>, Vec<Layout>) {
    let mut order: Vec<u16> = (0..columns.len() as u16).collect();
    order.sort_by_key(|at| columns[usize::from(*at)].since);
    let column = |at: &u16| &columns[usize::from(*at)];
    let in_order = Slot::in_order(order.iter().map(|at| column(at).kind));
    let mut by_column: Vec<(u16, Slot)> =
        order.iter().copied().zip(in_order.iter().map(|(slot, _)| *slot)).collect();
    by_column.sort_by_key(|(at, _)| *at);
    let mut layouts: Vec<Layout> = Vec::new();
    for (at, (_, layout)) in order.iter().zip(in_order) {
        let layout = Layout { schema: column(at).since, ..layout };
        match layouts.last_mut() {
            Some(last) if last.schema == layout.schema => *last = layout,
            _ => layouts.push(layout),
        }
    }
    (by_column.into_iter().map(|(_, slot)| slot).collect(), order, layouts)
}

fn listed(columns: &[Column], member: fn(&Column) -> bool) -> Vec<u16> {
    (0..columns.len() as u16).filter(|at| member(&columns[usize::from(*at)])).collect()
}

impl TryFrom<Parts> for Schema {
    type Error = Error;

    fn try_from(parts: Parts) -> Result<Self> {
        Schema::from_columns(parts.id, parts.columns)
    }
}

impl From<Schema> for Parts {
    fn from(schema: Schema) -> Self {
        Parts { id: schema.id, columns: schema.columns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Kind, RowRef, Scalar, Writer, samples};

    fn refusal(columns: Vec<Column>) -> String {
        Schema::new(SchemaId(1), columns).unwrap_err().to_string()
    }

    #[test]
    fn finds_columns_by_name() {
        let schema = samples::schema();
        for (i, column) in schema.columns().iter().enumerate() {
            assert_eq!(schema.column(&column.name), Some(i));
        }
        assert_eq!(schema.column("nothing"), None);
        assert_eq!(schema.data_columns(), 10);
        assert_eq!(
            schema.require("doubel").unwrap_err().to_string(),
            "there is no column `doubel` (did you mean `double`?)"
        );
    }

    #[test]
    fn refuses_what_is_not_a_schema() {
        let x = || Column::new("x", Kind::F64);
        assert_eq!(refusal(vec![]), "the schema has no columns");
        assert_eq!(refusal(vec![x(), x()]), "there are two columns `x`");
        assert_eq!(refusal(vec![Column::score("s", Kind::F32), x()]), "the column `x` comes after a score");
        assert_eq!(refusal(vec![x().range(2.0, 1.0)]), "the column `x` has a min of 2 above its max of 1");
        assert_eq!(
            refusal(vec![Column::new("x", Kind::Str).range(2.0, None)]),
            "the column `x` cannot have a range: only numbers that clients write can (str)"
        );
        assert_eq!(
            refusal(vec![x().range(f64::NAN, None)]),
            "the column `x` has a bound that is not a finite number"
        );
        assert!(refusal(vec![Column::new("", Kind::F64)]).starts_with("a column's name has 0 bytes"));
        assert!(refusal(vec![Column::new("__key", Kind::F64)]).starts_with("`__key` cannot name a column"));
        assert!(
            refusal((0..=MAX_COLUMNS).map(|i| Column::new(format!("c{i}"), Kind::F64)).collect())
                .starts_with("the schema has 1025 columns")
        );
        let wide = (0..5).map(|i| Column::new(format!("c{i}"), Kind::Vector(65_536))).collect();
        assert_eq!(refusal(wide), "a row takes at least 1310725 bytes, more than the limit of 1048576");
    }

    #[test]
    fn survives_serde() {
        let schema = samples::schema();
        let text = serde_json::to_string(&schema).unwrap();
        assert_eq!(serde_json::from_str::<Schema>(&text).unwrap(), schema);
        let broken = text.replace("\"small\"", "\"flag\"");
        assert!(
            serde_json::from_str::<Schema>(&broken).unwrap_err().to_string().contains("two columns `flag`")
        );
    }

    /// The sample schema with a data column in the middle and one more score.
    fn evolved() -> Schema {
        let old = samples::schema();
        let mut columns = old.columns().to_vec();
        columns.insert(2, Column::new("extra", Kind::Str).nullable());
        columns.insert(2, Column::new("count", Kind::I64).nullable());
        columns.push(Column::score("second", Kind::F64));
        old.evolve(SchemaId(9), columns).unwrap()
    }

    #[test]
    fn an_evolved_schema_reads_old_rows() {
        let (old, new) = (samples::schema(), evolved());
        let bytes = samples::row(&old);
        let (before, after) = (RowRef::new(&old, &bytes).unwrap(), RowRef::new(&new, &bytes).unwrap());
        assert_eq!(after.schema_id(), SchemaId(7));
        for (i, column) in new.columns().iter().enumerate() {
            let expected = old.column(&column.name).map_or(Scalar::Null, |i| before.value(i));
            assert_eq!(after.value(i), expected, "{}", column.name);
        }
        assert_eq!(after.value(new.column("note").unwrap()), Scalar::Str("zwölf"));
        let error = crate::row::check(&new, after, Writer::Client).unwrap_err();
        assert_eq!(error.message, "the row is for schema 7; the map has schema 9");
        assert_eq!(
            RowRef::new(&old, &9u32.to_le_bytes()).unwrap_err().message,
            "the row was written under schema 9; the map has schema 7"
        );
    }

    #[test]
    fn scoring_an_old_row_brings_it_to_the_new_schema() {
        let (old, new) = (samples::schema(), evolved());
        let second = new.column("second").unwrap();
        let bytes =
            crate::row::with_scores(&new, &samples::row(&old), &[(second, Scalar::F64(0.25))]).unwrap();
        let row = RowRef::new(&new, &bytes).unwrap();
        assert_eq!(row.schema_id(), SchemaId(9));
        assert_eq!(row.value(second), Scalar::F64(0.25));
        assert_eq!(row.value(new.column("note").unwrap()), Scalar::Str("zwölf"));
    }

    #[test]
    fn evolution_only_adds_nullable_columns() {
        let old = samples::schema();
        let refusal = |change: fn(&mut Vec<Column>)| {
            let mut columns = old.columns().to_vec();
            change(&mut columns);
            old.evolve(SchemaId(9), columns).unwrap_err().message.into_owned()
        };
        assert_eq!(refusal(|_| ()), "the schema adds no column");
        assert_eq!(refusal(|columns| drop(columns.remove(0))), "the column `flag` is missing");
        assert_eq!(
            refusal(|columns| columns[0].kind = Kind::I32),
            "the column `flag` differs from the stored schema's"
        );
        assert_eq!(
            refusal(|columns| columns.insert(0, Column::new("new", Kind::I32))),
            "the new column `new` is not nullable"
        );
    }
}
