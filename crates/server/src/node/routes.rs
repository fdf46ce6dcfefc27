//! Trunks: what the configuration says, under the identity of their rows.

use crate::config::{TrunkConfig, TrunkTransport};
use domain::entity::Trunk;
use domain::ids::TrunkId;
use domain::ports::{Clock, IdSource, Store};
use voice::{Codec, SipTransport};

/// Makes the rows that are missing and gives what voice needs. A row that is there keeps the limits
/// that were set on a screen.
///
/// # Errors
/// When the database fails or a password file cannot be read.
pub(super) async fn trunks(
    store: &dyn Store,
    clock: &dyn Clock,
    ids: &dyn IdSource,
    configured: &[TrunkConfig],
) -> anyhow::Result<Vec<voice::TrunkConfig>> {
    let mut made = Vec::with_capacity(configured.len());
    for trunk in configured {
        let row = match store.trunk_by_name(&trunk.name).await? {
            Some(row) => row,
            None => {
                let now = clock.now();
                let row = Trunk {
                    id: TrunkId(ids.next(now)),
                    name: trunk.name.clone(),
                    channels: i32::try_from(trunk.channels).unwrap_or(i32::MAX),
                    cps: i32::try_from(trunk.cps).unwrap_or(i32::MAX),
                    enabled: true,
                    created_at: now,
                };
                store.put_trunk(&row, &[]).await?;
                row
            }
        };
        made.push(for_voice(trunk, row.id)?);
    }
    Ok(made)
}

fn for_voice(trunk: &TrunkConfig, id: TrunkId) -> anyhow::Result<voice::TrunkConfig> {
    let codecs: Result<Vec<Codec>, _> = trunk.codecs.iter().map(|c| c.parse()).collect();
    Ok(voice::TrunkConfig {
        id,
        name: trunk.name.clone(),
        uri: trunk.uri.clone(),
        transport: match trunk.transport {
            TrunkTransport::Udp | TrunkTransport::Auto => SipTransport::Udp,
            TrunkTransport::Tcp => SipTransport::Tcp,
            TrunkTransport::Tls => SipTransport::Tls,
        },
        username: trunk.username.clone(),
        password: trunk.secret()?,
        register: trunk.register,
        channels: trunk.channels,
        cps: f64::from(trunk.cps),
        codecs: codecs?,
        headers: trunk
            .headers
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect(),
        behind_nat: trunk.behind_nat,
        ping: trunk.ping,
        policy: trunk.policy()?,
    })
}
