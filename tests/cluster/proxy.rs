//! A wire between client and node that loses what the node says, and breaks.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::broadcast,
};

/// Passes bytes on between its own address and a node's.
pub(crate) struct Proxy {
    pub(crate) address: String,
    deaf: Arc<AtomicBool>,
    broken: broadcast::Sender<()>,
}

impl Proxy {
    pub(crate) async fn start(node: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (deaf, broken) = (Arc::new(AtomicBool::new(false)), broadcast::channel(1).0);
        let (node, is_deaf, breaks) = (node.to_string(), deaf.clone(), broken.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let node = TcpStream::connect(&node).await.unwrap();
                let mut broken = breaks.subscribe();
                let is_deaf = is_deaf.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        () = pass(client, node, &is_deaf) => {}
                        _ = broken.recv() => {}
                    }
                });
            }
        });
        Proxy { address, deaf, broken }
    }

    /// For a moment the node hears and is not heard; then the connections break.
    pub(crate) async fn cut(&self) {
        self.deaf.store(true, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        // There may be no connection at the moment.
        let _ = self.broken.send(());
        self.deaf.store(false, Ordering::SeqCst);
    }
}

async fn pass(client: TcpStream, node: TcpStream, is_deaf: &AtomicBool) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_node, mut to_node) = node.into_split();
    let up = async { tokio::io::copy(&mut from_client, &mut to_node).await.map(drop) };
    let down = async {
        let mut buffer = vec![0; 16 << 10];
        loop {
            let read = from_node.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            if !is_deaf.load(Ordering::SeqCst) {
                to_client.write_all(&buffer[..read]).await?;
            }
        }
    };
    let ended: std::io::Result<()> = tokio::select! { ended = up => ended, ended = down => ended };
    // A connection that breaks is what this is for.
    let _ = ended;
}
