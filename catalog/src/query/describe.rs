//! The columns of a query of a migration, with what a view or table stores of them.

use std::rc::Rc;

use squawk_syntax::SyntaxNode;

use super::analyzer::{Analyzer, Result};
use super::arguments::Arguments;
use super::expr::{Expr, Kind};
use super::memo::Memo;
use super::objects::{Objects, Used};
use super::scope::Scope;
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
