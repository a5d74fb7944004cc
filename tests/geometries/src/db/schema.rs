// @generated automatically by Diesel CLI.

pub mod sql_types {
    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "geography"))]
    pub struct Geography;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "geometry"))]
    pub struct Geometry;
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Geometry;

    corners (at) {
        at -> Geometry,
        note -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Geography;
    use super::sql_types::Geometry;

    places (id) {
        id -> Int8,
        name -> Text,
        place -> Geography,
        entrance -> Nullable<Geometry>,
        outline -> Nullable<Geometry>,
        paths -> Nullable<Array<Nullable<Geometry>>>,
        anything -> Nullable<Geometry>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(corners, places,);
