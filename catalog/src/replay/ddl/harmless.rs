//! Statements that are skipped, because they do not change tables, columns, keys or types.

use squawk_syntax::SyntaxKind;

/// Returns true for a statement that cannot change tables, columns, keys or types.
pub(crate) fn is_harmless(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::INSERT
            | K::UPDATE
            | K::DELETE
            | K::MERGE
            | K::TRUNCATE
            | K::VALUES
            | K::COMPOUND_SELECT
            | K::REASSIGN
            | K::CREATE_EVENT_TRIGGER
            | K::ALTER_EVENT_TRIGGER
            | K::DROP_EVENT_TRIGGER
            | K::CREATE_ROLE
            | K::DROP_ROLE
            | K::CREATE_USER
            | K::DROP_USER
            | K::CREATE_GROUP
            | K::ALTER_GROUP
            | K::DROP_GROUP
            | K::CREATE_OPERATOR
            | K::ALTER_OPERATOR
            | K::DROP_OPERATOR
            | K::CREATE_CAST
            | K::DROP_CAST
            | K::CREATE_STATISTICS
            | K::ALTER_STATISTICS
            | K::DROP_STATISTICS
            | K::CREATE_PUBLICATION
            | K::ALTER_PUBLICATION
            | K::DROP_PUBLICATION
            | K::CREATE_SUBSCRIPTION
            | K::ALTER_SUBSCRIPTION
            | K::DROP_SUBSCRIPTION
            | K::CREATE_TEXT_SEARCH_CONFIGURATION
            | K::ALTER_TEXT_SEARCH_CONFIGURATION
            | K::CREATE_TEXT_SEARCH_DICTIONARY
            | K::ALTER_TEXT_SEARCH_DICTIONARY
            | K::ALTER_SYSTEM
            | K::ANALYZE
            | K::VACUUM
            | K::REINDEX
            | K::CLUSTER
            | K::REFRESH
            | K::LOCK
            | K::CHECKPOINT
            | K::SHOW
            | K::SET_TRANSACTION
            | K::SET_CONSTRAINTS
            | K::BEGIN
            | K::COMMIT_TRANSACTION
            | K::ROLLBACK_TRANSACTION
            | K::SAVEPOINT_CREATE
            | K::RELEASE_SAVEPOINT
            | K::NOTIFY
            | K::LISTEN
            | K::UNLISTEN
            | K::SECURITY_LABEL
            | K::EXPLAIN
            | K::COPY
            | K::CREATE_LANGUAGE
            | K::DROP_LANGUAGE
            | K::CREATE_TRANSFORM
            | K::CREATE_CONVERSION
            | K::CREATE_OPERATOR_CLASS
            | K::CREATE_OPERATOR_FAMILY
            | K::ALTER_OPERATOR_CLASS
            | K::ALTER_OPERATOR_FAMILY
            | K::DROP_OPERATOR_CLASS
            | K::DROP_OPERATOR_FAMILY
            | K::CREATE_SERVER
            | K::ALTER_SERVER
            | K::CREATE_USER_MAPPING
            | K::ALTER_USER_MAPPING
            | K::DROP_USER_MAPPING
            | K::CREATE_FOREIGN_DATA_WRAPPER
            | K::CREATE_ACCESS_METHOD
            | K::DEALLOCATE
            | K::LOAD
            | K::EMPTY_STMT
            | K::DECLARE
            | K::FETCH
            | K::MOVE
            | K::CLOSE
            | K::ALTER_LARGE_OBJECT
            | K::ALTER_LANGUAGE
            | K::DROP_CONVERSION
            | K::DROP_TRANSFORM
    )
}
