//! Keys to group by, turned into small codes.

use std::sync::Arc;

use hashbrown::HashMap;

/// From this many keys on, a batch's keys are forgotten after it: most of them would not come
/// again, and carrying them along would cost more than finding them anew.
const MANY: usize = 4096;

/// Gives out codes for keys as they are met.
#[derive(Clone, Debug, Default)]
pub(super) struct Interner {
    codes: HashMap<Box<[u8]>, u32>,
    names: Arc<Vec<String>>,
}

impl Interner {
    /// The code of a key, given as the bytes that tell it from others. Its name is asked for when
    /// it is new.
    pub(super) fn code(&mut self, key: &[u8], name: impl FnOnce() -> String) -> u32 {
        if let Some(&code) = self.codes.get(key) {
            return code;
        }
        let code = self.names.len() as u32;
        // Copies the names only where a batch with the earlier ones is still alive.
        Arc::make_mut(&mut self.names).push(name());
        self.codes.insert(key.into(), code);
        code
    }

    /// The names of the codes given out for a batch.
    pub(super) fn names(&mut self) -> Arc<Vec<String>> {
        let names = Arc::clone(&self.names);
        if names.len() > MANY {
            *self = Self::default();
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_get_equal_codes_and_early_batches_keep_their_names() {
        let mut interner = Interner::default();
        assert_eq!(interner.code(b"a", || "a".into()), 0);
        assert_eq!(interner.code(b"b", || "b".into()), 1);
        assert_eq!(interner.code(b"a", || unreachable!()), 0);
        let first = interner.names();
        assert_eq!(interner.code(b"c", || "c".into()), 2);
        assert_eq!(*first, ["a", "b"]);
        assert_eq!(*interner.names(), ["a", "b", "c"]);
    }

    #[test]
    fn many_keys_are_forgotten() {
        let mut interner = Interner::default();
        for i in 0..=MANY {
            interner.code(&i.to_ne_bytes(), || i.to_string());
        }
        assert_eq!(interner.names().len(), MANY + 1);
        assert_eq!(interner.code(b"again", || "again".into()), 0);
    }
}
