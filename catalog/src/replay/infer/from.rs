//! FROM: the tables that a query reads, and the names that it defines.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::infer::{Inference, Output, Value, renamed, settled};
use crate::replay::refusal::{Refused, Result};
use crate::replay::syntax::tree::{self, child, child_name, child_names, has, path};
use crate::{DataType, Name, TypeKind};

/// One table of FROM under its alias.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) alias: Option<String>,
    /// The relation, if it has no alias.
    pub(crate) relation: Option<Name>,
    /// The whole row as a value.
    pub(crate) row: Value,
    pub(crate) columns: Vec<Output>,
}

/// The tables and columns of an item in FROM: tables by name, and columns in the order of `*`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Item {
    sources: Vec<Source>,
    star: Vec<Output>,
}

/// The names that are visible at one position.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    item: Item,
    common: Vec<(String, Vec<Output>)>,
    outer: Option<Box<Scope>>,
}

impl Scope {
    /// Returns a scope within this one.
    pub(crate) fn inner(&self) -> Self {
        Self {
            item: Item::default(),
            common: self.common.clone(),
            outer: Some(Box::new(self.clone())),
        }
    }

    pub(crate) fn add_common(&mut self, name: String, columns: Vec<Output>) {
        self.common.insert(0, (name, columns));
    }

    pub(crate) fn add(&mut self, item: Item) {
        self.item.sources.extend(item.sources);
        self.item.star.extend(item.star);
    }

    pub(crate) fn star(&self) -> Vec<Output> {
        self.item.star.clone()
    }

    /// Returns a column by its bare name, from this scope or an outer one.
    pub(crate) fn column(&self, name: &str) -> Option<&Output> {
        let found = self.item.star.iter().find(|column| column.name == name);
        let outer = || self.outer.as_ref().and_then(|outer| outer.column(name));
        found.or_else(outer)
    }

    /// Returns a table by its alias or name, from this scope or an outer one.
    pub(crate) fn source(&self, parts: &[String]) -> Option<&Source> {
        let fits = |source: &&Source| match (parts, &source.relation) {
            ([name], _) => source.alias.as_ref() == Some(name),
            ([schema, name], Some(relation)) => {
                relation.schema == *schema && relation.name == *name
            }
            _ => false,
        };
        let outer = || self.outer.as_ref().and_then(|outer| outer.source(parts));
        self.item.sources.iter().find(fits).or_else(outer)
    }
}

impl Source {
    pub(crate) fn column(&self, name: &str) -> Option<&Output> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns the whole row as a value. For a function that returns single values, it is the
    /// value.
    pub(crate) fn row(&self) -> Value {
        self.row.clone()
    }

    pub(crate) fn item(self) -> Item {
        Item {
            star: self.columns.clone(),
            sources: vec![self],
        }
    }
}

