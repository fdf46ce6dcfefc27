//! `marcador user add|password`.

use super::{read_config, say};
use crate::cli::{ConfigArgs, UserCommand};
use crate::clock::{NodeClock, RandomIds};
use crate::failure::Failure;
use crate::secrets;
use anyhow::Context as _;
use domain::entity::{Agent, Role, User};
use domain::ids::{AgentId, ClientId, UserId};
use domain::ports::{Clock as _, IdSource as _, Store};
use std::path::Path;
use std::sync::Arc;

/// Most characters of a login name.
const USERNAME_CHARS: usize = 64;

struct Desk {
    store: Arc<dyn Store>,
    clock: NodeClock,
    pepper: Vec<u8>,
}

impl Desk {
    async fn open(args: &ConfigArgs) -> Result<Self, Failure> {
        let config = read_config(args)?;
        let pepper = secrets::load_or_make(Path::new(&config.auth.secret_file))?.pepper;
        let store = crate::node::open_store(&config.database).await?;
        Ok(Self {
            store,
            clock: NodeClock::system(),
            pepper,
        })
    }

    fn id(&self) -> uuid::Uuid {
        RandomIds.next(self.clock.now())
    }

    async fn hash(&self, password: &str) -> Result<String, Failure> {
        let (pepper, password) = (self.pepper.clone(), password.to_owned());
        let hash =
            tokio::task::spawn_blocking(move || api::auth::hash_password(&pepper, &password));
        hash.await
            .map_err(anyhow::Error::from)?
            .map_err(Failure::usage)
    }
}

/// Carries it out.
pub(crate) async fn run(what: UserCommand) -> Result<(), Failure> {
    match what {
        UserCommand::Add {
            username,
            role,
            name,
            client,
            config,
        } => {
            let role: Role = role
                .parse()
                .map_err(|e: domain::ValueError| Failure::usage(e))?;
            let client = client
                .map(|c| c.parse::<ClientId>())
                .transpose()
                .map_err(Failure::usage)?;
            add(&Desk::open(&config).await?, &username, role, name, client).await
        }
        UserCommand::Password {
            username,
            stdin,
            config,
        } => {
            let given = if stdin { Some(read_password()?) } else { None };
            set_password(&Desk::open(&config).await?, &username, given).await
        }
    }
}

fn read_password() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .map_err(anyhow::Error::from)?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        return Err(Failure::usage(anyhow::anyhow!(
            "no password on standard input"
        )));
    }
    Ok(password)
}

async fn add(
    desk: &Desk,
    username: &str,
    role: Role,
    name: Option<String>,
    client: Option<ClientId>,
) -> Result<(), Failure> {
    let username = username.trim().to_lowercase();
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
    if username.is_empty()
        || username.chars().count() > USERNAME_CHARS
        || !username.chars().all(fine)
    {
        return Err(Failure::usage(anyhow::anyhow!(
            "login name: expected up to 64 letters, digits or . - _ @"
        )));
    }
    match (role, client) {
        (Role::Client, None) => {
            return Err(Failure::usage(anyhow::anyhow!(
                "a 'client' login needs --client ID"
            )));
        }
        (_, Some(id)) => {
            desk.store.get_client(id).await.context("--client")?;
        }
        (_, None) => {}
    }
    if desk.store.user_by_name(&username).await?.is_some() {
        return Err(Failure::usage(anyhow::anyhow!(
            "login '{username}' is there already"
        )));
    }
    let password = api::auth::generate_password();
    let user = User {
        id: UserId(desk.id()),
        username: username.clone(),
        display_name: name.unwrap_or_else(|| username.clone()),
        role,
        client_id: client,
        password_hash: desk.hash(&password).await?,
        totp_secret: None,
        active: true,
        created_at: desk.clock.now(),
    };
    desk.store.put_user(&user, &[]).await?;
    say(format!(
        "login '{username}' ({role}), password '{password}' (shown once)"
    ));
    if role == Role::Agent {
        add_phone(desk, &user).await?;
    }
    Ok(())
}

/// An agent has a phone: its SIP user is his login name.
async fn add_phone(desk: &Desk, user: &User) -> Result<(), Failure> {
    let sip_password = api::auth::generate_password();
    let agent = Agent {
        id: AgentId(desk.id()),
        user_id: user.id,
        team_id: None,
        name: user.display_name.clone(),
        sip_user: user.username.clone(),
        sip_password: sip_password.clone(),
        campaigns: Vec::new(),
        skills: Vec::new(),
        created_at: desk.clock.now(),
    };
    desk.store.put_agent(&agent, &[]).await?;
    say(format!(
        "phone: SIP user '{}', password '{sip_password}' (shown once)",
        user.username
    ));
    Ok(())
}

async fn set_password(desk: &Desk, username: &str, given: Option<String>) -> Result<(), Failure> {
    let name = username.trim().to_lowercase();
    let user = desk.store.user_by_name(&name).await?;
    let Some(mut user) = user else {
        return Err(Failure::usage(anyhow::anyhow!("no login '{name}'")));
    };
    let made = given.is_none();
    let password = given.unwrap_or_else(api::auth::generate_password);
    user.password_hash = desk.hash(&password).await?;
    desk.store.put_user(&user, &[]).await?;
    if made {
        say(format!(
            "login '{name}', new password '{password}' (shown once)"
        ));
    } else {
        say(format!("login '{name}' has its new password"));
    }
    Ok(())
}
