//! `columns` of a source of CSV: a mapping, or the name of a feed whose columns are known.

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::fmt;
use stockade::source::feed;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Columns(pub(crate) feed::Columns);

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Mapping {
    value: Column,
    #[serde(rename = "type")]
    kind: Option<Column>,
    id: Option<Column>,
    name: Option<Column>,
    description: Option<Column>,
    confidence: Option<Column>,
    #[serde(default)]
    labels: Several,
    #[serde(default)]
    types: Several,
    tlp: Option<Column>,
    created: Option<Column>,
    modified: Option<Column>,
    valid_from: Option<Column>,
    valid_until: Option<Column>,
    reference: Option<Column>,
}

/// A number, counted from 1, or a name.
struct Column(feed::Column);

/// A column, or a list of them.
#[derive(Default)]
struct Several(Vec<feed::Column>);

impl From<Mapping> for feed::Columns {
    fn from(mapping: Mapping) -> Self {
        let one = |column: Option<Column>| column.map(|column| column.0);
        let mut columns = Self::default();
        columns.value = Some(mapping.value.0);
        columns.kind = one(mapping.kind);
        columns.id = one(mapping.id);
        columns.name = one(mapping.name);
        columns.description = one(mapping.description);
        columns.confidence = one(mapping.confidence);
        columns.labels = mapping.labels.0;
        columns.types = mapping.types.0;
        columns.tlp = one(mapping.tlp);
        columns.created = one(mapping.created);
        columns.modified = one(mapping.modified);
        columns.valid_from = one(mapping.valid_from);
        columns.valid_until = one(mapping.valid_until);
        columns.reference = one(mapping.reference);
        columns
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Columns;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a mapping such as { value = 2, type = 3 }, or the name of a feed")
            }
            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Columns, E> {
                feed::Columns::preset(name).map(Columns).ok_or_else(|| {
                    let known = feed::Columns::presets().collect::<Vec<_>>().join(", ");
                    E::custom(format_args!(
                        "{}: no feed whose columns are known; there are {known}",
                        name.escape_debug()
                    ))
                })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Columns, A::Error> {
                Mapping::deserialize(MapAccessDeserializer::new(map)).map(|mapping| Columns(mapping.into()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMore).and_then(|Several(mut columns)| match columns.pop() {
            Some(column) if columns.is_empty() => Ok(Self(column)),
            _ => Err(D::Error::custom("one column is meant")),
        })
    }
}

impl<'de> Deserialize<'de> for Several {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMore)
    }
}

struct OneOrMore;

impl<'de> Visitor<'de> for OneOrMore {
    type Value = Several;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a column: its number, counted from 1, or its name")
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Several, E> {
        let number = u32::try_from(number).ok().filter(|number| *number > 0);
        let number = number.ok_or_else(|| E::custom("columns are counted from 1"))?;
        Ok(Several(vec![feed::Column::Number(number)]))
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Several, E> {
        if name.trim().is_empty() {
            return Err(E::custom("a column without a name"));
        }
        Ok(Several(vec![feed::Column::Name(name.to_owned())]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Several, A::Error> {
        let mut columns = Vec::new();
        while let Some(Column(column)) = list.next_element()? {
            columns.push(column);
        }
        Ok(Several(columns))
    }
}
