//! Code that the asynchronous peers share.

use tokio::runtime::{Builder, Runtime};

use crate::contender::Contender;
use crate::target::{Numbers, Target};

/// Returns a runtime on the calling thread.
pub fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Creates a contender that connects, and then repeats work with the connection.
pub fn contender<C: 'static>(
    name: &'static str,
    connect: impl AsyncFn(&Target) -> C + 'static,
    work: impl AsyncFn(&mut C, &mut Numbers, &Target) + Copy + 'static,
) -> Contender {
    Contender::new(name, move |target| {
        let runtime = runtime();
        let mut connection = runtime.block_on(connect(target));
        let (target, mut numbers) = (target.clone(), Numbers::series(1));
        Box::new(move |times| {
            runtime.block_on(async {
                for _ in 0..times {
                    work(&mut connection, &mut numbers, &target).await;
                }
            });
        })
    })
}
