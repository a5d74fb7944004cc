//! Parts of a catalog as SQL, for the texts of differences and for the statements of `alter`.

use super::{
    Column, Constraint, ConstraintKind, DataType, Fill, Index, IndexKey, KeyOrder, Name, NotNull,
    ReferentialAction, Sequence,
};

pub use bowline_sql::quote::{identifier as quoted, literal};

/// Returns the texts as string literals, separated by commas.
pub fn literals(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| literal(text)).collect();
    quoted.join(", ")
}

/// Returns the names as SQL identifiers, separated by commas.
pub fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| self::quoted(name)).collect();
    quoted.join(", ")
}

impl Name {
    /// Returns the name as SQL, with its schema unless that is `public` or `pg_catalog`.
    pub fn sql(&self) -> String {
        match self.schema.as_str() {
            "public" | "pg_catalog" => quoted(&self.name),
            _ => self.qualified_sql(),
        }
    }

    /// Returns the name of a type as SQL: also with the schema `public`, if the name alone would
    /// mean a type of PostgreSQL's own.
    pub fn type_sql(&self) -> String {
        if self.is_hidden_type() {
            self.qualified_sql()
        } else {
            self.sql()
        }
    }

    fn qualified_sql(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }
}

impl DataType {
    /// Returns the type as SQL writes it: `varchar(30)[]`.
    pub fn sql(&self) -> String {
        // `"char"` is another type than `char`.
        let name = match (self.name.schema.as_str(), self.name.name.as_str()) {
            ("pg_catalog", "char") => "\"char\"".to_owned(),
            ("pg_catalog", name) => name.to_owned(),
            _ => self.name.type_sql(),
        };
        // What stands beside an interval stands within the brackets of a geometry.
        let is_interval = self.name.schema == "pg_catalog";
        let (fields, kind) = match self.fields.as_deref() {
            Some(fields) if is_interval => (format!(" {fields}"), None),
            kind => (String::new(), kind.map(str::to_owned)),
        };
        let numbers = self.modifiers.iter().map(i32::to_string);
        let modifiers: Vec<String> = kind.into_iter().chain(numbers).collect();
        let modifiers = if modifiers.is_empty() {
            String::new()
        } else {
            format!("({})", modifiers.join(", "))
        };
        format!(
            "{name}{fields}{modifiers}{}",
            "[]".repeat(self.dimensions.into())
        )
    }

    /// Returns the type as `format_type(oid, NULL)` writes it: `character varying`, `integer[]`.
    ///
    /// A name outside of `public` and `pg_catalog` has its schema.
    pub fn format_type(&self) -> String {
        let name = match (self.name.schema.as_str(), self.name.name.as_str()) {
            ("pg_catalog", "int2") => "smallint".to_owned(),
            ("pg_catalog", "int4") => "integer".to_owned(),
            ("pg_catalog", "int8") => "bigint".to_owned(),
            ("pg_catalog", "float4") => "real".to_owned(),
            ("pg_catalog", "float8") => "double precision".to_owned(),
            ("pg_catalog", "bool") => "boolean".to_owned(),
            ("pg_catalog", "varchar") => "character varying".to_owned(),
            ("pg_catalog", "bpchar") => "character".to_owned(),
            ("pg_catalog", "timestamptz") => "timestamp with time zone".to_owned(),
            ("pg_catalog", "timestamp") => "timestamp without time zone".to_owned(),
            ("pg_catalog", "timetz") => "time with time zone".to_owned(),
            ("pg_catalog", "time") => "time without time zone".to_owned(),
            ("pg_catalog", "varbit") => "bit varying".to_owned(),
            // Keywords that are names of types without quotes.
            ("pg_catalog", name @ ("bit" | "interval" | "json" | "numeric")) => name.to_owned(),
            _ => self.name.type_sql(),
        };
        let array = if self.dimensions > 0 { "[]" } else { "" };
        format!("{name}{array}")
    }

    /// Returns true if PostgreSQL treats the two as the same type.
    pub fn is_same(&self, other: &Self) -> bool {
        let modifiers = |data_type: &Self| match data_type.modifiers.as_slice() {
            // numeric(10) is numeric(10, 0).
            [precision, 0] if data_type.name.name == "numeric" => vec![*precision],
            modifiers => modifiers.to_vec(),
        };
        self.name == other.name
            && modifiers(self) == modifiers(other)
            && self.fields == other.fields
            && (self.dimensions > 0) == (other.dimensions > 0)
    }
}

