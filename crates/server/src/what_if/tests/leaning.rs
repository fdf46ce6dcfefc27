//! Sides that lean away from their mode's rule.

use super::super::{Forecaster, world};
use super::{House, PATIENCE, side};
use domain::entity::DialMode;
use domain::ports::{WhatIf as _, WhatIfError, WhatIfSettings};
use std::sync::Arc;

#[tokio::test]
async fn a_side_leans_as_its_campaign_would() {
    let house = House::build().await;
    let found = house.history().await;
    // A cap so high that the guard lets all be dialed.
    let rule = WhatIfSettings {
        cap_pct: 60.0,
        ..side(DialMode::Power, 6, &found)
    };
    let sides = vec![
        rule.clone(),
        WhatIfSettings {
            agent_balance: -2,
            ..rule.clone()
        },
        WhatIfSettings {
            intensity_pct: -50.0,
            ..rule.clone()
        },
        WhatIfSettings {
            lines_per_agent: 1.0,
            ..rule.clone()
        },
        WhatIfSettings {
            lines_per_agent: 1.0,
            intensity_pct: 50.0,
            ..rule
        },
    ];
    let out = Forecaster::who_waits(PATIENCE, PATIENCE)
        .forecast(Arc::new(found.profile.clone()), sides)
        .await
        .expect("a forecast");
    let contacts: Vec<f64> = out.iter().map(|f| f.contacts_per_hour.value).collect();
    assert!(contacts[1] < contacts[0], "{contacts:?}");
    // Half of two lines is one.
    assert!((contacts[2] - contacts[3]).abs() < 1e-9, "{contacts:?}");
    assert!(contacts[4] > contacts[3], "{contacts:?}");
    // One line an agent abandons nobody: a cap of nothing leaves that, and no agent more than there are.
    let mut no_cap = side(DialMode::Power, 6, &found);
    (no_cap.cap_pct, no_cap.lines_per_agent) = (0.0, 1.0);
    assert!(world::build(&found.profile, &no_cap).is_ok());
    no_cap.agent_balance = 1;
    let refused = world::build(&found.profile, &no_cap).map(|w| w.hours);
    let Err(WhatIfError::Refused { field, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(field, "params.mode");
}
