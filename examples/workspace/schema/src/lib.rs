//! The code of all tables of the shop's database.

pub mod db;
