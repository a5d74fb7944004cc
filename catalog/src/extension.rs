//! The types of well-known extensions.

/// Returns the types that an extension creates, as far as they are known.
pub(crate) fn types(extension: &str) -> &'static [&'static str] {
    match extension {
        "citext" => &["citext"],
        "hstore" => &["hstore", "ghstore"],
        "ltree" => &["ltree", "lquery", "ltxtquery", "ltree_gist"],
        "cube" => &["cube"],
        "seg" => &["seg"],
        "isn" => &[
            "isbn", "isbn13", "ismn", "ismn13", "issn", "issn13", "ean13", "upc",
        ],
        "intarray" => &["query_int", "intbig_gkey"],
        "pg_trgm" => &["gtrgm"],
        "tablefunc" => &[
            "tablefunc_crosstab_2",
            "tablefunc_crosstab_3",
            "tablefunc_crosstab_4",
        ],
        "vector" => &["vector", "halfvec", "sparsevec"],
        "postgis" => &[
            "geometry",
            "geography",
            "box2d",
            "box3d",
            "box2df",
            "gidx",
            "spheroid",
            "geometry_dump",
            "valid_detail",
        ],
        _ => &[],
    }
}