impl NotNull {
    /// Returns the constraint as SQL, as it follows the column's type or `ADD`.
    pub(crate) fn sql(&self) -> String {
        let inherit = if self.no_inherit { " NO INHERIT" } else { "" };
        let validated = if self.validated { "" } else { " NOT VALID" };
        format!(
            "CONSTRAINT {} NOT NULL{inherit}{validated}",
            quoted(&self.name)
        )
    }
}

impl Fill {
    /// Returns the default or the generation clause as SQL, or a few words if there is no SQL for
    /// it.
    pub fn sql(&self) -> String {
        match self {
            Self::Nothing => "none".to_owned(),
            Self::Default(expression) => expression.clone(),
            Self::Serial { sequence } => {
                format!("the next value of its own sequence {}", sequence.sql())
            }
            Self::Identity { always: true } => "GENERATED ALWAYS AS IDENTITY".to_owned(),
            Self::Identity { always: false } => "GENERATED BY DEFAULT AS IDENTITY".to_owned(),
            Self::Generated { expression, stored } => {
                let kind = if *stored { "STORED" } else { "VIRTUAL" };
                format!("GENERATED ALWAYS AS ({expression}) {kind}")
            }
        }
    }
}

impl Column {
    /// Returns the definition of the column in `CREATE TABLE`.
    pub fn sql(&self) -> String {
        let mut out = format!("{} ", quoted(&self.name));
        out.push_str(&match (&self.fill, self.data_type.name.name.as_str()) {
            (Fill::Serial { .. }, "int2") => "smallserial".to_owned(),
            (Fill::Serial { .. }, "int8") => "bigserial".to_owned(),
            (Fill::Serial { .. }, _) => "serial".to_owned(),
            _ => self.data_type.sql(),
        });
        if let Some(collation) = &self.collation {
            out.push_str(&format!(" COLLATE {}", collation.sql()));
        }
        match &self.fill {
            Fill::Nothing | Fill::Serial { .. } => {}
            Fill::Default(expression) => out.push_str(&format!(" DEFAULT {expression}")),
            other => out.push_str(&format!(" {}", other.sql())),
        }
        if self.not_null {
            out.push_str(" NOT NULL");
        }
        out
    }
}

impl Constraint {
    /// Returns the definition that follows the constraint's name. An exclusion constraint takes its
    /// elements from its index.
    pub fn sql(&self, indexes: &[Index]) -> String {
        let index = indexes.iter().find(|index| index.name == self.name);
        let include = index.map(included).unwrap_or_default();
        let mut out = match &self.kind {
            ConstraintKind::PrimaryKey { columns } => {
                format!("PRIMARY KEY ({}){include}", self.key(columns))
            }
            ConstraintKind::Unique {
                columns,
                nulls_not_distinct,
            } => {
                let nulls = if *nulls_not_distinct {
                    "NULLS NOT DISTINCT "
                } else {
                    ""
                };
                format!("UNIQUE {nulls}({}){include}", self.key(columns))
            }
            ConstraintKind::Check {
                expression,
                no_inherit,
                ..
            } => {
                let inherit = if *no_inherit { " NO INHERIT" } else { "" };
                format!("CHECK ({expression}){inherit}")
            }
            ConstraintKind::ForeignKey {
                columns,
                references,
                referenced_columns,
                on_delete,
                on_update,
                match_full,
            } => {
                let matching = if *match_full { " MATCH FULL" } else { "" };
                format!(
                    "FOREIGN KEY ({}) REFERENCES {} ({}){matching}{}{}",
                    self.reference(columns),
                    references.sql(),
                    self.reference(referenced_columns),
                    action(" ON DELETE", on_delete),
                    action(" ON UPDATE", on_update),
                )
            }
            ConstraintKind::Exclude { operators } => match index {
                Some(index) => {
                    let keys = index.keys.iter().map(IndexKey::sql);
                    let elements: Vec<String> = keys
                        .zip(operators)
                        .map(|(key, operator)| format!("{key} WITH {operator}"))
                        .collect();
                    let predicate = index.predicate.as_ref();
                    let predicate = predicate.map(|predicate| format!(" WHERE ({predicate})"));
                    format!(
                        "EXCLUDE USING {} ({}){include}{}",
                        quoted(&index.method),
                        elements.join(", "),
                        predicate.unwrap_or_default()
                    )
                }
                None => "EXCLUDE".to_owned(),
            },
        };
        match (self.deferrable, self.initially_deferred) {
            (true, true) => out.push_str(" DEFERRABLE INITIALLY DEFERRED"),
            (true, false) => out.push_str(" DEFERRABLE"),
            _ => {}
        }
        if !self.enforced {
            out.push_str(" NOT ENFORCED");
        } else if !self.validated {
            out.push_str(" NOT VALID");
        }
        out
    }

