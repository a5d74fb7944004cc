//! Notifications: NOTIFY as a statement, and what LISTEN receives.

pub use crate::session::notifications::notify;
pub use crate::wire::notification::Notification;
