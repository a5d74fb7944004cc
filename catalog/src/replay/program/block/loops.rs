//! Loops of PL/pgSQL, iteration by iteration.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::program::Program;
use crate::replay::program::block::{self, Flow, unforeseen};
use crate::replay::program::evaluate::Datum;
use crate::replay::refusal::Result;
use crate::replay::syntax::parse::parse;
use crate::replay::syntax::tree::{self, child, child_name, children, has, is_query, name};

pub(crate) fn is_loop(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::PLPGSQL_LOOP_STMT
            | K::PLPGSQL_WHILE_STMT
            | K::PLPGSQL_FOR_I_STMT
            | K::PLPGSQL_FOR_QUERY_STMT
            | K::PLPGSQL_FOR_DYN_STMT
            | K::PLPGSQL_FOR_CURSOR_STMT
            | K::PLPGSQL_FOR_EACH_STMT
    )
}

/// The values of a loop's variables in one iteration.
type Turn = Vec<(String, Option<Datum>)>;

/// The way in which control continues after an iteration.
enum After {
    Next,
    Stop(Flow),
}

impl Program {
    pub(crate) fn loop_statement(&mut self, node: &SyntaxNode) -> Result<Flow> {
        self.note_writes_of_loop(node);
        self.variables.open_block();
        let flow = self.run_loop(node);
        self.variables.close_block();
        match flow {
            Ok(flow) => Ok(flow),
            // A loop that cannot change the schema need not be replayed, unless it may leave the
            // function.
            Err(_) if !self.block_may_change(node) && !block::leaves_function(node) => {
                self.skip_statement(node);
                Ok(Flow::Next)
            }
            Err(refused) => Err(refused),
        }
    }

    /// Records the tables that the head of a loop may write to, by the functions that it calls.
    fn note_writes_of_loop(&mut self, node: &SyntaxNode) {
        let heads = node
            .children()
            .filter(|part| part.kind() != SyntaxKind::PLPGSQL_BODY);
        heads.for_each(|head| self.note_writes(&head));
    }

    fn run_loop(&mut self, node: &SyntaxNode) -> Result<Flow> {
        use SyntaxKind as K;
        let targets: Vec<String> = children(node, K::PLPGSQL_FOR_VARIABLE)
            .flat_map(|part| part.descendants().collect::<Vec<_>>())
            .filter(|part| part.kind() == K::PLPGSQL_VAR_NAME_REF)
            .map(|part| name(&part))
            .collect();
        match node.kind() {
            K::PLPGSQL_LOOP_STMT | K::PLPGSQL_WHILE_STMT => self.open_ended(node),
            K::PLPGSQL_FOR_I_STMT => {
                let counter = targets.first().cloned().unwrap_or_default();
                self.declare(counter.clone(), Some(("int4".to_owned(), false)), None);
                let turns = self.numbers(node).ok_or_else(|| unforeseen(node))?;
                let turns = turns
                    .into_iter()
                    .map(|number| vec![(counter.clone(), Some(Datum::Int(number)))]);
                self.iterate(node, &targets, turns.collect())
            }
            K::PLPGSQL_FOR_EACH_STMT => {
                let list = child(node, K::PLPGSQL_EXPR).and_then(|list| self.evaluate(&list));
                let Some(Datum::List(list)) = list else {
                    return Err(unforeseen(node));
                };
                if has(node, K::SLICE_KW) {
                    return Err(unforeseen(node));
                }
                let turns = list
                    .into_iter()
                    .map(|value| vec![(String::new(), Some(value))]);
                self.iterate(node, &targets, turns.collect())
            }
            _ => {
                if node.kind() == K::PLPGSQL_FOR_CURSOR_STMT {
                    // The variable of such a loop is local to it.
                    for target in &targets {
                        self.declare(target.clone(), None, None);
                    }
                }
                let rows = self.rows_of_loop(node).ok_or_else(|| unforeseen(node))?;
                self.iterate(node, &targets, rows)
            }
        }
    }

