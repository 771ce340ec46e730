//! A load balancer's end of mutual TLS, made of s2n-tls: a trust store and
//! revocation lists, both PEM, and a list looked up for every certificate that
//! a client sends, by the hash of its issuer's name.
//!
//! A crate of its own because the safe bindings of s2n-tls leave revocation
//! lists out, and `pki` forbids unsafe code.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd as _;
use std::ptr::{self, NonNull};
use std::time::Duration;

use s2n_tls_sys::{
    s2n_blinding, s2n_blocked_status, s2n_cert_auth_type, s2n_config,
    s2n_config_add_cert_chain_and_key, s2n_config_add_pem_to_trust_store, s2n_config_free,
    s2n_config_new_minimal, s2n_config_set_cipher_preferences, s2n_config_set_client_auth_type,
    s2n_config_set_crl_lookup_cb, s2n_config_set_verify_host_callback, s2n_connection,
    s2n_connection_free, s2n_connection_new, s2n_connection_set_blinding,
    s2n_connection_set_config, s2n_connection_set_fd, s2n_crl, s2n_crl_free,
    s2n_crl_get_issuer_hash, s2n_crl_load_pem, s2n_crl_lookup, s2n_crl_lookup_get_cert_issuer_hash,
    s2n_crl_lookup_ignore, s2n_crl_lookup_set, s2n_crl_new, s2n_crl_validate_active,
    s2n_crl_validate_not_expired, s2n_errno_location, s2n_mode, s2n_negotiate, s2n_recv, s2n_send,
    s2n_shutdown, s2n_strerror_name,
};

/// How s2n-tls names what went wrong, such as `S2N_ERR_CERT_REVOKED`.
pub type ErrorName = String;

/// How long a client may keep the balancer waiting.
const PATIENCE: Duration = Duration::from_secs(60);

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nlet in";

/// A balancer that requires client certificates.
pub struct LoadBalancer {
    config: NonNull<s2n_config>,
    /// In a box, because the configuration points at them.
    lists: Box<Lists>,
}

struct Lists(Vec<List>);

struct List {
    issuer_hash: u64,
    list: NonNull<s2n_crl>,
}

impl LoadBalancer {
    /// Takes its own certificate chain and key, the certificates of the CAs
    /// whose clients it lets in, and their lists, one a text: all PEM. Without
    /// lists it checks no revocation.
    pub fn new(
        chain: &str,
        key: &str,
        trust_store: &str,
        lists: &[String],
    ) -> Result<Self, ErrorName> {
        s2n_tls::init::init();
        let lists = lists.iter().map(|pem| List::load(pem));
        let lists = Box::new(Lists(lists.collect::<Result<_, _>>()?));
        // SAFETY: the library is started.
        let config = new(unsafe { s2n_config_new_minimal() })?;
        let balancer = Self { config, lists };
        let lists = ptr::from_ref(&*balancer.lists).cast_mut().cast::<c_void>();
        let config = config.as_ptr();
        let [chain, key, trust_store] = [chain, key, trust_store].map(c_string);
        // SAFETY: `config` and the box of lists are alive as long as `balancer`; strings are copied.
        unsafe {
            done(s2n_config_set_cipher_preferences(
                config,
                c"default_tls13".as_ptr(),
            ))?;
            done(s2n_config_add_cert_chain_and_key(
                config,
                chain.as_ptr(),
                key.as_ptr(),
            ))?;
            done(s2n_config_add_pem_to_trust_store(
                config,
                trust_store.as_ptr(),
            ))?;
            done(s2n_config_set_client_auth_type(
                config,
                s2n_cert_auth_type::REQUIRED,
            ))?;
            done(s2n_config_set_verify_host_callback(
                config,
                Some(any_name),
                ptr::null_mut(),
            ))?;
            if !balancer.lists.0.is_empty() {
                done(s2n_config_set_crl_lookup_cb(config, Some(find_list), lists))?;
            }
        }
        Ok(balancer)
    }

    /// Serves one client: a handshake, and `let in` as the answer to its first
    /// request. The error is why the handshake failed.
    pub fn serve(&self, client: &TcpStream) -> Result<(), ErrorName> {
        client.set_read_timeout(Some(PATIENCE)).map_err(name_of)?;
        let connection = Connection::new(self, client)?;
        connection.negotiate()?;
        connection.answer()
    }
}

impl Drop for LoadBalancer {
    fn drop(&mut self) {
        // SAFETY: no connection outlives the call of `serve` that borrows the balancer.
        unsafe { s2n_config_free(self.config.as_ptr()) };
    }
}

