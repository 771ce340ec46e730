//! Types of which a JSON Schema names the values.

/// Makes types whose schema is a text with one of some values.
macro_rules! named {
    ($($visibility:vis $type:ident: $values:expr;)*) => {$(
        $visibility struct $type;

        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let values: Vec<&str> = $values;
                schemars::json_schema!({ "type": "string", "enum": values })
            }
        }
    )*};
}

pub(crate) use named;
