//! A PostgreSQL data layer on diesel: write migrations, get a data layer.
