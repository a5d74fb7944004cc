//! The pages of a query: the types of its positions, and the body of its function.

use bowline_plan::plan::{PagedList, PagesPlan, PositionField, QueryFilePlan, QueryFunction};

use super::super::layout::{chain, choice_of_page, doc, literal};
use super::{bind, constant};

/// Returns the types of the positions, and the enum of the pages in several orders.
pub(super) fn types(function: &QueryFunction, plan: &PagesPlan) -> String {
    let mut blocks: Vec<String> = plan
        .lists
        .iter()
        .map(|list| position(function, plan, list))
        .collect();
    if let (Some(choice), Some(orders)) = (&plan.choice, &function.orders) {
        let variants = orders.orders.iter().zip(&plan.lists);
        let variants = variants
            .map(|(order, list)| format!("        {}: {},\n", order.variant, list.position));
        blocks.push(format!(
            "bowline::__generated::pages! {{\n{}    pub enum {choice} of {}, {} {{\n{}    }}\n}}\n",
            doc(
                4,
                &format!("A page of [`{}`], in one of its orders.", function.name)
            ),
            plan.row,
            orders.name,
            variants.collect::<String>()
        ));
    }
    blocks.join("\n")
}

fn position(function: &QueryFunction, plan: &PagesPlan, list: &PagedList) -> String {
    let words = format!(
        "A position in [`{}`] by `{}`: that of a row in it.",
        function.name, list.order_by
    );
    let fields = list.fields.iter().enumerate().map(|(number, field)| {
        let path = if field.path == field.name {
            String::new()
        } else {
            format!(" = {}", field.path)
        };
        format!(
            "        {number} {}: {}{path},\n",
            field.name, field.rust_type
        )
    });
    format!(
        "bowline::__generated::position! {{\n{}    pub struct {} of {} in {} {{\n{}    }}\n}}\n",
        doc(4, &words),
        list.position,
        plan.row,
        literal(&list.name),
        fields.collect::<String>()
    )
}

/// Returns the type of the argument `page`.
pub(super) fn argument(plan: &PagesPlan) -> String {
    match (&plan.choice, plan.lists.as_slice()) {
        (None, [only]) => format!("Page<{}>", only.position),
        (choice, _) => choice.clone().unwrap_or_default(),
    }
}

/// Returns the documentation of the function.
pub(super) fn docs(function: &QueryFunction, plan: &PagesPlan) -> String {
    let order = match (&plan.choice, plan.lists.as_slice()) {
        (None, [only]) => format!("by `{}`", only.order_by),
        _ => "in the order of the page".to_owned(),
    };
    format!(
        "{}\n\nUp to `page.limit` rows, {order}: the first, or those after or before a row.",
        function.docs
    )
}

/// Returns the body of the function.
pub(super) fn body(file: &QueryFilePlan, function: &QueryFunction, plan: &PagesPlan) -> String {
    let (Some(choice), Some(orders)) = (&plan.choice, &function.orders) else {
        let lists = plan.lists.iter();
        return lists.map(|it| list(4, file, function, it)).collect();
    };
    let arms = orders.orders.iter().zip(&plan.lists).map(|(order, it)| {
        format!(
            "        {choice}::{}(page) => {{\n{}        }}\n",
            order.variant,
            list(12, file, function, it)
        )
    });
    format!("    match page {{\n{}    }}\n", arms.collect::<String>())
}

fn list(indent: usize, file: &QueryFilePlan, function: &QueryFunction, list: &PagedList) -> String {
    let pad = " ".repeat(indent);
    let constant = |name, sql: &str| constant(indent, file, function, name, sql);
    let mut out = [
        constant("FIRST", &list.first),
        constant("AFTER", &list.after),
        constant("BEFORE", &list.before),
    ]
    .concat();
    let nullable = list.fields.iter().find(|field| field.nullable);
    let of_null = (nullable, &list.after_null, &list.before_null);
    if let (Some(field), Some(after), Some(before)) = of_null {
        out.push_str(&constant("AFTER_NULL", after));
        out.push_str(&constant("BEFORE_NULL", before));
        out.push_str(&choice_of_page(indent, &field.name));
    } else {
        out.push_str(&format!(
            "{pad}let sql = page.choose(&FIRST, &AFTER, &BEFORE);\n"
        ));
    }
    let mut links = vec!["bowline::Query::new(sql)".to_owned()];
    links.extend(function.arguments.iter().map(bind));
    out.push_str(&chain(indent, "let mut query = ", &links, ";"));
    let mut after = vec!["query".to_owned()];
    after.extend(list.fields.iter().map(bind_position));
    out.push_str(&format!("{pad}if let Some(at) = page.key() {{\n"));
    out.push_str(&chain(indent + 4, "query = ", &after, ";"));
    out.push_str(&format!("{pad}}}\n{pad}query.page(&page)\n"));
    out
}

fn bind_position(field: &PositionField) -> String {
    let PositionField { name, sql_type, .. } = field;
    match field.oids {
        Some(oids) => format!(".bind_with_oids::<{sql_type}, _>({oids:?}, &at.{name})"),
        None if field.nullable => format!(".bind_some_as::<{sql_type}, _>(&at.{name})"),
        None => format!(".bind_as::<{sql_type}, _>(&at.{name})"),
    }
}
