//! Where Citus keeps the rows of a table: spread over shards, on every node, or on one node.

use serde::{Deserialize, Serialize};

/// How Citus distributes a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// The kind of the distribution.
    pub kind: DistributionKind,
    /// The distribution column of a table whose rows are spread over shards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The co-location group. Rows of two tables of one group with the same value of the
    /// distribution column are on the same node. The numbers mean nothing outside of a catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
    /// The number of shards. Replay has `None` if it is the server's `citus.shard_count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<u32>,
}

/// The kinds of distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DistributionKind {
    /// `create_distributed_table(.., 'column')`: a row's shard is that of the hash of its
    /// distribution column.
    Hash,
    /// `distribution_type => 'range'`: each shard has a range of values.
    Range,
    /// `distribution_type => 'append'`: each load adds a shard.
    Append,
    /// `create_distributed_table(.., NULL)`, and tables of a distributed schema: one shard.
    SingleShard,
    /// `create_reference_table`: every node has all rows.
    Reference,
    /// `citus_add_local_table_to_metadata`: the coordinator has all rows, and all nodes can read
    /// them.
    Local,
}

impl DistributionKind {
    /// Returns true if the table has a distribution column.
    pub fn has_column(self) -> bool {
        matches!(self, Self::Hash | Self::Range | Self::Append)
    }

    /// Returns true if the table has exactly one copy of its rows, in shards.
    pub fn is_sharded(self) -> bool {
        self.has_column() || self == Self::SingleShard
    }
}

impl Distribution {
    /// Returns the distribution in words: `by hash of tenant_id`, `a reference table`.
    pub fn words(&self) -> String {
        let column = self.column.as_deref().unwrap_or("..");
        match self.kind {
            DistributionKind::Hash => format!("by hash of {column}"),
            DistributionKind::Range => format!("by range of {column}"),
            DistributionKind::Append => format!("by append, with the column {column}"),
            DistributionKind::SingleShard => "in one shard".to_owned(),
            DistributionKind::Reference => "a reference table".to_owned(),
            DistributionKind::Local => "a local table in Citus's metadata".to_owned(),
        }
    }
}
