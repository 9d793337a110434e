//! Signals: the first that ends the process lets it finish what it is at; `SIGHUP` asks for indicators to be read anew.

use super::error::{Error, reason};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The signals that came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    end: Arc<AtomicBool>,
    reload: Arc<AtomicBool>,
}

impl Signals {
    /// Listens from now on; to `SIGHUP` if indicators can be read anew. A second signal to end ends the process at once.
    ///
    /// # Errors
    /// The system does not allow it.
    pub(crate) fn listen(reload: bool) -> Result<Self, Error> {
        let signals = Self::default();
        let register = || {
            for signal in [SIGINT, SIGTERM] {
                flag::register_conditional_default(signal, Arc::clone(&signals.end))?;
                flag::register(signal, Arc::clone(&signals.end))?;
            }
            #[cfg(unix)]
            if reload {
                flag::register(signal_hook::consts::SIGHUP, Arc::clone(&signals.reload))?;
            }
            Ok(())
        };
        let registered: std::io::Result<()> = register();
        registered.map_err(|error| Error::new(format_args!("signals cannot be listened to: {}", reason(&error))))?;
        let _ = reload;
        Ok(signals)
    }

    /// Whether the process is to end.
    pub(crate) fn ended(&self) -> bool {
        self.end.load(Ordering::Relaxed)
    }

    /// The flag that says so, for threads that look by themselves.
    pub(crate) fn end(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.end)
    }

    /// Whether indicators are to be read anew, since this was last asked.
    pub(crate) fn take_reload(&self) -> bool {
        self.reload.swap(false, Ordering::Relaxed)
    }
}
