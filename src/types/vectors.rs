//! The vectors of the crate `pgvector` in JSON, for those for which it has no form.
//!
//! A `halfvec` is an array of numbers, and a `sparsevec` an object: `{"dimensions": 5, "indices":
//! [0, 2], "values": [1.5, 2]}`, with indices from 0.

use std::collections::BTreeMap;

use pgvector::{HalfVector, SparseVector};
use serde::{Deserialize, Serialize};

use super::json::Json;

impl Json for HalfVector {
    type Form = Vec<f32>;

    fn form(&self) -> Self::Form {
        self.as_slice().iter().map(|value| value.to_f32()).collect()
    }

    fn read(form: Self::Form) -> Result<Self, String> {
        Ok(Self::from_f32_slice(&form))
    }
}

/// The form of a sparse vector.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sparse {
    dimensions: i32,
    indices: Vec<i32>,
    values: Vec<f32>,
}

impl Json for SparseVector {
    type Form = Sparse;

    fn form(&self) -> Sparse {
        Sparse {
            dimensions: self.dimensions(),
            indices: self.indices().to_vec(),
            values: self.values().to_vec(),
        }
    }

    fn read(form: Sparse) -> Result<Self, String> {
        let Sparse {
            dimensions,
            indices,
            values,
        } = form;
        if indices.len() != values.len() {
            return Err("a sparse vector has one value for each index".to_owned());
        }
        if !indices.iter().all(|index| (0..dimensions).contains(index)) {
            return Err("an index of a sparse vector is outside of its dimensions".to_owned());
        }
        let elements: BTreeMap<_, _> = indices.iter().zip(&values).collect();
        Ok(Self::from_map(elements, dimensions))
    }
}
