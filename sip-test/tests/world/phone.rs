//! The phone against a registrar and its calls, over real sockets.

use std::collections::HashMap;
use std::sync::Arc;

use crate::common::{PATIENCE, Ua};
use media::speech::DEBTOR_HZ;
use sip::header::Algorithm;
use sip::ua::{Auth, Config, Event, RegistrarRules, Secret};
use sip_test::phone::{self, Phone, PhoneConfig, Speaking};
use sip_test::plane::Voice;

fn registrar(config: &mut Config) {
    let accounts = HashMap::from([("a1".to_owned(), Secret::Password("secret".to_owned()))]);
    config.auth = Some(Auth {
        realm: "marcador".to_owned(),
        nonce_key: [3; 32],
        algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
        passwords: Arc::new(accounts),
    });
    config.registrar = Some(RegistrarRules::default());
}

fn debtor() -> Voice {
    Voice::person(DEBTOR_HZ, 0.22, 9)
}

async fn phone(server: &Ua, password: &str, speaking: Speaking) -> Phone {
    let mut config = PhoneConfig::new(server.driver.local(), "a1", password);
    config.speaking = speaking;
    phone::start(config).await.expect("a phone")
}

/// Waits for a binding; gives where the phone is to be called.
async fn bound(server: &mut Ua) -> std::net::SocketAddr {
    server
        .until("the registration", |e| match e {
            Event::Registered { user, source, .. } if user == "a1" => Some(source.remote),
            _ => None,
        })
        .await
}

/// Drives the server until the phone stands as wished.
async fn stands(server: &mut Ua, phone: &mut Phone, wish: fn(&phone::PhoneState) -> bool) {
    let drive = async {
        loop {
            server.driver.next().await;
        }
    };
    tokio::select! {
        stood = tokio::time::timeout(PATIENCE, phone.until(wish)) => assert_eq!(stood, Ok(true)),
        () = drive => {}
    }
}

/// Ends a phone while the server goes on answering.
async fn stop(server: &mut Ua, phone: Phone) -> phone::PhoneState {
    let mut end = Box::pin(phone.stop());
    loop {
        tokio::select! {
            state = &mut end => return state,
            _ = server.driver.next() => {}
        }
    }
}

#[tokio::test]
async fn it_registers_answers_speaks_hears_and_leaves() {
    let mut server = Ua::new(registrar).await;
    let mut phone = phone(&server, "secret", Speaking::WhenTold).await;
    let at = bound(&mut server).await;
    assert_eq!(at, phone.address());
    let call = server.call(at, "a1", debtor());
    server.answered().await;
    stands(&mut server, &mut phone, |s| s.leg_up && s.registered).await;
    server.hear("silence", |h| h.packets_in > 20).await;
    assert_eq!(
        server.hearing.heard().first_voice_ms,
        None,
        "nobody told it to speak"
    );
    phone.speak(true).expect("the phone");
    server
        .hear("the agent", |h| {
            h.first_voice_ms.is_some() && h.packets_in > 150
        })
        .await;
    let shares = server.hearing.heard().shares();
    assert!(shares.agent > 0.8 && shares.debtor < 0.05, "{shares:?}");
    let heard = phone.hearing().heard();
    assert!(heard.first_debtor_ms.is_some() && heard.shares().debtor > 0.8);
    server.hang_up(call);
    stands(&mut server, &mut phone, |s| !s.leg_up).await;
    let state = stop(&mut server, phone).await;
    assert_eq!(
        (state.calls, state.refused, state.registered),
        (1, 0, false)
    );
    assert!(
        server.driver.endpoint().bindings("a1").is_empty(),
        "it took its binding back"
    );
}

#[tokio::test]
async fn alone_it_answers_whoever_speaks_to_it() {
    let mut server = Ua::new(registrar).await;
    let phone = phone(&server, "secret", Speaking::WhenSpokenTo).await;
    let at = bound(&mut server).await;
    server.call(at, "a1", debtor());
    server.answered().await;
    server
        .hear("the agent", |h| h.first_voice_ms.is_some())
        .await;
    assert!(phone.hearing().heard().first_debtor_ms.is_some());
}

#[tokio::test]
async fn the_newer_call_takes_the_line() {
    let mut server = Ua::new(registrar).await;
    let mut phone = phone(&server, "secret", Speaking::Always).await;
    let at = bound(&mut server).await;
    server.call(at, "a1", Voice::Silence);
    server.answered().await;
    stands(&mut server, &mut phone, |s| s.leg_up).await;
    // As a server that was killed and started again.
    let mut again = Ua::new(registrar).await;
    again.call(at, "a1", debtor());
    again.answered().await;
    server.ended().await;
    again
        .hear("the agent", |h| h.first_voice_ms.is_some())
        .await;
    assert_eq!(phone.state().calls, 2);
}

#[tokio::test]
async fn it_registers_anew_on_wish_and_goes_on_trying() {
    let mut server = Ua::new(registrar).await;
    let mut right = phone(&server, "secret", Speaking::WhenTold).await;
    bound(&mut server).await;
    stands(&mut server, &mut right, |s| s.registered).await;
    right.renew().expect("the phone");
    bound(&mut server).await;
    let mut wrong = phone(&server, "guess", Speaking::WhenTold).await;
    stands(&mut server, &mut wrong, |s| s.registration_failures >= 2).await;
    assert!(!wrong.state().registered);
    let state = stop(&mut server, right).await;
    assert_eq!((state.registrations, state.registration_failures), (2, 0));
}

#[tokio::test]
async fn an_account_that_is_no_address_is_refused() {
    let server = ([127, 0, 0, 1], 9).into();
    let started = phone::start(PhoneConfig::new(server, "no good", "x")).await;
    assert!(started.is_err_and(|error| error.to_string().contains("no good")));
}
