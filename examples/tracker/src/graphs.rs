//! The graphs that the tracker shows: rows with the rows that they are related to.

use bowline::Graph;
use serde::Serialize;

use crate::db::{
    Comment, Issue, Label, ListedAttachment, ListedIssue, Organisation, Project, User,
};

/// An issue with all that its page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Graph)]
pub struct IssuePage {
    #[serde(flatten)]
    pub issue: Issue,
    pub author: User,
    pub labels: Vec<Label>,
    pub comments: Vec<CommentWithAuthor>,
    pub attachments: Vec<ListedAttachment>,
}

/// A comment with its author.
#[derive(Debug, Clone, PartialEq, Serialize, Graph)]
pub struct CommentWithAuthor {
    #[serde(flatten)]
    pub comment: Comment,
    pub author: User,
}

/// An issue in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Graph)]
pub struct IssueInList {
    #[serde(flatten)]
    pub issue: ListedIssue,
    pub author: User,
    #[graph(by = name)]
    pub labels: Vec<Label>,
}

/// An organisation with its projects and their newest issues.
#[derive(Debug, Clone, PartialEq, Serialize, Graph)]
pub struct Overview {
    #[serde(flatten)]
    pub organisation: Organisation,
    #[graph(by = name)]
    pub projects: Vec<ProjectWithIssues>,
}

/// A project with its newest issues.
#[derive(Debug, Clone, PartialEq, Serialize, Graph)]
pub struct ProjectWithIssues {
    #[serde(flatten)]
    pub project: Project,
    #[graph(last = 10, by = number)]
    pub issues: Vec<ListedIssue>,
}
