//! The file of agents' accounts.

use std::io::Read as _;
use std::path::Path;

use sip_test::SipTestError;

/// Most agents of one process.
const MAX_AGENTS: usize = 1_000;

/// One agent's sign-in and phone.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) user: String,
    pub(super) password: String,
    pub(super) sip_user: String,
    pub(super) sip_password: String,
}

/// Reads a file, or standard input for `-`.
pub(super) fn read(path: &Path) -> Result<Vec<Account>, SipTestError> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.map_err(|source| SipTestError::File {
        path: path.to_owned(),
        source,
    })?;
    parse(&text)
}

fn parse(text: &str) -> Result<Vec<Account>, SipTestError> {
    let mut accounts = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let (user, password, sip_user, sip_password) = match words[..] {
            [user, password] => (user, password, user, password),
            [user, password, sip_user, sip_password] => (user, password, sip_user, sip_password),
            _ => {
                let what = format!(
                    "accounts, line {}: wants 'user password' or 'user password sip-user sip-password'",
                    at + 1
                );
                return Err(SipTestError::Profile(what));
            }
        };
        accounts.push(Account {
            user: user.to_owned(),
            password: password.to_owned(),
            sip_user: sip_user.to_owned(),
            sip_password: sip_password.to_owned(),
        });
    }
    if accounts.is_empty() || accounts.len() > MAX_AGENTS {
        let what = format!(
            "accounts: {} of them, 1 to {MAX_AGENTS} would be right",
            accounts.len()
        );
        return Err(SipTestError::Profile(what));
    }
    Ok(accounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_accounts() {
        let read = parse("# demo\nana secret\n\neva pass e1 phone\n").expect("accounts");
        assert_eq!(read.len(), 2);
        assert_eq!(
            (read[0].sip_user.as_str(), read[0].sip_password.as_str()),
            ("ana", "secret")
        );
        assert_eq!(
            (read[1].sip_user.as_str(), read[1].sip_password.as_str()),
            ("e1", "phone")
        );
        let wrong = parse("ana secret\neva\n").expect_err("a word is missing");
        assert!(wrong.to_string().contains("line 2"));
        assert!(parse("").is_err());
    }
}
