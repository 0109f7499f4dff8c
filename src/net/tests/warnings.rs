use std::fmt;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
};

use super::HANGS;

/// Every warning of this thread, as it is said.
pub(super) struct Warnings(UnboundedReceiver<String>, #[expect(dead_code, reason = "held")] DefaultGuard);

struct Listener(UnboundedSender<String>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl<S: Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        if *event.metadata().level() == Level::WARN && event.metadata().target().starts_with("embergrid") {
            // The test may have ended.
            let _ = self.0.send(text.0);
        }
    }
}

impl Warnings {
    pub(super) fn listen() -> Self {
        let (sender, receiver) = unbounded_channel();
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(Listener(sender)));
        Warnings(receiver, guard)
    }

    /// Waits until each of these was said, in any order.
    pub(super) async fn hear(&mut self, mut expected: Vec<String>) {
        while !expected.is_empty() {
            let heard = self.0.recv();
            let said = tokio::time::timeout(HANGS, heard).await;
            let Ok(Some(said)) = said else { panic!("not said: {expected:?}") };
            expected.retain(|text| !said.contains(text));
        }
    }
}
