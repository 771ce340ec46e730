//! An empty static process.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::harness::Contender;

/// Name of the floor.
pub const EMPTY: &str = "empty static process";

/// Its name without position-independent code: the kernel always maps it at the same address.
pub const AT_FIXED_ADDRESS: &str = "empty static process, not position-independent";

/// Two programs that do nothing.
pub struct Empty {
    directory: PathBuf,
}

impl Empty {
    /// Compiles them.
    pub fn new(directory: &Path) -> Result<Self> {
        let empty = Self {
            directory: directory.to_owned(),
        };
        compile(&empty.program("pie"), "pie")?;
        compile(&empty.program("static"), "static")?;
        Ok(empty)
    }

    /// The floor of every command.
    pub fn contender(&self) -> Contender {
        alone(EMPTY, self.program("pie"))
    }

    /// The same without address space layout randomization of the program.
    pub fn at_fixed_address(&self) -> Contender {
        alone(AT_FIXED_ADDRESS, self.program("static"))
    }

    fn program(&self, model: &str) -> PathBuf {
        self.directory.join(format!("empty-{model}"))
    }
}

fn alone(called: &str, program: PathBuf) -> Contender {
    Contender::new(called, move |_| Ok(vec![Command::new(&program)]))
}

fn compile(program: &Path, model: &str) -> Result<()> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/floor/nothing.rs");
    let status = Command::new("rustc")
        .args(["-O", "-C", "panic=abort", "-C", "strip=symbols"])
        .args(["-C", "target-feature=+crt-static"])
        .args(["-C", &format!("relocation-model={model}"), "-o"])
        .args([program, &source])
        .status()
        .context("rustc does not start")?;
    ensure!(status.success(), "rustc cannot link a static program");
    Ok(())
}
