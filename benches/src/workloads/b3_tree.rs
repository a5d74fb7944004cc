//! B3: users, their posts, and the comments on the posts, assembled as a tree.

use super::{Part, Workload, contenders, in_rounds};
use crate::rounds::Rounds;
use crate::target::Target;

pub const TREE: Workload = Workload {
    name: "B3",
    of: |peer| peer.graph(),
    lengths: (1, 6),
};

pub const PART: Part = Part {
    name: "B3",
    title: "100 users, 1,000 posts, 10,000 comments as a tree",
    measure: |server| {
        let mut text = String::new();
        for milliseconds in [0, 1] {
            let how = Rounds {
                rounds: 9,
                clean_up: None,
                pieces: 1,
            };
            let target: Target = server.at_distance(milliseconds)?;
            let trees = contenders(|peer| peer.graph());
            let what = format!("{milliseconds} ms for a round trip of the network.");
            text += &in_rounds(server, &target, &what, &trees, how)?;
        }
        Ok(text)
    },
};
