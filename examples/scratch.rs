use bowline::*;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::*;

diesel::table! { t (id) { id -> Integer, name -> Text, } }

#[derive(Queryable, Selectable, Debug, PartialEq)]
#[diesel(table_name = t)]
struct T {
    id: i32,
    name: String,
}

fn main() {
    let db = Database::connect("host=/tmp/lead user=postgres dbname=postgres").unwrap();
    {
        let mut s = db.session().unwrap();
        s.batch_execute("drop table if exists t, d; create table t (id int primary key, name text not null unique, check (id < 1000)); create table d (id int primary key, t int references t deferrable initially deferred)").unwrap();
    }
    // basics
    let n = db
        .run(
            diesel::insert_into(t::table)
                .values((t::id.eq(1), t::name.eq("one")))
                .affected(),
        )
        .unwrap();
    println!("insert {n}");
    let row: T = db
        .run(t::table.find(1).select(T::as_select()).one())
        .unwrap();
    println!("{row:?}");
    let e = db
        .run(t::table.find(2).select(T::as_select()).one::<T>())
        .unwrap_err();
    println!("missing: {e} {:?}", e.outcome());
    let (a, b) = db
        .run((
            t::table.find(1).select(T::as_select()).one::<T>(),
            t::table.count().one::<i64>(),
        ))
        .unwrap();
    println!("{a:?} {b}");
    // tuple all or nothing
    let e = db
        .run((
            diesel::update(t::table.find(99))
                .set(t::name.eq("x"))
                .exactly(1),
            diesel::insert_into(t::table)
                .values((t::id.eq(2), t::name.eq("two")))
                .affected(),
        ))
        .unwrap_err();
    println!(
        "tuple: {e} | {:?} {:?} count={}",
        e.place(),
        e.outcome(),
        db.run(t::table.count().one::<i64>()).unwrap()
    );
    let e = db
        .run(
            diesel::insert_into(t::table)
                .values((t::id.eq(3), t::name.eq("one")))
                .returning(T::as_returning())
                .one::<T>(),
        )
        .unwrap_err();
    println!("unique: {e} {:?} {:?}", e.constraint_name(), e.sql());
    // deferred
    let e = db
        .run(sql("insert into d values (1, 77)").affected())
        .unwrap_err();
    println!(
        "deferred implicit: {e} {:?} {:?}",
        e.constraint_name(),
        e.outcome()
    );
    let e = db
        .with(serializable())
        .run(sql("insert into d values (1, 77)").affected())
        .unwrap_err();
    println!(
        "deferred explicit: {e} {:?} {:?}",
        e.constraint_name(),
        e.outcome()
    );
    let e = db
        .transaction(|tx| tx.run(sql("insert into d values (1, 77)").affected()))
        .unwrap_err();
    println!(
        "deferred tx: {e} {:?} {:?}",
        e.constraint_name(),
        e.outcome()
    );
    // swallowed
    let e = db
        .transaction(|tx| -> Result<i32> {
            let _ = tx.run(sql("select 1/0").all::<One1>());
            Ok(1)
        })
        .unwrap_err();
    println!("swallowed: {e} hint {:?}", e.hint());
    // client-judged
    let e = db
        .run(sql("with x as (delete from t where id = 1 returning id) select id as x from x where false").one::<One1>())
        .unwrap_err();
    println!(
        "judged: {e} {:?} count={}",
        e.outcome(),
        db.run(t::table.count().one::<i64>()).unwrap()
    );
    // nested savepoints, plain diesel
    let r: Result<i64, diesel::result::Error> = {
        let mut s = db.session().unwrap();
        s.transaction(|c| {
            diesel::insert_into(t::table)
                .values((t::id.eq(10), t::name.eq("ten")))
                .execute(c)?;
            let inner = c.transaction::<(), diesel::result::Error, _>(|c| {
                diesel::insert_into(t::table)
                    .values((t::id.eq(10), t::name.eq("dup")))
                    .execute(c)?;
                Ok(())
            });
            println!("inner: {inner:?}");
            t::table.count().get_result(c)
        })
    };
    println!("nested: {r:?}");
    // big pipeline
    let started = std::time::Instant::now();
    let many: Vec<_> = (0..20000)
        .map(|i| {
            sql("select $1::int as x, repeat('x', 200) as y")
                .bind::<Integer, _>(i)
                .all::<One1>()
        })
        .collect();
    let out = db.run(many).unwrap();
    println!("20000 statements: {} in {:?}", out.len(), started.elapsed());
    // timeout
    let mut s = db.session().unwrap();
    s.within(std::time::Duration::from_millis(300));
    let started = std::time::Instant::now();
    let e = s
        .run(sql("select pg_sleep(5)::text as y, 1 as x").all::<One1>())
        .unwrap_err();
    println!(
        "timeout: {e} after {:?} broken {}",
        started.elapsed(),
        s.is_broken()
    );
    let e = s.batch_execute("select pg_sleep(5)").unwrap_err();
    println!("batch timeout: {e} broken {}", s.is_broken());
    let e = s
        .batch_execute("create table nope (id int); copy t from stdin")
        .unwrap_err();
    println!("copy: {:?}", Error::from(e));
    let e = s.batch_execute("select 1; selec 2").unwrap_err();
    println!("script: {:?}", Error::from(e));
    println!("{:?}", s.run(sql("vacuum t").affected()));
    drop(s);
    // terminated
    let pid = db.session().unwrap().backend_pid();
    let other = Database::connect("host=/tmp/lead user=postgres dbname=postgres").unwrap();
    other
        .run(sql(format!("select pg_terminate_backend({pid})::int as x")).all::<One1>())
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    println!(
        "after terminate: {:?}",
        db.run(t::table.count().one::<i64>())
    );
    println!(
        "{}",
        Database::connect("host=/tmp/lead user=nobody_here dbname=postgres").unwrap_err()
    );
    println!(
        "{}",
        Database::connect("postgres://x:secret@127.0.0.1:1/db").unwrap_err()
    );
    let uow = {
        let mut w = db.unit_of_work();
        let a = w.add(t::table.count().one::<i64>());
        let b = w.add(t::table.find(1).select(T::as_select()).optional::<T>());
        let mut d = w.commit().unwrap();
        (d.take(a).unwrap(), d.take(b).unwrap())
    };
    println!("{uow:?}");
}
#[derive(QueryableByName, Debug)]
struct One1 {
    #[diesel(sql_type = Integer)]
    #[allow(dead_code)]
    x: i32,
}
