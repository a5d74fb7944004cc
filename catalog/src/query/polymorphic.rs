//! Polymorphic types, and the actual types that they stand for in a call (manual, 38.2.5).

use super::analyzer::{Analyzer, Result};
use super::coerce::Context;
use super::expr::Span;
use super::fault::Fault;
use super::types::{self, Kind as TypeKind, TypeId, is_compatible, is_polymorphic};

impl Analyzer<'_> {
    /// Returns true if the polymorphic types of a call can agree
    /// (`check_generic_type_consistency`).
    pub(super) fn agree(&mut self, declared: &[TypeId], actual: &[TypeId]) -> bool {
        if !declared.iter().any(|ty| is_polymorphic(*ty)) {
            return true;
        }
        let is_open_enum = declared.contains(&types::ANY_ENUM)
            && declared
                .iter()
                .zip(actual)
                .filter(|(declared, _)| is_polymorphic(**declared))
                .all(|(_, actual)| *actual == types::UNKNOWN);
        !is_open_enum
            && self.plain_family(declared, actual).is_some()
            && self.compatible_family(declared, actual).is_some()
    }

    /// Returns the declared types of a call with those of polymorphic arguments filled in, and the
    /// type of its result (`enforce_generic_type_consistency`).
    pub(super) fn resolve(
        &mut self,
        declared: &[TypeId],
        actual: &[TypeId],
        result: TypeId,
        span: &Span,
    ) -> Result<(Vec<TypeId>, TypeId)> {
        if !declared.iter().any(|ty| is_polymorphic(*ty)) && !is_polymorphic(result) {
            return Ok((declared.to_vec(), result));
        }
        let families = self
            .plain_family(declared, actual)
            .zip(self.compatible_family(declared, actual));
        let Some((plain, compatible)) = families else {
            return Err(
                Fault::error("42804", span.clone(), "arguments are not all alike")
                    .hint("cast an argument"),
            );
        };
        let mut filled = Vec::new();
        for ty in declared.iter().chain([&result]) {
            filled.push(self.fill(*ty, &plain, &compatible, span)?);
        }
        let result = filled.pop().unwrap_or(result);
        Ok((filled, result))
    }

    pub(super) fn fill(
        &mut self,
        ty: TypeId,
        plain: &Family,
        compatible: &Family,
        span: &Span,
    ) -> Result<TypeId> {
        if !is_polymorphic(ty) {
            return Ok(ty);
        }
        let family = if is_compatible(ty) { compatible } else { plain };
        let found = match ty {
            types::ANY_ARRAY | types::COMPATIBLE_ARRAY => match (family.array, family.element) {
                (Some(array), _) => Some(array),
                (None, Some(element))
                    if matches!(self.types.kind(element), TypeKind::Array { .. }) =>
                {
                    let words = self.types.words(element);
                    let message = format!("could not find array type for data type {words}");
                    return Err(Fault::error("42704", span.clone(), message));
                }
                (None, Some(element)) => Some(self.types.array_of(element)),
                (None, None) => None,
            },
            types::ANY_RANGE | types::COMPATIBLE_RANGE => match (family.range, family.multirange) {
                (Some(range), _) => Some(range),
                (None, Some(multirange)) => self.types.range_of(multirange),
                (None, None) => None,
            },
            types::ANY_MULTIRANGE | types::COMPATIBLE_MULTIRANGE => {
                match (family.multirange, family.range) {
                    (Some(multirange), _) => Some(multirange),
                    (None, Some(range)) => self.types.multirange_of(range),
                    (None, None) => None,
                }
            }
            _ => family.element,
        };
        found.ok_or_else(|| {
            let words = self.types.words(ty);
            let kind = match ty {
                types::ANY_ELEMENT | types::ANY_ARRAY => "type".to_owned(),
                _ => format!("type {words}"),
            };
            let message =
                format!("could not determine polymorphic {kind} because input has type unknown");
            Fault::error("42804", span.clone(), message).hint("cast an argument")
        })
    }

    pub(super) fn plain_family(
        &mut self,
        declared: &[TypeId],
        actual: &[TypeId],
    ) -> Option<Family> {
        let mut family = Family::default();
        let mut is_enum = false;
        let mut is_non_array = false;
        for (declared, actual) in declared.iter().zip(actual) {
            if !is_polymorphic(*declared) || is_compatible(*declared) || *actual == types::UNKNOWN {
                continue;
            }
            let base = self.types.base(*actual);
            let slot = match *declared {
                types::ANY_ARRAY => {
                    if !matches!(self.types.kind(base), TypeKind::Array { .. })
                        && self.types.element(base).is_none()
                    {
                        return None;
                    }
                    (&mut family.array, base)
                }
                types::ANY_RANGE => (&mut family.range, base),
                types::ANY_MULTIRANGE => (&mut family.multirange, base),
                _ => {
                    is_enum |= *declared == types::ANY_ENUM;
                    is_non_array |= *declared == types::ANY_NON_ARRAY;
                    (&mut family.element, *actual)
                }
            };
            match slot {
                (Some(earlier), found) if *earlier != found => return None,
                (slot, found) => *slot = Some(found),
            }
        }
        if let Some(array) = family.array {
            let element = self.types.element(array)?;
            if *family.element.get_or_insert(element) != element {
                return None;
            }
        }
        if let Some(multirange) = family.multirange {
            let range = self.types.range_of(multirange)?;
            if *family.range.get_or_insert(range) != range {
                return None;
            }
        }
        if let Some(range) = family.range {
            let subtype = self.types.subtype(range)?;
            if *family.element.get_or_insert(subtype) != subtype {
                return None;
            }
        }
        if let Some(element) = family.element {
            let base = self.types.base(element);
            if is_enum && self.types.kind(base) != TypeKind::Enum {
                return None;
            }
            if is_non_array && self.types.element(base).is_some() {
                return None;
            }
        }
        Some(family)
    }

    pub(super) fn compatible_family(
        &mut self,
        declared: &[TypeId],
        actual: &[TypeId],
    ) -> Option<Family> {
        let mut family = Family::default();
        let mut elements = Vec::new();
        let mut is_used = false;
        for (declared, actual) in declared.iter().zip(actual) {
            if !is_compatible(*declared) {
                continue;
            }
            is_used = true;
            if *actual == types::UNKNOWN {
                continue;
            }
            let base = self.types.base(*actual);
            match *declared {
                types::COMPATIBLE_ARRAY => elements.push(self.types.element(base)?),
                types::COMPATIBLE_RANGE => {
                    if *family.range.get_or_insert(base) != base {
                        return None;
                    }
                    elements.push(self.types.subtype(base)?);
                }
                types::COMPATIBLE_MULTIRANGE => {
                    if *family.multirange.get_or_insert(base) != base {
                        return None;
                    }
                    let range = self.types.range_of(base)?;
                    elements.push(self.types.subtype(range)?);
                }
                types::COMPATIBLE_NON_ARRAY if self.types.element(base).is_some() => return None,
                _ => elements.push(*actual),
            }
        }
        if is_used {
            let element = match elements.is_empty() {
                true => types::TEXT,
                false => self.common_type(elements.iter().copied()).ok()?,
            };
            for actual in &elements {
                if !self.can_coerce(*actual, element, Context::Implicit) {
                    return None;
                }
            }
            if let Some(range) = family.range
                && self.types.subtype(range) != Some(element)
            {
                return None;
            }
            family.element = Some(element);
        }
        Some(family)
    }
}

/// The types for which one family of polymorphic types stands in a call.
#[derive(Debug, Default)]
pub(super) struct Family {
    element: Option<TypeId>,
    array: Option<TypeId>,
    range: Option<TypeId>,
    multirange: Option<TypeId>,
}