impl List {
    fn load(pem: &str) -> Result<Self, ErrorName> {
        // SAFETY: the library is started.
        let made = new(unsafe { s2n_crl_new() })?;
        let mut list = Self {
            issuer_hash: 0,
            list: made,
        };
        let mut pem = pem.as_bytes().to_vec();
        let crl = list.list.as_ptr();
        // SAFETY: `crl` is alive as long as `list`, and the text is copied.
        unsafe {
            done(s2n_crl_load_pem(crl, pem.as_mut_ptr(), pem.len()))?;
            // s2n-tls leaves a list's times to those who load it.
            done(s2n_crl_validate_active(crl))?;
            done(s2n_crl_validate_not_expired(crl))?;
            done(s2n_crl_get_issuer_hash(crl, &raw mut list.issuer_hash))?;
        }
        Ok(list)
    }
}

impl Drop for List {
    fn drop(&mut self) {
        let mut list = self.list.as_ptr();
        // SAFETY: it was made by s2n_crl_new, and no configuration uses it any more.
        unsafe { s2n_crl_free(&raw mut list) };
    }
}

/// A client certificate stands for whatever name it has.
unsafe extern "C" fn any_name(_: *const c_char, _: usize, _: *mut c_void) -> u8 {
    1
}

/// Called for every certificate that a client sends.
unsafe extern "C" fn find_list(lookup: *mut s2n_crl_lookup, context: *mut c_void) -> c_int {
    // SAFETY: `context` is what `LoadBalancer::new` gave, and `lookup` is alive during the call.
    unsafe {
        let Lists(lists) = &*context.cast::<Lists>();
        let mut wanted = 0;
        if s2n_crl_lookup_get_cert_issuer_hash(lookup, &raw mut wanted) != 0 {
            return -1;
        }
        match lists.iter().find(|list| list.issuer_hash == wanted) {
            Some(found) => s2n_crl_lookup_set(lookup, found.list.as_ptr()),
            None => s2n_crl_lookup_ignore(lookup),
        }
    }
}

struct Connection(NonNull<s2n_connection>);

impl Connection {
    fn new(balancer: &LoadBalancer, client: &TcpStream) -> Result<Self, ErrorName> {
        // SAFETY: the library is started; the socket and the configuration are borrowed by the
        // caller for longer than the connection lives.
        unsafe {
            let connection = Self(new(s2n_connection_new(s2n_mode::SERVER))?);
            let raw = connection.0.as_ptr();
            done(s2n_connection_set_config(raw, balancer.config.as_ptr()))?;
            done(s2n_connection_set_fd(raw, client.as_raw_fd()))?;
            // Else a refusal takes up to thirty seconds.
            done(s2n_connection_set_blinding(
                raw,
                s2n_blinding::SELF_SERVICE_BLINDING,
            ))?;
            Ok(connection)
        }
    }

    fn negotiate(&self) -> Result<(), ErrorName> {
        let mut blocked = s2n_blocked_status::NOT_BLOCKED;
        // SAFETY: the connection is alive.
        done(unsafe { s2n_negotiate(self.0.as_ptr(), &raw mut blocked) })
    }

    fn answer(&self) -> Result<(), ErrorName> {
        let mut request = Vec::new();
        let mut blocked = s2n_blocked_status::NOT_BLOCKED;
        while !request.ends_with(b"\r\n\r\n") {
            let mut octet = 0_u8;
            // SAFETY: one octet is read into one octet.
            let read = unsafe {
                let octet = (&raw mut octet).cast::<c_void>();
                s2n_recv(self.0.as_ptr(), octet, 1, &raw mut blocked)
            };
            match read {
                1 => request.push(octet),
                0 => return Err("the client went away".into()),
                _ => return Err(error()),
            }
        }
        let mut rest = ANSWER;
        while !rest.is_empty() {
            // SAFETY: `rest` is as long as is said.
            let sent = unsafe {
                let length = rest.len().cast_signed();
                s2n_send(
                    self.0.as_ptr(),
                    rest.as_ptr().cast(),
                    length,
                    &raw mut blocked,
                )
            };
            let sent = usize::try_from(sent).map_err(|_| error())?;
            rest = &rest[sent..];
        }
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut blocked = s2n_blocked_status::NOT_BLOCKED;
        // SAFETY: the connection is alive until it is freed here. The alert is sent if there is
        // one; the client may have gone.
        unsafe {
            s2n_shutdown(self.0.as_ptr(), &raw mut blocked);
            s2n_connection_free(self.0.as_ptr());
        }
    }
}

fn c_string(pem: &str) -> CString {
    CString::new(pem).expect("PEM holds no NUL")
}

fn new<T>(made: *mut T) -> Result<NonNull<T>, ErrorName> {
    NonNull::new(made).ok_or_else(error)
}

fn done(status: c_int) -> Result<(), ErrorName> {
    if status == 0 { Ok(()) } else { Err(error()) }
}

/// The name of this thread's last error.
fn error() -> ErrorName {
    // SAFETY: the location is this thread's own, and names are static strings.
    let name = unsafe { CStr::from_ptr(s2n_strerror_name(*s2n_errno_location())) };
    name.to_string_lossy().into_owned()
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn name_of(error: io::Error) -> ErrorName {
    error.to_string()
}
