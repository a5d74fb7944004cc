//! The choice among functions or operators of one name (parse_func.c, `func_select_candidate`;
//! manual, 10.2 and 10.3).

use super::analyzer::Analyzer;
use super::coerce::Context;
use super::types::{self, TypeId};

use super::candidate::Candidate;

impl Analyzer<'_> {
    /// Keeps the candidates that accept arguments of these types (`func_match_argtypes`).
    pub(super) fn matching(
        &mut self,
        candidates: &[Candidate],
        given: &[TypeId],
    ) -> Vec<Candidate> {
        let mut matching = Vec::new();
        for candidate in candidates {
            let given = candidate.ordered(given);
            let fits = given
                .iter()
                .zip(&candidate.arguments)
                .all(|(from, to)| self.can_coerce(*from, *to, Context::Implicit));
            if fits && self.agree(&candidate.arguments, &given) {
                matching.push(candidate.clone());
            }
        }
        matching
    }

    /// Returns the best of several candidates, if there is one.
    pub(super) fn choose(
        &mut self,
        candidates: Vec<Candidate>,
        given: &[TypeId],
    ) -> Option<Candidate> {
        let base: Vec<TypeId> = given.iter().map(|ty| self.types.base(*ty)).collect();
        let unknowns = base.iter().filter(|ty| **ty == types::UNKNOWN).count();
        let best = |all: Vec<Candidate>, score: &mut dyn FnMut(&Candidate) -> usize| {
            let scores: Vec<usize> = all.iter().map(score).collect();
            let most = scores.iter().copied().max().unwrap_or(0);
            let all = all.into_iter().zip(scores);
            all.filter(|(_, score)| *score == most)
                .map(|(it, _)| it)
                .collect::<Vec<_>>()
        };
        let mut left = best(candidates, &mut |candidate| {
            let given = candidate.ordered(&base);
            let pairs = given.iter().zip(&candidate.arguments);
            pairs
                .filter(|(from, to)| **from != types::UNKNOWN && from == to)
                .count()
        });
        if left.len() == 1 {
            return left.pop();
        }
        left = best(left, &mut |candidate| {
            let given = candidate.ordered(&base);
            let pairs = given.iter().zip(&candidate.arguments);
            pairs
                .filter(|(from, to)| {
                    **from != types::UNKNOWN
                        && (from == to
                            || (self.types.is_preferred(**to)
                                && self.types.category(**to) == self.types.category(**from)))
                })
                .count()
        });
        if left.len() == 1 {
            return left.pop();
        }
        if unknowns == 0 {
            return None;
        }
        left = self.by_category(left, &base);
        if left.len() == 1 {
            return left.pop();
        }
        if unknowns < base.len() {
            let mut known = base.iter().copied().filter(|ty| *ty != types::UNKNOWN);
            let first = known.next()?;
            if known.all(|ty| ty == first) {
                let mut fitting = Vec::new();
                for candidate in left {
                    let fits = candidate
                        .arguments
                        .iter()
                        .all(|to| self.can_coerce(first, *to, Context::Implicit))
                        && self.agree(&candidate.arguments, &vec![first; base.len()]);
                    if fits {
                        fitting.push(candidate);
                    }
                }
                if fitting.len() == 1 {
                    return fitting.pop();
                }
            }
        }
        None
    }

    /// Decides the type category of each literal of unknown type, and keeps the candidates of these
    /// categories.
    fn by_category(&mut self, candidates: Vec<Candidate>, base: &[TypeId]) -> Vec<Candidate> {
        let mut wanted: Vec<Option<(char, bool)>> = vec![None; base.len()];
        for (position, ty) in base.iter().enumerate() {
            if *ty != types::UNKNOWN {
                continue;
            }
            let mut slot: Option<(char, bool)> = None;
            let mut has_conflict = false;
            for candidate in &candidates {
                let Some(to) = candidate.argument(position) else {
                    continue;
                };
                let found = (self.types.category(to), self.types.is_preferred(to));
                match &mut slot {
                    None => slot = Some(found),
                    Some((category, preferred)) if *category == found.0 => *preferred |= found.1,
                    Some(slot) if found.0 == 'S' => *slot = found,
                    Some(_) => has_conflict = true,
                }
            }
            if has_conflict && slot.is_none_or(|(category, _)| category != 'S') {
                return candidates;
            }
            wanted[position] = slot;
        }
        let mut kept = Vec::new();
        for candidate in &candidates {
            let fits = wanted.iter().enumerate().all(|(position, slot)| {
                let (Some((category, has_preferred)), Some(to)) =
                    (slot, candidate.argument(position))
                else {
                    return true;
                };
                self.types.category(to) == *category
                    && (!has_preferred || self.types.is_preferred(to))
            });
            if fits {
                kept.push(candidate.clone());
            }
        }
        if kept.is_empty() { candidates } else { kept }
    }
}
