//! Collations that contradict each other: `a COLLATE "C" < b COLLATE "POSIX"`
//! (parse_collate.c).
//!
//! Only those that a query writes itself are compared. What columns of different collations give is
//! decided by the server.

use super::analyzer::{Analyzer, Result};
use super::expr::{Expr, Kind};
use super::fault::Fault;
use super::types;
use crate::Name;

impl Analyzer<'_> {
    /// Fails if a value combines two explicit collations.
    pub(super) fn check_collations(&self, value: &Expr) -> Result<()> {
        // One alone contradicts nothing.
        if self.collations < 2 {
            return Ok(());
        }
        self.explicit(value).map(drop)
    }

    /// Returns the collation that COLLATE gives to a value or to a part that decides its collation.
    fn explicit<'e>(&self, value: &'e Expr) -> Result<Option<&'e Name>> {
        let mut found: Option<&Name> = None;
        for part in self.deciding_parts(value)? {
            let Some(other) = self.explicit(part)? else {
                continue;
            };
            match found {
                Some(first) if first.name != other.name => {
                    let message = format!(
                        "collation mismatch between explicit collations \"{}\" and \"{}\"",
                        first.name, other.name
                    );
                    return Err(Fault::error("42P21", part.span.clone(), message)
                        .hint("write COLLATE once, around the whole expression"));
                }
                _ => found = Some(other),
            }
        }
        if let Kind::Call(call) = &value.kind
            && call.name == "collate"
        {
            return Ok(value.form.as_ref().and_then(|form| form.collation.as_ref()));
        }
        Ok(found.filter(|_| self.is_collatable(value.ty)))
    }

    /// Returns the parts that a value takes its collation from, and examines the others by
    /// themselves.
    fn deciding_parts<'e>(&self, value: &'e Expr) -> Result<Vec<&'e Expr>> {
        let mut deciding = Vec::new();
        let mut others = Vec::new();
        match &value.kind {
            Kind::Call(call) => {
                deciding.extend(&call.arguments);
                others.extend(call.over.iter().flatten());
            }
            Kind::Aggregate(aggregate) => {
                others.extend(&aggregate.others);
                match aggregate.direct {
                    0 => deciding.extend(&aggregate.arguments),
                    _ => others.extend(&aggregate.arguments),
                }
            }
            Kind::Case { whens, otherwise } => {
                deciding.extend(whens.iter().map(|(_, result)| result));
                deciding.push(otherwise);
                others.extend(whens.iter().map(|(condition, _)| condition));
            }
            Kind::Subscript { value, indexes, .. } => {
                deciding.push(value);
                others.extend(indexes);
            }
            Kind::RowOf(_) | Kind::Other(_) | Kind::Query(_) | Kind::Grouping(_) => {
                value.each(&mut |part| others.push(part));
            }
            _ => value.each(&mut |part| deciding.push(part)),
        }
        for part in others {
            self.explicit(part)?;
        }
        Ok(deciding)
    }

    fn is_collatable(&self, ty: types::TypeId) -> bool {
        let base = self.types.base(ty);
        let element = match self.types.kind(base) {
            types::Kind::Array { element } => self.types.base(element),
            _ => base,
        };
        self.types.category(element) == 'S'
    }
}
