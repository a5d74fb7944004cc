//! Serves the tracker: `DATABASE_URL=.. cargo run --package tracker`.

use bowline::Database;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let db = Database::from_env()?.into_async();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    tokio::spawn(tracker::worker::run(db.clone()));
    Ok(axum::serve(listener, tracker::router(db)).await?)
}