impl Inference<'_> {
    pub(crate) fn read_item(&self, node: &SyntaxNode, scope: &Scope) -> Result<Item> {
        use SyntaxKind as K;
        match node.kind() {
            K::RELATION_FROM_ITEM => {
                let reference = child(node, K::RELATION_NAME_REF)
                    .ok_or_else(|| Refused::new(node, "no table is named"))?;
                let mut source = self.relation(&reference, scope)?;
                self.alias(node, &mut source)?;
                Ok(source.item())
            }
            K::JOIN_EXPR => self.join(node, scope),
            K::PAREN_FROM_ITEM => {
                let inner = node
                    .children()
                    .find(|part| part.kind() != K::FROM_ALIAS)
                    .ok_or_else(|| Refused::new(node, "the query is not whole"))?;
                if tree::is_query(inner.kind()) {
                    let columns = settled(self.query(&inner, scope)?);
                    let mut source = Source {
                        alias: None,
                        relation: None,
                        row: Value::system("record"),
                        columns,
                    };
                    self.alias(node, &mut source)?;
                    return Ok(source.item());
                }
                let item = self.read_item(&inner, scope)?;
                let Some(_) = child(node, K::FROM_ALIAS) else {
                    return Ok(item);
                };
                let mut source = Source {
                    alias: None,
                    relation: None,
                    row: Value::system("record"),
                    columns: item.star,
                };
                self.alias(node, &mut source)?;
                Ok(source.item())
            }
            K::PAREN_EXPR => {
                let inner = node
                    .children()
                    .next()
                    .ok_or_else(|| Refused::new(node, "the query is not whole"))?;
                self.read_item(&inner, scope)
            }
            K::FUNCTION_FROM_ITEM => self.function_table(node, scope),
            K::ROWS_FROM_ITEM => self.rows_from(node, scope),
            K::JSON_TABLE_FROM_ITEM | K::XML_TABLE_FROM_ITEM => self.document_table(node, scope),
            _ => Err(Refused::new(node, "the columns of this are not inferred")),
        }
    }

    /// Returns a table, view or common table expression by name.
    pub(crate) fn relation(&self, reference: &SyntaxNode, scope: &Scope) -> Result<Source> {
        let parts = path(reference);
        if let [only] = parts.as_slice()
            && let Some((name, columns)) = scope.common.iter().find(|(name, _)| name == only)
        {
            return Ok(Source {
                alias: Some(name.clone()),
                relation: None,
                row: Value::system("record"),
                columns: columns.clone(),
            });
        }
        if let Some(source) = self.system_relation(&parts) {
            return Ok(source);
        }
        let found = self.state.find_relation(&parts);
        let found = found.and_then(|name| self.state.catalog().relations.get(&name));
        let relation = found.ok_or_else(|| {
            Refused::new(reference, format!("there is no table {}", parts.join(".")))
                .hint("check the spelling, and whether an earlier migration creates it")
                .raises("undefined_table")
        })?;
        self.used
            .borrow_mut()
            .relations
            .insert(relation.name.clone());
        let columns = relation.columns.iter().map(|column| Output {
            name: column.name.clone(),
            value: Value {
                data_type: Some(column.data_type.clone()),
                collation: column.collation.clone(),
            },
            origin: Some((relation.name.clone(), column.name.clone())),
        });
        Ok(Source {
            alias: Some(relation.name.name.clone()),
            relation: Some(relation.name.clone()),
            row: Value::new(DataType {
                name: relation.name.clone(),
                modifiers: Vec::new(),
                fields: None,
                dimensions: 0,
            }),
            columns: columns.collect(),
        })
    }

    pub(crate) fn alias(&self, node: &SyntaxNode, source: &mut Source) -> Result<()> {
        use SyntaxKind as K;
        let Some(alias) = child(node, K::FROM_ALIAS) else {
            return Ok(());
        };
        if let Some(name) = child_name(&alias, K::TABLE_ALIAS) {
            source.alias = Some(name);
            source.relation = None;
        }
        if let Some(list) = child(&alias, K::COLUMN_LIST) {
            let names = child_names(&list, K::COLUMN_NAME);
            source.columns = renamed(std::mem::take(&mut source.columns), &names);
        }
        if let Some(list) = child(&alias, K::COLUMN_DEF_LIST) {
            source.columns = self.defined(&list)?;
        }
        Ok(())
    }

    pub(crate) fn join(&self, node: &SyntaxNode, scope: &Scope) -> Result<Item> {
        use SyntaxKind as K;
        let mut parts = node.children();
        let left = parts
            .next()
            .ok_or_else(|| Refused::new(node, "the query is not whole"))?;
        let mut left = self.read_item(&left, scope)?;
        for join in parts.filter(|part| part.kind() == K::JOIN) {
            let mut so_far = scope.clone();
            so_far.add(left.clone());
            let right = join.children().find(|part| {
                matches!(
                    part.kind(),
                    K::RELATION_FROM_ITEM
                        | K::JOIN_EXPR
                        | K::PAREN_FROM_ITEM
                        | K::PAREN_EXPR
                        | K::FUNCTION_FROM_ITEM
                        | K::ROWS_FROM_ITEM
                        | K::JSON_TABLE_FROM_ITEM
                        | K::XML_TABLE_FROM_ITEM
                )
            });
            let right = right.ok_or_else(|| Refused::new(&join, "the query is not whole"))?;
            let right = self.read_item(&right, &so_far)?;
            let shared = if has(&join, K::NATURAL_KW) {
                let in_right =
                    |column: &&Output| right.star.iter().any(|other| other.name == column.name);
                left.star
                    .iter()
                    .filter(in_right)
                    .map(|column| column.name.clone())
                    .collect()
            } else {
                child(&join, K::JOIN_USING_CLAUSE)
                    .and_then(|clause| child(&clause, K::COLUMN_REF_LIST))
                    .map(|list| child_names(&list, K::COLUMN_NAME_REF))
                    .unwrap_or_default()
            };
            let is_right = has(&join, K::JOIN_RIGHT);
            let star = self.merge(&join, &left.star, &right.star, &shared, is_right)?;
            left.sources.extend(right.sources);
            left.star = star;
            if let Some(condition) = child(&join, K::ON_CLAUSE) {
                let mut joined = scope.clone();
                joined.add(left.clone());
                self.visit(&condition, &joined);
            }
        }
        Ok(left)
    }

    /// Returns the columns of a join: first the common ones, each once, then the rest.
    fn merge(
        &self,
        node: &SyntaxNode,
        left: &[Output],
        right: &[Output],
        shared: &[String],
        is_right: bool,
    ) -> Result<Vec<Output>> {
        let mut star = Vec::new();
        for name in shared {
            let find = |columns: &[Output]| {
                let found = columns.iter().find(|column| column.name == *name);
                found.cloned().ok_or_else(|| {
                    Refused::new(node, format!("a side of the join has no column {name}"))
                })
            };
            let (left, right) = (find(left)?, find(right)?);
            self.note(&left);
            self.note(&right);
            let value = self.common(node, &[left.value.clone(), right.value.clone()])?;
            let mut column = if is_right { right } else { left };
            column.value = value;
            star.push(column);
        }
        let rest = left.iter().chain(right);
        star.extend(
            rest.filter(|column| !shared.contains(&column.name))
                .cloned(),
        );
        Ok(star)
    }

    /// Returns the columns of `t.*` or `(composite).*`.
    pub(crate) fn star_of(&self, node: &SyntaxNode, scope: &Scope) -> Result<Vec<Output>> {
        let base = node
            .children()
            .next()
            .ok_or_else(|| Refused::new(node, "the query is not whole"))?;
        let parts = path(&base);
        if base.kind() != SyntaxKind::PAREN_EXPR
            && let Some(source) = scope.source(&parts)
        {
            source.columns.iter().for_each(|column| self.note(column));
            return Ok(source.columns.clone());
        }
        let value = self.value(&base, scope)?;
        self.fields(node, &value)
    }

    /// Returns the fields of a composite value.
    pub(crate) fn fields(&self, node: &SyntaxNode, value: &Value) -> Result<Vec<Output>> {
        let data_type = value
            .data_type
            .as_ref()
            .map(|data_type| self.state.base_type(data_type));
        let name = data_type.map(|data_type| data_type.name);
        let of_type = name
            .as_ref()
            .and_then(|name| self.state.catalog().types.get(name));
        if let Some(TypeKind::Composite { attributes }) = of_type.map(|found| &found.kind) {
            let fields = attributes.iter().map(|attribute| Output {
                name: attribute.name.clone(),
                value: Value {
                    collation: attribute.collation.clone(),
                    ..Value::new(attribute.data_type.clone())
                },
                origin: None,
            });
            return Ok(fields.collect());
        }
        let of_row = name.and_then(|name| self.state.catalog().relations.get(&name));
        let relation =
            of_row.ok_or_else(|| Refused::new(node, "the fields of this are not known"))?;
        let fields = relation.columns.iter().map(|column| Output {
            name: column.name.clone(),
            value: Value::new(column.data_type.clone()),
            origin: Some((relation.name.clone(), column.name.clone())),
        });
        Ok(fields.collect())
    }
}
