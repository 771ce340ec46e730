//! JSON Schemas of the files that users write.

use schemars::JsonSchema;
use serde_json::Value;

/// Returns the JSON Schema of a type that is read from TOML.
pub(super) fn of<T: JsonSchema>() -> String {
    let schema = schemars::schema_for!(T);
    let mut schema = serde_json::to_value(&schema).expect("a schema is plain data");
    as_toml_has_it(&mut schema);
    let text = serde_json::to_string_pretty(&schema).expect("a schema is plain data");
    text + "\n"
}

/// Removes null, which TOML lacks, and the line ends of descriptions.
fn as_toml_has_it(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    members.insert("type".into(), only);
                }
            }
            if let Some(Value::Array(values)) = members.get_mut("enum") {
                values.retain(|value| !value.is_null());
            }
            members.retain(|name, member| name != "default" || !member.is_null());
            members.values_mut().for_each(as_toml_has_it);
        }
        Value::Array(items) => items.iter_mut().for_each(as_toml_has_it),
        _ => {}
    }
}
