//! Delivers events that are known already at the times that they bear, as if they happened now.
//!
//! Does not know where they come from.

use std::time::Duration;

use ptree_core::Event;
use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval};

use crate::{Batch, host};

/// How often what is due is delivered, as often as the live capture does.
const INTERVAL: Duration = Duration::from_millis(50);
/// Events in a batch, at most.
const BATCH_EVENTS: usize = 4096;

/// A time, boot-time nanoseconds, and what happens then, if anything.
pub type Cue = (u64, Option<Event>);

/// Delivers `cues` in their order, each as soon as its time has come and those before it are delivered, until there are
/// no more, `stop` fires or the receiver is gone. The names of the `users` come first.
pub async fn play(
    cues: impl Iterator<Item = Cue>,
    users: Vec<(u32, String)>,
    batches: Sender<Batch>,
    mut stop: oneshot::Receiver<()>,
) {
    let mut cues = cues.peekable();
    let mut batch = Batch { users, ..Batch::default() };
    let mut timer = interval(INTERVAL);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            _ = &mut stop => return,
            () = batches.closed() => return,
            _ = timer.tick() => {}
        }
        let now_ns = host::boottime_ns();
        while let Some((_, event)) = cues.next_if(|(ts_ns, _)| *ts_ns <= now_ns) {
            batch.events.extend(event);
            // With more than can be taken, it is heard here that nobody wants it any more.
            if batch.events.len() == BATCH_EVENTS
                && (stop.try_recv().is_ok() || batches.send(std::mem::take(&mut batch)).await.is_err())
            {
                return;
            }
        }
        let is_over = cues.peek().is_none();
        if !batch.is_empty() && batches.send(std::mem::take(&mut batch)).await.is_err() || is_over {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use ptree_core::LossCount;
    use tokio::sync::mpsc;

    use super::*;

    fn lost(ts_ns: u64) -> Cue {
        (ts_ns, Some(Event::Lost { ts_ns, count: LossCount::default() }))
    }

    fn run(future: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future);
    }

    #[test]
    fn what_is_due_comes_in_order_and_what_is_not_never_before_its_time() {
        run(async {
            let begin_ns = host::boottime_ns();
            let due = (0..10_000).map(lost);
            let later = [(begin_ns + 120_000_000, None), lost(begin_ns + 150_000_000)];
            let (sender, mut receiver) = mpsc::channel(100);
            let (_stop, stopped) = oneshot::channel();
            play(due.chain(later), vec![(0, "root".into())], sender, stopped).await;
            assert!(host::boottime_ns() >= begin_ns + 150_000_000);
            let (mut users, mut times) = (Vec::new(), Vec::new());
            while let Some(batch) = receiver.recv().await {
                users.extend(batch.users);
                times.extend(batch.events.iter().map(Event::ts_ns));
            }
            assert_eq!(users, [(0, "root".to_owned())]);
            assert_eq!(times, (0..10_000).chain([begin_ns + 150_000_000]).collect::<Vec<_>>());
        });
    }

    #[test]
    fn it_ends_when_it_is_told_to_and_when_nobody_listens() {
        run(async {
            let (sender, mut receiver) = mpsc::channel(1);
            let (stop, stopped) = oneshot::channel();
            let endless = tokio::spawn(play((0..).map(lost), Vec::new(), sender, stopped));
            assert!(receiver.recv().await.is_some());
            stop.send(()).unwrap();
            while receiver.recv().await.is_some() {}
            endless.await.unwrap();

            let (sender, receiver) = mpsc::channel(1);
            let (_stop, stopped) = oneshot::channel();
            drop(receiver);
            play((0..).map(lost), Vec::new(), sender, stopped).await;
        });
    }
}
