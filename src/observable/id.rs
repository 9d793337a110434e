//! The id of a value that no one made an indicator of: a function of its kind and normal text, the same on every machine
//! and wherever the value is listed.

use uuid::Uuid;

const NAMESPACE: Uuid = Uuid::from_u128(0x8d6f_2c3e_5b1a_4f0d_9a77_31c2_e0b4_57d6);

/// The UUID of a value by the type of its object and its normal text.
pub(crate) fn id_of_text(object_type: &str, text: &str) -> Uuid {
    let mut name = String::with_capacity(object_type.len() + text.len() + 1);
    name.push_str(object_type);
    name.push(':');
    name.push_str(text);
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}
