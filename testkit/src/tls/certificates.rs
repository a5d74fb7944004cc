//! Certificates, created with the program `openssl`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// A certificate authority, with its folder.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    /// Serializes `openssl ca`, which does not lock its database.
    books: Mutex<()>,
}

/// A certificate and its key.
#[derive(Debug)]
pub struct Certificate {
    /// The file of the certificate.
    pub certificate: PathBuf,
    /// The file of the key.
    pub key: PathBuf,
}

/// The period in which a certificate is valid.
#[derive(Debug, Clone, Copy)]
pub enum Validity {
    /// The certificate is valid now.
    Now,
    /// The certificate has expired.
    Expired,
    /// The certificate will be valid later.
    NotYet,
}

impl Authority {
    /// Creates an authority in a new folder below `parent`.
    pub fn new(parent: &Path, name: &str) -> Self {
        let folder = parent.join(name);
        fs::create_dir(&folder).expect("a folder");
        for (file, text) in [("index.txt", ""), ("serial", "01\n"), ("crlnumber", "01\n")] {
            fs::write(folder.join(file), text).expect("a file");
        }
        let settings = format!(
            "[ca]\ndefault_ca = one\n[one]\ndir = {0}\ndatabase = $dir/index.txt\nserial = $dir/serial\n\
             crlnumber = $dir/crlnumber\nnew_certs_dir = $dir\ncertificate = $dir/ca.crt\nprivate_key = $dir/ca.key\n\
             default_md = sha256\ndefault_days = 2\ndefault_crl_days = 2\npolicy = any\nunique_subject = no\n\
             [any]\ncommonName = supplied\n[req]\ndistinguished_name = name\n[name]\n",
            folder.display()
        );
        fs::write(folder.join("ca.cnf"), settings).expect("a file");
        let authority = Self {
            folder,
            books: Mutex::new(()),
        };
        authority.self_sign("ca", name, "basicConstraints=critical,CA:TRUE");
        authority
    }

    /// Returns the file of the authority's own certificate, for clients that trust it.
    pub fn root(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    /// Signs a certificate for this name, with these alternative names
    /// (`DNS:localhost,IP:127.0.0.1`).
    pub fn sign(&self, name: &str, alternatives: &str, validity: Validity) -> Certificate {
        let _books = self.books.lock().expect("no panic");
        let file = format!(
            "{name}-{}",
            fs::read_dir(&self.folder).expect("a folder").count()
        );
        let at = |ending: &str| self.folder.join(format!("{file}.{ending}"));
        let certificate = Certificate {
            certificate: at("crt"),
            key: at("key"),
        };
        openssl(
            &[
                "req",
                "-new",
                "-nodes",
                "-subj",
                &format!("/CN={name}"),
                "-config",
            ],
            &[&self.folder.join("ca.cnf")],
            &[
                ("-newkey", Path::new("ec")),
                ("-keyout", &certificate.key),
                ("-out", &at("csr")),
            ],
            &["-pkeyopt", "ec_paramgen_curve:prime256v1"],
        );
        let extensions = if alternatives.is_empty() {
            "basicConstraints=CA:FALSE\n".to_owned()
        } else {
            format!("basicConstraints=CA:FALSE\nsubjectAltName={alternatives}\n")
        };
        fs::write(at("ext"), extensions).expect("a file");
        let (from, to) = match validity {
            Validity::Now => (days_from_now(-1), days_from_now(2)),
            Validity::Expired => (days_from_now(-3), days_from_now(-1)),
            Validity::NotYet => (days_from_now(1), days_from_now(3)),
        };
        openssl(
            &[
                "ca",
                "-batch",
                "-notext",
                "-startdate",
                &from,
                "-enddate",
                &to,
                "-config",
            ],
            &[&self.folder.join("ca.cnf")],
            &[
                ("-in", &at("csr")),
                ("-out", &certificate.certificate),
                ("-extfile", &at("ext")),
            ],
            &[],
        );
        certificate
    }

    /// Creates a self-signed certificate.
    pub fn self_sign(&self, file: &str, name: &str, extension: &str) -> Certificate {
        let at = |ending: &str| self.folder.join(format!("{file}.{ending}"));
        let certificate = Certificate {
            certificate: at("crt"),
            key: at("key"),
        };
        openssl(
            &[
                "req",
                "-x509",
                "-nodes",
                "-days",
                "2",
                "-subj",
                &format!("/CN={name}"),
                "-addext",
                extension,
                "-config",
            ],
            &[&self.folder.join("ca.cnf")],
            &[
                ("-newkey", Path::new("ec")),
                ("-keyout", &certificate.key),
                ("-out", &certificate.certificate),
            ],
            &["-pkeyopt", "ec_paramgen_curve:prime256v1"],
        );
        certificate
    }

    /// Revokes a certificate; returns the file of the revocation list.
    pub fn revoke(&self, certificate: &Certificate) -> PathBuf {
        let list = self.folder.join("revoked.crl");
        let settings = self.folder.join("ca.cnf");
        openssl(
            &["ca", "-config"],
            &[&settings],
            &[("-revoke", &certificate.certificate)],
            &[],
        );
        openssl(
            &["ca", "-gencrl", "-config"],
            &[&settings],
            &[("-out", &list)],
            &[],
        );
        list
    }
}

fn openssl(arguments: &[&str], paths: &[&Path], files: &[(&str, &Path)], rest: &[&str]) {
    let mut program = Command::new("openssl");
    program.args(arguments).args(paths);
    for (option, path) in files {
        program.arg(option).arg(path);
    }
    program.args(rest).stdin(Stdio::null());
    let done = program.output().expect("script/bootstrap installs openssl");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// Returns a time as `openssl` reads it, such as `20261121000000Z`.
fn days_from_now(days: i64) -> String {
    let then = chrono::Utc::now() + chrono::TimeDelta::days(days);
    then.format("%Y%m%d%H%M%SZ").to_string()
}
