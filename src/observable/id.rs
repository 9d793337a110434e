//! The id of a value that no one made an indicator of: a function of its kind and normal text, the same on every machine
//! and wherever the value is listed.

use sha1::{Digest, Sha1};
use uuid::Uuid;

const NAMESPACE: Uuid = Uuid::from_u128(0x8d6f_2c3e_5b1a_4f0d_9a77_31c2_e0b4_57d6);

/// The UUID of a value by the type of its object and its normal text.
pub(crate) fn id_of_text(object_type: &str, text: &str) -> Uuid {
    // As `Uuid::new_v5`, by the processor's own instructions where it has them: lists are mostly this.
    let mut hash = Sha1::new();
    hash.update(NAMESPACE);
    hash.update(object_type);
    hash.update(":");
    hash.update(text);
    let hash: [u8; 20] = hash.finalize().into();
    uuid::Builder::from_sha1_bytes(*hash.first_chunk().expect("twenty bytes")).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_uuid_of_version_five() {
        for text in ["192.0.2.1", "evil.example", &"x".repeat(200)] {
            let expected = Uuid::new_v5(&NAMESPACE, format!("domain-name:{text}").as_bytes());
            assert_eq!(id_of_text("domain-name", text), expected);
        }
    }
}
