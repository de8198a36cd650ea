//! Looking losses up: by name, by alias, by text such as `huber(delta=1.5)`.

use crate::describe::{Description, Task};
use crate::error::Error;
use crate::loss::Loss;

/// A loss of the catalog.
pub struct Entry {
    /// What is said about it.
    pub description: &'static Description,
    /// The folder of its file in `src/losses`.
    pub family: &'static str,
    build: fn(&[f64]) -> Result<Loss, Error>,
}

impl Entry {
    pub(crate) const fn new(
        description: &'static Description,
        family: &'static str,
        build: fn(&[f64]) -> Result<Loss, Error>,
    ) -> Self {
        Self { description, family, build }
    }

    /// The loss with these parameters, in the order of the description.
    ///
    /// # Errors
    /// [`Error::ParameterOutOfRange`].
    pub fn build(&self, parameters: &[f64]) -> Result<Loss, Error> {
        (self.build)(parameters)
    }

    /// The loss with its default parameters.
    ///
    /// # Panics
    /// Never: a test holds every default to its range.
    #[must_use]
    pub fn with_defaults(&self) -> Loss {
        let defaults: Vec<f64> = self.description.parameters.iter().map(|p| p.default).collect();
        self.build(&defaults).expect("defaults are in range")
    }
}

/// Declares the modules of all losses and the list of them. See `src/losses/mod.rs`.
macro_rules! catalog {
    ($($family:ident { $($form:ident $file:ident::$name:ident,)* })*) => {
        $(
            #[doc = concat!("Losses of the family ", stringify!($family), ".")]
            pub mod $family {
                $(mod $file;)*
                $(pub use $file::$name;)*
            }
        )*

        /// Every loss, in the order in which they are shown.
        pub static CATALOG: &[$crate::catalog::Entry] = &[
            $($(
                $crate::catalog::Entry::new(
                    &<$family::$name as $crate::Described>::DESCRIPTION,
                    stringify!($family),
                    $crate::catalog::catalog!(@build $form $family::$name),
                ),
            )*)*
        ];

        $($($crate::catalog::catalog!(@from $form $family::$name);)*)*
    };
    (@build pointwise $loss:path) => {
        |values| Ok($crate::Loss::from_pointwise(<$loss as $crate::Described>::with_parameters(values)?))
    };
    (@build class_axis $loss:path) => {
        |values| Ok($crate::Loss::from_class_axis(<$loss as $crate::Described>::with_parameters(values)?))
    };
    (@build joint $loss:path) => {
        |values| Ok($crate::Loss::from_joint(<$loss as $crate::Described>::with_parameters(values)?))
    };
    (@build ensemble $loss:path) => {
        |values| Ok($crate::Loss::from_ensemble(<$loss as $crate::Described>::with_parameters(values)?))
    };
    (@from pointwise $loss:path) => {
        impl From<$loss> for $crate::Loss {
            fn from(loss: $loss) -> Self {
                Self::from_pointwise(loss)
            }
        }
    };
    (@from class_axis $loss:path) => {
        impl From<$loss> for $crate::Loss {
            fn from(loss: $loss) -> Self {
                Self::from_class_axis(loss)
            }
        }
    };
    (@from joint $loss:path) => {
        impl From<$loss> for $crate::Loss {
            fn from(loss: $loss) -> Self {
                Self::from_joint(loss)
            }
        }
    };
    (@from ensemble $loss:path) => {
        impl From<$loss> for $crate::Loss {
            fn from(loss: $loss) -> Self {
                Self::from_ensemble(loss)
            }
        }
    };
}
pub(crate) use catalog;

pub use crate::losses::CATALOG;

/// The losses for a task.
pub fn for_task(task: Task) -> impl Iterator<Item = &'static Entry> {
    CATALOG.iter().filter(move |entry| entry.description.task == task)
}

/// The loss with this name or alias.
///
/// # Errors
/// [`Error::UnknownLoss`], with the nearest name if one is near.
pub fn find(name: &str) -> Result<&'static Entry, Error> {
    let named = |entry: &&Entry| entry.description.id == name;
    let also_named = |entry: &&Entry| entry.description.aliases.contains(&name);
    CATALOG.iter().find(named).or_else(|| CATALOG.iter().find(also_named)).ok_or_else(|| {
        let every_name = CATALOG.iter().flat_map(|entry| {
            std::iter::once(entry.description.id).chain(entry.description.aliases.iter().copied())
        });
        let distance = |candidate: &str| {
            strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase())
        };
        // No name is so long; the distance would take long to find.
        let every_name = every_name.filter(|_| name.len() <= 64);
        let nearest = every_name.min_by_key(|candidate| distance(candidate));
        let near_enough = |candidate: &&str| {
            distance(candidate) <= 1 + name.chars().count() / 3
                || name.len() >= 3 && candidate.contains(name)
        };
        Error::UnknownLoss { name: name.to_owned(), suggestion: nearest.filter(near_enough) }
    })
}
