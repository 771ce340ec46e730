//! TLS of connections to a database, with the cryptography that `pki` has anyway. The server's certificate is
//! always verified, with its name.

use super::url::TlsFiles;
use crate::key::SignatureAlgorithm;
use crate::pem;
use crate::store::file;
use crate::x509::{Certificate, Fingerprint};
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_rustls::{TlsConnector, client};

type Problem = Box<dyn std::error::Error + Send + Sync>;

/// Maker of TLS connections.
#[derive(Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    pub(super) fn new(files: &TlsFiles) -> Result<Self, Problem> {
        match files.mode.as_deref() {
            None | Some("require" | "verify-ca" | "verify-full") => {}
            Some(_) => return Err("sslmode is one of disable and verify-full".into()),
        }
        let Some(roots) = &files.root_certificates else {
            return Err("sslrootcert=FILE is required, with the CA of the server".into());
        };
        let mut trusted = RootCertStore::empty();
        for certificate in certificates(roots)? {
            trusted.add(certificate)?;
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(trusted);
        let config = match (&files.certificate, &files.key) {
            (Some(chain), Some(key)) => {
                let key = PrivateKeyDer::from_pem_slice(&zeroize::Zeroizing::new(file::read(key)?))
                    .map_err(|_| "sslkey is not an unencrypted private key in PEM")?;
                builder.with_client_auth_cert(certificates(chain)?, key)?
            }
            (None, None) => builder.with_no_client_auth(),
            _ => return Err("sslcert and sslkey are given together".into()),
        };
        Ok(Self(Arc::new(config)))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let objects = pem::decode(&file::read(path)?)
        .map_err(|error| format!("{} is not PEM: {error}", path.display()))?;
    let certificates = objects.into_iter();
    Ok(certificates
        .map(|object| CertificateDer::from(object.der.to_vec()))
        .collect())
}

impl<S> MakeTlsConnect<S> for Tls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Stream<S>;
    type TlsConnect = Connect;
    type Error = Problem;

    fn make_tls_connect(&mut self, host: &str) -> Result<Connect, Problem> {
        Ok(Connect {
            connector: TlsConnector::from(Arc::clone(&self.0)),
            server: ServerName::try_from(host.to_owned())?,
        })
    }
}

/// One connection in the making.
pub(super) struct Connect {
    connector: TlsConnector,
    server: ServerName<'static>,
}

impl<S> TlsConnect<S> for Connect
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Stream<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move { Ok(Stream(self.connector.connect(self.server, stream).await?)) })
    }
}

/// TLS connection.
pub(super) struct Stream<S>(client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Stream<S> {
    /// Binds the log-in to the server's certificate (RFC 5929 section 4), if the hash of its signature is SHA-256.
    fn channel_binding(&self) -> ChannelBinding {
        let (_, session) = self.0.get_ref();
        let certificate = session.peer_certificates().and_then(|chain| chain.first());
        match certificate {
            Some(der) if is_signed_with_sha256(der) => {
                ChannelBinding::tls_server_end_point(Fingerprint::of(der).as_bytes().to_vec())
            }
            _ => ChannelBinding::none(),
        }
    }
}

fn is_signed_with_sha256(der: &[u8]) -> bool {
    use SignatureAlgorithm::{EcdsaSha256, RsaSha256};
    let algorithm = Certificate::from_der(der).map(|certificate| certificate.signature_algorithm());
    matches!(algorithm, Ok(Some(EcdsaSha256 | RsaSha256)))
}
