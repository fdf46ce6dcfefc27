//! Where the demo's debtors live and work: invented streets of the city of their zone. Homes come with the file of the
//! portfolio, as creditors send them; work places were told to an agent.

use super::seed::Seeder;
use domain::entity::{Address, Debtor};
use domain::ids::AddressId;
use domain::pii::Pii;
use domain::ports::store::{ListFilter, PageRequest};

/// Of a portfolio's rows every so many has the debtor's home.
const HOMES_EVERY: usize = 4;
/// Debtors of whom it is looked who told where he works: one page.
const WORKING: u32 = 400;
/// Of them every so many did.
const WORK_EVERY: usize = 8;
/// Streets that no city has: named for what a sample is.
const STREETS: [&str; 6] = [
    "Calle del Ensayo",
    "Avenida de la Muestra",
    "Calle del Ejemplo",
    "Pasaje de la Prueba",
    "Calle del Supuesto",
    "Avenida del Modelo",
];
/// Numbers of a street.
const NUMBERS: usize = 180;
/// Cities of the sample, by the subdivision that its rows name.
const CITIES: [(&str, &str); 5] = [
    ("CMX", "Ciudad de México"),
    ("DC", "Bogotá"),
    ("LIM", "Lima"),
    ("RM", "Santiago"),
    ("MD", "Madrid"),
];

fn city(subdivision: &str) -> Option<&'static str> {
    let mut cities = CITIES.iter();
    cities.find(|(of, _)| *of == subdivision).map(|(_, c)| *c)
}

/// The street and number, and a postal code that begins as none of these countries has one.
fn place(n: usize) -> (String, String) {
    let street = STREETS[n % STREETS.len()];
    let number = n / STREETS.len() % NUMBERS + 1;
    (format!("{street} {number}"), format!("00{:03}", n % 1_000))
}

/// A part of the portfolio with homes: three columns more, empty where the creditor knows none.
pub(super) fn with_homes(text: &str) -> String {
    let mut lines = text.lines();
    let head = lines.next().unwrap_or_default();
    let subdivision = head.split(',').position(|c| c == "subdivision");
    let mut whole = format!("{head},street,city,postcode\n");
    for (n, line) in lines.enumerate() {
        let of = subdivision.and_then(|at| line.split(',').nth(at));
        let home = match of.and_then(city).filter(|_| n % HOMES_EVERY == 1) {
            Some(city) => {
                let (street, postcode) = place(n);
                format!("{street},{city},{postcode}")
            }
            None => ",,".to_owned(),
        };
        whole.push_str(&format!("{line},{home}\n"));
    }
    whole
}

fn work(seeder: &Seeder<'_>, debtor: &Debtor, n: usize) -> Option<Address> {
    let region = debtor.subdivision.clone()?;
    let (street, postcode) = place(n * STREETS.len() + 1);
    let now = seeder.clock.now();
    Some(Address {
        id: AddressId(seeder.fresh()),
        client_id: debtor.client_id,
        debtor_id: debtor.id,
        street: Pii(format!("Trabajo: {street}")),
        city: city(&region)?.to_owned(),
        region,
        postcode,
        country: debtor.country.clone(),
        zone: None,
        source: "debtor".to_owned(),
        bad: false,
        added_at: now,
        confirmed_at: now,
    })
}

/// Some debtors have told where they work.
pub(super) async fn seed(seeder: &Seeder<'_>) -> anyhow::Result<()> {
    let page = PageRequest {
        limit: WORKING,
        cursor: None,
    };
    let all = ListFilter::default();
    let found = seeder.store.list_debtors(&all, &page).await?;
    for (n, debtor) in found.items.iter().step_by(WORK_EVERY).enumerate() {
        if let Some(row) = work(seeder, debtor, n) {
            seeder.store.put_address(&row, &[]).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_has_a_home_in_the_city_of_its_row() {
        let rows = "external_ref,subdivision\nA,CMX\nB,DC\nC,LIM\nD,RM\nE,MD\nF,CMX\nG,XX\nH,DC\nI,DC\nJ,XX\n";
        let homes = with_homes(rows);
        let homes: Vec<&str> = homes.lines().collect();
        assert_eq!(homes[0], "external_ref,subdivision,street,city,postcode");
        assert_eq!(homes[2], "B,DC,Avenida de la Muestra 1,Bogotá,00001");
        assert_eq!(
            homes[6],
            "F,CMX,Avenida del Modelo 1,Ciudad de México,00005"
        );
        let none = homes.iter().filter(|line| line.ends_with(",,,")).count();
        assert_eq!(none, 8, "one of them lives in a city that is not known");
    }
}
