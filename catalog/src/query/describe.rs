//! The columns of a query of a migration, with what a view or table stores of them.

use std::rc::Rc;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::analyzer::{Analyzer, Origin, Parameter, Result};
use super::arguments::Arguments;
use super::coerce::Context;
use super::expr::{Expr, Kind};
use super::memo::Memo;
use super::objects::{Objects, Used};
use super::scope::{Item, Scope};
use super::{Checker, Fault};
use crate::{Catalog, DataType, Name};

/// A result column of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
    /// The collation, if it differs from that of the type.
    pub(crate) collation: Option<Name>,
}

/// Returns the columns of a query, and the objects that it uses. Those found before an error are
/// among them.
pub(crate) fn describe(
    catalog: &Catalog,
    objects: &dyn Objects,
    path: Rc<[String]>,
    query: &SyntaxNode,
) -> (Result<Vec<Output>>, Used) {
    let mut analyzer = analyzer(catalog, objects, path);
    let columns = analyzer.query(query, false).map(|analyzed| {
        let columns = analyzed.columns.into_iter().map(|column| Output {
            name: column.name,
            data_type: DataType {
                modifiers: column.form.modifiers,
                fields: column.form.fields,
                ..analyzer.types.data_type(column.ty)
            },
            collation: column.form.collation,
        });
        columns.collect()
    });
    (columns, analyzer.used)
}

/// Returns the type of the result of a call.
pub(crate) fn describe_call(
    catalog: &Catalog,
    objects: &dyn Objects,
    path: Rc<[String]>,
    function: &[String],
    arguments: &[DataType],
) -> Option<DataType> {
    let mut analyzer = analyzer(catalog, objects, path);
    analyzer.scopes.push(Scope::default());
    let values = arguments.iter().map(|data_type| {
        let ty = analyzer.types.of_data_type(data_type);
        Expr::new(ty, Kind::Other(Vec::new()), 0..0)
    });
    let given = Arguments {
        values: values.collect(),
        ..Arguments::default()
    };
    let call = analyzer.call(function, given, 0..0).ok()?;
    Some(analyzer.types.data_type(call.ty))
}

/// Returns true if a value of a type can be assigned to a column of another.
pub(crate) fn assigns(
    catalog: &Catalog,
    objects: &dyn Objects,
    path: Rc<[String]>,
    from: &DataType,
    to: &DataType,
) -> bool {
    let mut analyzer = analyzer(catalog, objects, path);
    let from = analyzer.types.of_data_type(from);
    let to = analyzer.types.of_data_type(to);
    analyzer.can_coerce(from, to, Context::Assignment)
}

/// Returns true if PostgreSQL itself has an operator `=` for values of two types.
pub(crate) fn equals(catalog: &Catalog, one: &DataType, other: &DataType) -> bool {
    let query = format!("SELECT NULL::{} = NULL::{}", one.sql(), other.sql());
    let checked = Checker::new(catalog).check(&query);
    !checked.is_err_and(|fault| fault.code == Some("42883"))
}

/// A function whose body is analyzed: its name, and the arguments that a call gives.
pub(crate) struct Around<'a> {
    pub(crate) name: &'a str,
    pub(crate) arguments: &'a [(Option<String>, DataType)],
}

/// Returns the error that PostgreSQL raises for a statement, also one in the body of a function. An
/// INSERT without rows of its own has no error for a required column that it leaves out.
pub(crate) fn fault(
    catalog: &Catalog,
    objects: &dyn Objects,
    path: Rc<[String]>,
    statement: &SyntaxNode,
    around: Option<&Around<'_>>,
) -> Option<Fault> {
    let mut analyzer = analyzer(catalog, objects, path);
    if let Some(around) = around {
        analyzer.enter_body(around);
    }
    let raised = match analyzer.query(statement, false) {
        Err(fault) => Some(fault),
        Ok(_) => analyzer.late.take().or_else(|| {
            let has_rows = statement.kind() == SyntaxKind::INSERT
                && statement
                    .children()
                    .any(|it| it.kind() == SyntaxKind::VALUES);
            analyzer
                .omitted
                .take()
                .filter(|_| has_rows && around.is_none())
        }),
    };
    raised.filter(|fault| fault.code.is_some())
}

impl Analyzer<'_> {
    /// Adds the arguments of a function: the types of its parameters, and their names, which are
    /// searched for after all columns.
    fn enter_body(&mut self, around: &Around<'_>) {
        let arguments = around.arguments.iter();
        let types: Vec<_> = arguments
            .map(|(name, data_type)| (name, self.types.of_data_type(data_type)))
            .collect();
        self.parameters = types
            .iter()
            .map(|(_, ty)| Parameter {
                ty: Some(*ty),
                span: 0..0,
                nullable: true,
                column: Origin::None,
            })
            .collect();
        let named = types.iter().enumerate();
        let named = named.filter_map(|(index, (name, ty))| {
            let value = Expr::new(*ty, Kind::Param(index), 0..0);
            Some((name.as_ref()?.clone(), value))
        });
        let item = Item {
            alias: Some(around.name.to_owned()),
            schema: None,
            table: None,
            columns: named.collect(),
            shows_columns: true,
            shows_alias: true,
            is_forbidden: false,
        };
        self.scopes.push(Scope {
            items: vec![item],
            ..Scope::default()
        });
    }
}

fn analyzer<'a>(
    catalog: &'a Catalog,
    objects: &'a dyn Objects,
    path: Rc<[String]>,
) -> Analyzer<'a> {
    let mut analyzer = Analyzer::new(catalog, path, Memo::new(catalog, None), &[]);
    analyzer.types.has_system_domains = true;
    analyzer.objects = Some(objects);
    analyzer
}
