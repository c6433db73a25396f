//! Our own machines as a case wants them, wherever they run.

use super::fetcher::Job;
use super::house::{House, Our, account};
use super::wire::Wire;
use super::{Account, Site};
use crate::case::{ClientCase, Mailbox, ServerCase};
use crate::mailbox::Mail;

/// What our client is to do in a case.
pub(super) fn job(case: &ClientCase) -> Job {
    let mut job = Job::default();
    if let Some(change) = case.job {
        change(&mut job);
    }
    job
}

/// Our server, and how a session is opened with it.
pub(super) struct OurSite<F> {
    our: Our,
    open: F,
}

impl<F: Fn(&Our) -> Result<Box<dyn Wire>, String>> OurSite<F> {
    /// Our server as a case wants it.
    pub(super) fn new(case: &ServerCase, open: F) -> Self {
        let mut house = House::default();
        if case.mailbox == Mailbox::Empty {
            house.messages.clear();
        }
        if let Some(set_up) = case.house {
            set_up(&mut house);
        }
        Self { our: Our::new(house), open }
    }
}

impl<F: Fn(&Our) -> Result<Box<dyn Wire>, String>> Site for OurSite<F> {
    fn connect(&mut self) -> Result<Box<dyn Wire>, String> {
        (self.open)(&self.our)
    }

    fn account(&self) -> Account {
        account()
    }

    fn number(&self, mail: Mail) -> Option<u32> {
        self.our.number(mail)
    }

    fn count(&self) -> Option<u32> {
        Some(self.our.count())
    }
}