    /// Returns the column list of a key.
    fn key(&self, columns: &[String]) -> String {
        let overlaps = if self.temporal {
            " WITHOUT OVERLAPS"
        } else {
            ""
        };
        format!("{}{overlaps}", list(columns))
    }

    /// Returns the column list of either side of a foreign key.
    pub fn reference(&self, columns: &[String]) -> String {
        match columns.split_last() {
            Some((period, others)) if self.temporal => {
                format!("{}, PERIOD {}", list(others), quoted(period))
            }
            _ => list(columns),
        }
    }
}

fn action(when: &str, action: &ReferentialAction) -> String {
    let (what, columns) = match action {
        ReferentialAction::NoAction => return String::new(),
        ReferentialAction::Restrict => ("RESTRICT", &[][..]),
        ReferentialAction::Cascade => ("CASCADE", &[][..]),
        ReferentialAction::SetNull(columns) => ("SET NULL", columns.as_slice()),
        ReferentialAction::SetDefault(columns) => ("SET DEFAULT", columns.as_slice()),
    };
    if columns.is_empty() {
        format!("{when} {what}")
    } else {
        format!("{when} {what} ({})", list(columns))
    }
}

fn included(index: &Index) -> String {
    if index.included.is_empty() {
        String::new()
    } else {
        format!(" INCLUDE ({})", list(&index.included))
    }
}

impl IndexKey {
    fn sql(&self) -> String {
        let (key, order) = match self {
            Self::Column { name, order } => (quoted(name), order),
            Self::Expression { text, order } => (format!("({text})"), order),
        };
        let KeyOrder {
            descending,
            nulls_first,
            collation,
            operator_class,
        } = order;
        let mut out = key;
        if let Some(collation) = collation {
            out.push_str(&format!(" COLLATE {}", collation.sql()));
        }
        if let Some(class) = operator_class {
            out.push_str(&format!(" {}", class.sql()));
        }
        if *descending {
            out.push_str(" DESC");
        }
        match (descending, nulls_first) {
            (true, false) => out.push_str(" NULLS LAST"),
            (false, true) => out.push_str(" NULLS FIRST"),
            _ => {}
        }
        out
    }
}

impl Index {
    /// Returns `CREATE INDEX` for a table.
    pub fn sql(&self, table: &Name) -> String {
        let unique = if self.unique { "UNIQUE " } else { "" };
        let keys: Vec<String> = self.keys.iter().map(IndexKey::sql).collect();
        let nulls = if self.nulls_not_distinct {
            " NULLS NOT DISTINCT"
        } else {
            ""
        };
        let predicate = self.predicate.as_ref();
        let predicate = predicate.map(|predicate| format!(" WHERE {predicate}"));
        format!(
            "CREATE {unique}INDEX {} ON {} USING {} ({}){}{nulls}{}",
            quoted(&self.name),
            table.sql(),
            quoted(&self.method),
            keys.join(", "),
            included(self),
            predicate.unwrap_or_default()
        )
    }
}

impl Sequence {
    /// Returns the options that follow the sequence's name.
    pub fn sql(&self) -> String {
        let cycle = if self.cycle { "CYCLE" } else { "NO CYCLE" };
        format!(
            "AS {} INCREMENT BY {} MINVALUE {} MAXVALUE {} START WITH {} CACHE {} {cycle}",
            self.data_type, self.increment, self.min, self.max, self.start, self.cache
        )
    }
}
