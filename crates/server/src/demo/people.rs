//! The demo's people: one login a role for persons, and simulated agents.

use super::seed::Seeder;
use domain::entity::{Agent, Role, User};
use domain::ids::{AgentId, UserId};
use rand::Rng as _;
use serde::{Deserialize, Serialize};

/// Letters of generated passwords: no pair that looks alike.
const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// Length of generated passwords: 14 letters of 31 are 69 bits.
const PASSWORD_LETTERS: usize = 14;

/// A login that is printed once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Login {
    pub(super) username: String,
    pub(super) password: String,
}

/// A simulated agent's way in.
#[derive(Debug, Clone)]
pub(super) struct AgentLogin {
    pub(super) login: Login,
    pub(super) sip_user: String,
    pub(super) sip_password: String,
}

/// Everybody.
pub(super) struct People {
    pub(super) agent: AgentLogin,
    pub(super) supervisor: Login,
    pub(super) manager: Login,
    pub(super) admin: Login,
    pub(super) simulated: Vec<AgentLogin>,
}

/// Hashes a password as sign-in will check it.
pub(super) type Hasher<'a> = dyn Fn(&str) -> anyhow::Result<String> + Send + Sync + 'a;

/// A random password.
pub(super) fn password() -> String {
    let mut rng = rand::rng();
    (0..PASSWORD_LETTERS)
        .map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())]))
        .collect()
}

const NAMES: [&str; 12] = [
    "Ana Ruiz",
    "Luis Díaz",
    "Marisol Vega",
    "Jorge Peña",
    "Sofía Lara",
    "Tomás Gil",
    "Elena Mora",
    "Iván Soto",
    "Carla Ríos",
    "Pablo Cano",
    "Nora Silva",
    "Hugo Reyes",
];

/// Makes (or, in a continued folder, gives new passwords to) everybody.
pub(super) async fn make(
    seeder: &Seeder<'_>,
    agents: u32,
    hash: &Hasher<'_>,
) -> anyhow::Result<People> {
    // Simulated agents share one password: hashing each would cost a tenth of a second apiece.
    let shared = password();
    let shared_hash = hash(&shared)?;
    let mut simulated = Vec::new();
    for number in 0..agents {
        let name = NAMES[number as usize % NAMES.len()];
        let username = format!("gestor{:03}", number + 1);
        let shown = if (number as usize) < NAMES.len() {
            name.to_owned()
        } else {
            format!("{name} {}", number + 1)
        };
        let user = login(seeder, &username, &shown, Role::Agent, &shared_hash).await?;
        let (sip_user, sip_password) = agent(seeder, user, &shown, &username).await?;
        let login = Login {
            username,
            password: shared.clone(),
        };
        simulated.push(AgentLogin {
            login,
            sip_user,
            sip_password,
        });
    }
    let mut person = Vec::new();
    for (username, shown, role) in [
        ("gestora", "Gestora de prueba", Role::Agent),
        ("supervisor", "Supervisor de prueba", Role::Supervisor),
        ("campanas", "Jefa de campañas", Role::Manager),
        ("admin", "Administración", Role::Admin),
    ] {
        let word = password();
        let user = login(seeder, username, shown, role, &hash(&word)?).await?;
        person.push((
            user,
            Login {
                username: username.into(),
                password: word,
            },
        ));
    }
    let mut person = person.into_iter();
    let mut next = || {
        person
            .next()
            .ok_or_else(|| anyhow::anyhow!("a login is missing"))
    };
    let (user, own) = next()?;
    let (sip_user, sip_password) = agent(seeder, user, "Gestora de prueba", "gestora").await?;
    Ok(People {
        agent: AgentLogin {
            login: own,
            sip_user,
            sip_password,
        },
        supervisor: next()?.1,
        manager: next()?.1,
        admin: next()?.1,
        simulated,
    })
}

async fn login(
    seeder: &Seeder<'_>,
    username: &str,
    shown: &str,
    role: Role,
    password_hash: &str,
) -> anyhow::Result<UserId> {
    let before = seeder.store.user_by_name(username).await?;
    let user = User {
        id: before.map_or_else(|| UserId(seeder.fresh()), |u| u.id),
        username: username.into(),
        display_name: shown.into(),
        role,
        client_id: None,
        password_hash: password_hash.into(),
        totp_secret: None,
        active: true,
        created_at: seeder.clock.now(),
    };
    seeder.store.put_user(&user, &[]).await?;
    Ok(user.id)
}

async fn agent(
    seeder: &Seeder<'_>,
    user: UserId,
    name: &str,
    sip_user: &str,
) -> anyhow::Result<(String, String)> {
    let before = seeder.store.agent_of_user(user).await?;
    let sip_password = password();
    let row = Agent {
        id: before.map_or_else(|| AgentId(seeder.fresh()), |a| a.id),
        user_id: user,
        team_id: None,
        name: name.into(),
        sip_user: sip_user.into(),
        sip_password: sip_password.clone(),
        campaigns: Vec::new(),
        skills: Vec::new(),
        created_at: seeder.clock.now(),
    };
    seeder.store.put_agent(&row, &[]).await?;
    Ok((sip_user.to_owned(), sip_password))
}
