//! rspamd multimap: one key a line, for maps of names or of addresses. Names are compared as a whole.

use super::super::{Format, Options, Out, View};
use super::{BASE, DOMAIN_IP, Family};
use std::io;

pub(super) const FAMILY: Family = Family { file: "rspamd", formats: &[RSPAMD] };

const RSPAMD: Format = Format {
    name: "rspamd",
    about: "rspamd multimap of names or addresses",
    kinds: DOMAIN_IP,
    one_kind: true,
    body,
    ..BASE
};

fn body(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    view.hosts().try_for_each(|host| out.host(host).end())?;
    view.nets().try_for_each(|net| out.net(net).end())
}