    fn rows_of_loop(&self, node: &SyntaxNode) -> Option<Vec<Turn>> {
        use SyntaxKind as K;
        match node.kind() {
            K::PLPGSQL_FOR_CURSOR_STMT => {
                let cursor = child_name(node, K::PLPGSQL_CURSOR_VARIABLE_REF)?;
                self.rows(&self.variables.cursor(&cursor)?)
            }
            K::PLPGSQL_FOR_DYN_STMT => {
                let text = self.evaluate(&child(node, K::PLPGSQL_EXPR)?)?;
                let Datum::Text(text) = text else {
                    return None;
                };
                let tree = parse(&text).ok()?;
                let statement = tree::statements(&tree).next()?;
                is_query(statement.kind()).then_some(())?;
                self.rows(&statement)
            }
            _ => {
                let query = node.children().find(|part| is_query(part.kind()))?;
                self.rows(&query)
            }
        }
    }

    /// Returns the numbers of `FOR i IN a..b BY c`.
    fn numbers(&self, node: &SyntaxNode) -> Option<Vec<i64>> {
        use SyntaxKind as K;
        const MAX_ITERATIONS: i64 = 20_000;
        let number = |part: SyntaxNode| match self.evaluate(&part)? {
            Datum::Int(number) => Some(number),
            _ => None,
        };
        let range = child(node, K::PLPGSQL_FOR_RANGE)?;
        let mut expressions = children(&range, K::PLPGSQL_EXPR);
        let (from, to) = (number(expressions.next()?)?, number(expressions.next()?)?);
        let step = match expressions.next() {
            Some(step) => number(step)?,
            None => 1,
        };
        let is_reverse = has(node, K::REVERSE_KW);
        let distance = if is_reverse {
            from.checked_sub(to)?
        } else {
            to.checked_sub(from)?
        };
        (step > 0 && distance / step < MAX_ITERATIONS).then_some(())?;
        let step = if is_reverse { -step } else { step };
        let mut numbers = Vec::new();
        let mut next = from;
        while if is_reverse { next >= to } else { next <= to } {
            numbers.push(next);
            next = next.checked_add(step)?;
        }
        Some(numbers)
    }

    fn iterate(&mut self, node: &SyntaxNode, targets: &[String], turns: Vec<Turn>) -> Result<Flow> {
        for turn in turns {
            self.assign_row(targets, Some(turn));
            if let After::Stop(flow) = self.iteration(node)? {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// Runs `LOOP` or `WHILE`, limited by the number of steps.
    fn open_ended(&mut self, node: &SyntaxNode) -> Result<Flow> {
        use SyntaxKind as K;
        loop {
            if !self.budget.takes_a_step() {
                return Err(unforeseen(node));
            }
            if node.kind() == K::PLPGSQL_WHILE_STMT {
                let condition = child(node, K::PLPGSQL_EXPR);
                match condition.and_then(|condition| self.evaluate(&condition)) {
                    Some(Datum::Bool(true)) => {}
                    Some(Datum::Bool(false) | Datum::Null) => return Ok(Flow::Next),
                    _ => return Err(unforeseen(node)),
                }
            }
            if let After::Stop(flow) = self.iteration(node)? {
                return Ok(flow);
            }
        }
    }

    fn iteration(&mut self, node: &SyntaxNode) -> Result<After> {
        use SyntaxKind as K;
        let label = child(node, K::PLPGSQL_LABEL)
            .and_then(|label| child_name(&label, K::PLPGSQL_LABEL_NAME));
        let is_own = |wanted: &Option<String>| wanted.is_none() || *wanted == label;
        Ok(match self.body_of(node)? {
            Flow::Next => After::Next,
            Flow::Continue(wanted) if is_own(&wanted) => After::Next,
            Flow::Exit(wanted) if is_own(&wanted) => After::Stop(Flow::Next),
            flow => After::Stop(flow),
        })
    }
}
