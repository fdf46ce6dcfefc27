//! Trunks by TCP or TLS are connected to again as soon as a connection was lost behind a call, without
//! waiting for the next call.

use super::calls::{hop, proto};
use super::core::Engine;
use domain::ids::TrunkId;
use sip::{Source, Target};

impl Engine {
    /// Opens the connection of a trunk where that is due.
    pub(super) fn reconnect(&mut self, trunk: TrunkId) {
        let now = self.now;
        let Some(route) = self.routes.get_mut(&trunk) else {
            return;
        };
        if route.connecting_in_vain(now) {
            let news = route.connected(false, now);
            self.tell_health(trunk, news);
        } else if let Some(to) = route.connect(now) {
            self.net.reach(hop(&route.config, to));
        }
    }

    /// A connection stands, or could not be opened: those trunks whose way it is know more now.
    pub(super) fn reached(&mut self, source: &Source, stands: bool) {
        let now = self.now;
        let waits = |(trunk, route): (&TrunkId, &super::route::Route)| {
            let to = hop(&route.config, route.connecting()?);
            let way = Target::from(*source);
            let same = match to.conn {
                Some(_) => to.conn == way.conn,
                None => to.dest == way.dest,
            };
            let fits = same && source.proto == proto(route.config.transport);
            fits.then_some(*trunk)
        };
        let waiting: Vec<TrunkId> = self.routes.iter().filter_map(waits).collect();
        for trunk in waiting {
            let news = self
                .routes
                .get_mut(&trunk)
                .and_then(|route| route.connected(stands, now));
            self.tell_health(trunk, news);
            // Another address of it may be next.
            self.reconnect(trunk);
        }
    }
}
