//! Notifications: NOTIFY as a statement, and the notifications that LISTEN receives.

pub use crate::session::notifications::notify;
pub use crate::wire::notification::Notification;
