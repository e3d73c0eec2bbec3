//! [`Ask`]: a statement and its answer in one round trip.
//!
//! Asked without types, the client has a statement prepared first, to learn them of the database: a second round trip
//! each time, and a third message to forget it. What values are is known here.

use std::borrow::Cow;

use postgres::{
    Error, GenericClient, Row, RowIter,
    types::{ToSql, Type},
};

/// What a value is to the database.
pub(crate) trait Typed {
    /// Its type.
    const TYPE: Type;
}

/// What stands in arrays.
pub(crate) trait Element {
    /// The type of an array of it.
    const ARRAY: Type;
}

macro_rules! types {
    ($($value:ty, $of:ident, $array:ident;)*) => {$(
        impl Typed for $value {
            const TYPE: Type = Type::$of;
        }
        impl Element for $value {
            const ARRAY: Type = Type::$array;
        }
    )*};
}

types! {
    i16, INT2, INT2_ARRAY;
    i32, INT4, INT4_ARRAY;
    i64, INT8, INT8_ARRAY;
    bool, BOOL, BOOL_ARRAY;
    str, TEXT, TEXT_ARRAY;
    String, TEXT, TEXT_ARRAY;
    [u8], BYTEA, BYTEA_ARRAY;
    Vec<u8>, BYTEA, BYTEA_ARRAY;
    Cow<'_, str>, TEXT, TEXT_ARRAY;
}

impl<T: Typed + ?Sized> Typed for &T {
    const TYPE: Type = T::TYPE;
}

impl<T: Typed> Typed for Option<T> {
    const TYPE: Type = T::TYPE;
}

impl<T: Element> Typed for Vec<T> {
    const TYPE: Type = T::ARRAY;
}

impl<T: Element> Typed for [T] {
    const TYPE: Type = T::ARRAY;
}

impl<T: Element + ?Sized> Element for &T {
    const ARRAY: Type = T::ARRAY;
}

impl<T: Element> Element for Option<T> {
    const ARRAY: Type = T::ARRAY;
}

/// A value of a statement.
pub(crate) trait Value: Sync {
    /// It, and its type.
    fn typed(&self) -> (&(dyn ToSql + Sync), Type);
}

impl<T: Typed + ToSql + Sync> Value for T {
    fn typed(&self) -> (&(dyn ToSql + Sync), Type) {
        (self, T::TYPE)
    }
}

/// Asks a database, within a transaction or without one.
pub(crate) trait Ask {
    /// The rows of the answer.
    fn ask(&mut self, sql: &str, values: &[&dyn Value]) -> Result<Vec<Row>, Error>;
    /// The rows of the answer, each when it is asked for.
    fn ask_each(&mut self, sql: &str, values: &[&dyn Value]) -> Result<RowIter<'_>, Error>;
    /// The one row of the answer; any other number of rows is an error.
    fn ask_one(&mut self, sql: &str, values: &[&dyn Value]) -> Result<Row, Error>;
    /// The row of the answer, where there is one; more are an error.
    fn ask_opt(&mut self, sql: &str, values: &[&dyn Value]) -> Result<Option<Row>, Error>;
    /// How many rows were written.
    fn tell(&mut self, sql: &str, values: &[&dyn Value]) -> Result<u64, Error>;
}

impl<C: GenericClient> Ask for C {
    fn ask(&mut self, sql: &str, values: &[&dyn Value]) -> Result<Vec<Row>, Error> {
        self.query_typed(sql, &typed(values))
    }

    fn ask_each(&mut self, sql: &str, values: &[&dyn Value]) -> Result<RowIter<'_>, Error> {
        let values = typed(values).into_iter().map(|(value, of)| (value as &dyn ToSql, of));
        self.query_typed_raw(sql, values)
    }

    fn ask_one(&mut self, sql: &str, values: &[&dyn Value]) -> Result<Row, Error> {
        self.query_typed_one(sql, &typed(values))
    }

    fn ask_opt(&mut self, sql: &str, values: &[&dyn Value]) -> Result<Option<Row>, Error> {
        self.query_typed_opt(sql, &typed(values))
    }

    fn tell(&mut self, sql: &str, values: &[&dyn Value]) -> Result<u64, Error> {
        self.execute_typed(sql, &typed(values))
    }
}

fn typed<'v>(values: &[&'v dyn Value]) -> Vec<(&'v (dyn ToSql + Sync), Type)> {
    values.iter().map(|value| value.typed()).collect()
}
