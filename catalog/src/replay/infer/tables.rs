//! Other sources in FROM: functions, JSON and XML documents, and system tables.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::builtin;
use crate::replay::infer::from::{Item, Scope, Source};
use crate::replay::infer::{Inference, Output, Value, system};
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::data_type;
use crate::replay::syntax::SYSTEM;
use crate::replay::syntax::tree::{child, child_name, children, has, name};
use crate::{DataType, Name};

impl Inference<'_> {
    pub(crate) fn function_table(&self, node: &SyntaxNode, scope: &Scope) -> Result<Item> {
        use SyntaxKind as K;
        let call = child(node, K::CALL_EXPR)
            .ok_or_else(|| Refused::new(node, "the columns of this function are not inferred"))?;
        let function = name(&call.children().next().unwrap_or_else(|| call.clone()));
        let alias = child(node, K::FROM_ALIAS)
            .and_then(|alias| child_name(&alias, K::TABLE_ALIAS))
            .unwrap_or_else(|| function.clone());
        let (columns, row) = self.columns_of_call(&call, scope, &alias)?;
        self.finish(node, alias, columns, row)
    }

    /// Returns the columns of all functions in `ROWS FROM (f(..), g(..))`, side by side.
    pub(crate) fn rows_from(&self, node: &SyntaxNode, scope: &Scope) -> Result<Item> {
        use SyntaxKind as K;
        let mut columns = Vec::new();
        let mut first = None;
        for part in children(node, K::ROWS_FROM_ARG) {
            let call = child(&part, K::CALL_EXPR).ok_or_else(|| {
                Refused::new(&part, "the columns of this function are not inferred")
            })?;
            let function = name(&call.children().next().unwrap_or_else(|| call.clone()));
            let (found, _) = self.columns_of_call(&call, scope, &function)?;
            let found = match child(&part, K::COLUMN_DEF_LIST) {
                Some(list) => self.defined(&list)?,
                None => found,
            };
            if found.is_empty() {
                return Err(Refused::new(
                    &part,
                    "the columns of this function are not inferred",
                ));
            }
            columns.extend(found);
            first.get_or_insert(function);
        }
        let alias = child(node, K::FROM_ALIAS)
            .and_then(|alias| child_name(&alias, K::TABLE_ALIAS))
            .or(first)
            .unwrap_or_default();
        self.finish(node, alias, columns, Value::system("record"))
    }

    fn finish(
        &self,
        node: &SyntaxNode,
        alias: String,
        mut columns: Vec<Output>,
        mut row: Value,
    ) -> Result<Item> {
        let is_numbered = node
            .descendants()
            .any(|part| part.kind() == SyntaxKind::WITH_ORDINALITY);
        if is_numbered {
            row = Value::system("record");
            columns.push(output("ordinality".to_owned(), system("int8")));
        }
        let mut source = Source {
            alias: Some(alias),
            relation: None,
            row,
            columns,
        };
        self.alias(node, &mut source)?;
        if source.columns.is_empty() {
            return Err(Refused::new(
                node,
                "the columns of this function are not inferred",
            ));
        }
        Ok(source.item())
    }

    /// Returns the columns of a column definition list, as after the alias of a function that
    /// returns records.
    pub(crate) fn defined(&self, list: &SyntaxNode) -> Result<Vec<Output>> {
        children(list, SyntaxKind::COLUMN_DEF)
            .map(|column| self.typed(&column))
            .collect()
    }

    fn typed(&self, column: &SyntaxNode) -> Result<Output> {
        let typed = data_type::child_type(self.state, column)?;
        let named = child_name(column, SyntaxKind::COLUMN_NAME).unwrap_or_default();
        Ok(output(named, typed.data_type))
    }

    /// Returns the columns of `JSON_TABLE` or `XMLTABLE`, which declare their types.
    pub(crate) fn document_table(&self, node: &SyntaxNode, scope: &Scope) -> Result<Item> {
        use SyntaxKind as K;
        let is_list = |kind| matches!(kind, K::JSON_TABLE_COLUMN_LIST | K::XML_TABLE_COLUMN_LIST);
        let table = node
            .children()
            .find(|part| matches!(part.kind(), K::JSON_TABLE | K::XML_TABLE))
            .ok_or_else(|| Refused::new(node, "the query is not whole"))?;
        let mut columns = Vec::new();
        for part in table.children() {
            if is_list(part.kind()) {
                self.document_columns(&part, &mut columns)?;
            } else {
                self.visit(&part, scope);
            }
        }
        let alias = match table.kind() {
            K::JSON_TABLE => "json_table",
            _ => "xmltable",
        };
        let mut source = Source {
            alias: Some(alias.to_owned()),
            relation: None,
            row: Value::system("record"),
            columns,
        };
        self.alias(node, &mut source)?;
        Ok(source.item())
    }

    fn document_columns(&self, list: &SyntaxNode, columns: &mut Vec<Output>) -> Result<()> {
        use SyntaxKind as K;
        for column in list.children() {
            let named = || child_name(&column, K::COLUMN_NAME).unwrap_or_default();
            match column.kind() {
                K::JSON_TABLE_NESTED_COLUMN => {
                    let inner = child(&column, K::JSON_TABLE_COLUMN_LIST)
                        .ok_or_else(|| Refused::new(&column, "the query is not whole"))?;
                    self.document_columns(&inner, columns)?;
                }
                _ if has(&column, K::ORDINALITY_KW) => {
                    columns.push(output(named(), system("int4")));
                }
                _ => columns.push(self.typed(&column)?),
            }
        }
        Ok(())
    }

    /// Returns a system table, or a table of an installed extension.
    pub(crate) fn system_relation(&self, parts: &[String]) -> Option<Source> {
        let (relation, schema) = parts.split_last()?;
        let extensions = &self.state.catalog().extensions;
        let is_meant = |schema: &str| match schema {
            // The schema of an extension's table is not known. A relation of a migration hides it.
            "-" => !self
                .state
                .candidates(parts)
                .iter()
                .any(|name| self.state.catalog().relations.contains_key(name)),
            found => match parts.len() {
                // The system tables come before those of the search path.
                1 => {
                    found == "pg_catalog"
                        || self
                            .state
                            .search_path()
                            .iter()
                            .any(|schema| schema == found)
                }
                _ => parts[0] == found,
            },
        };
        let found = builtin::relations(relation).find(|found| {
            let is_there = found.extension == "-" || extensions.contains(found.extension);
            is_there && is_meant(found.schema)
        })?;
        let columns = found.columns().map(|column| {
            let data_type = match column.data_type.split_once('.') {
                Some((schema, name)) => DataType {
                    name: Name {
                        schema: schema.to_owned(),
                        name: name.to_owned(),
                    },
                    modifiers: Vec::new(),
                    fields: None,
                    dimensions: 0,
                },
                None => system(column.data_type),
            };
            Output {
                name: column.name.to_owned(),
                value: Value {
                    data_type: Some(data_type),
                    collation: column.collation.map(|name| Name {
                        schema: SYSTEM.to_owned(),
                        name: name.to_owned(),
                    }),
                },
                origin: None,
            }
        });
        Some(Source {
            alias: Some(relation.clone()),
            relation: Some(Name {
                schema: schema
                    .last()
                    .map_or(found.schema, String::as_str)
                    .to_owned(),
                name: relation.clone(),
            }),
            row: Value::system("record"),
            columns: columns.collect(),
        })
    }
}

fn output(name: String, data_type: DataType) -> Output {
    Output {
        name,
        value: Value::new(data_type),
        origin: None,
    }
}
