//! A network with latency: a proxy that holds back what it forwards.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

/// Starts a proxy in front of the server of a URL; returns the URL of the proxy. Half of the latency is added in
/// each direction.
pub fn slow_path(url: &str, port: u16, latency: Duration) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let own = listener.local_addr()?.port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let _ = forward(client, port, latency / 2);
        }
    });
    Ok(url.replace(&format!(":{port}/"), &format!(":{own}/")))
}

fn forward(client: TcpStream, port: u16, delay: Duration) -> Result<()> {
    let server = TcpStream::connect(("127.0.0.1", port))?;
    for (from, to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
        to.set_nodelay(true)?;
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || receive(from, &sender));
        thread::spawn(move || send(to, &receiver, delay));
    }
    Ok(())
}

fn receive(mut from: TcpStream, sender: &mpsc::Sender<(Instant, Vec<u8>)>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if sender
            .send((Instant::now(), buffer[..length].to_vec()))
            .is_err()
        {
            return;
        }
    }
}

fn send(mut to: TcpStream, receiver: &mpsc::Receiver<(Instant, Vec<u8>)>, delay: Duration) {
    for (received, bytes) in receiver {
        thread::sleep((received + delay).saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
