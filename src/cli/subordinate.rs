//! `pki subordinate`.

use super::context::Context;
use super::failure::Failure;
use super::passphrase::{PassinArgs, Protecting, UserPassphrases};
use super::report::Report;
use super::root::{NewCaArgs, report};
use crate::ca::create_subordinate;
use crate::store::CaName;
use clap::Args;

/// Make a CA under a CA of the store
///
/// Path length and validity are held to the parent's.
#[derive(Args)]
pub(super) struct SubordinateArgs {
    /// The CA that signs the new one
    #[arg(long, visible_alias = "parent", value_name = "NAME")]
    ca: CaName,
    /// The CA's name in the store, and its common name unless --cn or --subject say another
    #[arg(long, value_name = "NAME")]
    name: CaName,
    #[command(flatten)]
    new: NewCaArgs,
    #[command(flatten)]
    passin: PassinArgs,
}

impl SubordinateArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let store = context.open_store()?;
        let new = self.new.new_ca(&self.name)?;
        let mut passphrases = UserPassphrases::new(
            context,
            Some(&self.passin),
            Some(&self.new.passout),
            Protecting::NewCa,
        )?;
        let (ca, notices) =
            create_subordinate(&store, &self.ca, &new, &mut passphrases, context.now)?;
        context.notices(notices);
        Ok(report(&ca, "CA"))
    }
}
