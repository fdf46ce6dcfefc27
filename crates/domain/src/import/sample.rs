//! The demo's portfolio, made from arrears rows (see `config/portfolio/README.md`): real ageing,
//! invented people, numbers that no operator assigns. Same source, rows and seed: same file.

use std::fmt::Write as _;

/// Columns of the source that are used.
const SOURCE: [&str; 9] = [
    "LIMIT_BAL",
    "PAY_0",
    "BILL_AMT1",
    "PAY_AMT1",
    "PAY_AMT2",
    "PAY_AMT3",
    "PAY_AMT4",
    "PAY_AMT5",
    "PAY_AMT6",
];
/// Header of the file that is made.
const HEADER: &str = "external_ref,debt_ref,name,document,country,subdivision,product,currency,principal,interest,fees,overdue,minimum,days_past_due,phone_mobile,phone_home,phone_authorised,phone_given_by_debtor";
/// Days of a month late, in the mean.
const MONTH_DAYS: i64 = 30;
/// Interest of a month late, thousandths.
const INTEREST_PM: i64 = 28;
/// Source rows that are not late, of a hundred taken: a portfolio has preventive debts too.
const PREVENTIVE_PCT: u64 = 12;

/// A country of the demo.
struct Country {
    code: &'static str,
    subdivision: &'static str,
    currency: &'static str,
    /// Local units for a thousand of the source's (New Taiwan dollars), about the exchange rate.
    per_thousand: i64,
    /// Minor units of one.
    minor: i64,
    /// Out of a hundred debtors.
    share: u64,
    /// Number with `#` for digits; see the README for why nobody has it.
    mobile: Option<&'static str>,
    home: Option<&'static str>,
}

const COUNTRIES: [Country; 5] = [
    Country {
        code: "MX",
        subdivision: "CMX",
        currency: "MXN",
        per_thousand: 560,
        minor: 100,
        share: 45,
        mobile: Some("+525500######"),
        home: Some("+525501######"),
    },
    Country {
        code: "CO",
        subdivision: "DC",
        currency: "COP",
        per_thousand: 128_000,
        minor: 100,
        share: 20,
        mobile: None,
        home: Some("+576018######"),
    },
    Country {
        code: "PE",
        subdivision: "LIM",
        currency: "PEN",
        per_thousand: 115,
        minor: 100,
        share: 14,
        mobile: Some("+51911######"),
        home: Some("+5110######"),
    },
    Country {
        code: "CL",
        subdivision: "RM",
        currency: "CLP",
        per_thousand: 29_000,
        minor: 1,
        share: 12,
        mobile: Some("+56920######"),
        home: None,
    },
    Country {
        code: "ES",
        subdivision: "MD",
        currency: "EUR",
        per_thousand: 28,
        minor: 100,
        share: 9,
        mobile: Some("+34739######"),
        home: None,
    },
];

const FIRST: [&str; 40] = [
    "Adriana", "Agustín", "Alba", "Andrés", "Beatriz", "Bruno", "Camila", "César", "Claudia",
    "Daniel", "Diana", "Eduardo", "Elisa", "Emilio", "Fabiola", "Felipe", "Gabriela", "Gonzalo",
    "Héctor", "Inés", "Irene", "Jaime", "Julia", "Leonor", "Lorenzo", "Lucía", "Manuel", "Marina",
    "Mateo", "Miriam", "Nicolás", "Olga", "Óscar", "Paulina", "Ramiro", "Rocío", "Samuel",
    "Teresa", "Valeria", "Ximena",
];
const LAST: [&str; 40] = [
    "Aguilar",
    "Alarcón",
    "Arce",
    "Barrios",
    "Bravo",
    "Cáceres",
    "Campos",
    "Cárdenas",
    "Castaño",
    "Cisneros",
    "Cortés",
    "Durán",
    "Escobar",
    "Espinosa",
    "Fuentes",
    "Galindo",
    "Guerra",
    "Herrera",
    "Ibáñez",
    "Jara",
    "Lozano",
    "Luna",
    "Maldonado",
    "Medina",
    "Montes",
    "Navarro",
    "Núñez",
    "Ochoa",
    "Ortega",
    "Palacios",
    "Pardo",
    "Quintana",
    "Rangel",
    "Rosales",
    "Salinas",
    "Tapia",
    "Urrutia",
    "Valdés",
    "Yáñez",
    "Zapata",
];
const PRODUCTS: [&str; 3] = [
    "tarjeta de crédito",
    "préstamo personal",
    "crédito de consumo",
];

/// Why no portfolio could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    /// A column is missing.
    #[error("the source has no column '{0}'")]
    Column(&'static str),
    /// A cell is no number.
    #[error("source line {line}: '{column}' is no whole number")]
    Cell {
        /// Line.
        line: usize,
        /// Column.
        column: &'static str,
    },
    /// Nothing to take from.
    #[error("the source has no usable row: expected positive BILL_AMT1")]
    Empty,
    /// Formatting failed: never for a string.
    #[error("the file could not be written")]
    Write(#[from] std::fmt::Error),
}

/// One usable row of the source.
struct Arrears {
    limit: i64,
    months: i64,
    bill: i64,
    paid: i64,
}

/// SplitMix64 (Steele et al. 2014): enough for names and digits, and the same everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.below(words.len() as u64)).unwrap_or(0);
        words.get(at).copied().unwrap_or("")
    }
}

/// Makes a portfolio of `rows` debtors from the CSV text of the source. The source is gone through
/// in a seeded order, late rows first in proportion, and again when it is shorter than `rows`.
///
/// # Errors
/// A missing column, a cell that is no whole number, no usable row.
pub fn generate(source: &str, rows: usize, seed: u64) -> Result<String, SampleError> {
    let (late, preventive) = read(source)?;
    let mut chance = Chance(seed);
    let mut out = format!("{HEADER}\n");
    for number in 0..rows {
        let pool = match (late.is_empty(), preventive.is_empty()) {
            (true, true) => return Err(SampleError::Empty),
            (true, false) => &preventive,
            (false, true) => &late,
            (false, false) if chance.below(100) < PREVENTIVE_PCT => &preventive,
            _ => &late,
        };
        let at = usize::try_from(chance.below(pool.len() as u64)).unwrap_or(0);
        if let Some(arrears) = pool.get(at) {
            write_row(&mut out, number, arrears, &mut chance)?;
        }
    }
    Ok(out)
}

fn read(source: &str) -> Result<(Vec<Arrears>, Vec<Arrears>), SampleError> {
    let mut lines = source.lines();
    let header: Vec<&str> = lines
        .next()
        .unwrap_or("")
        .split(',')
        .map(|h| h.trim_matches(['"', '\u{feff}', ' ']))
        .collect();
    let mut places = [0; SOURCE.len()];
    for (place, column) in places.iter_mut().zip(SOURCE) {
        *place = header
            .iter()
            .position(|h| *h == column)
            .ok_or(SampleError::Column(column))?;
    }
    let (mut late, mut preventive) = (Vec::new(), Vec::new());
    for (number, line) in lines.enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let cells: Vec<&str> = line.split(',').collect();
        let mut values = [0_i64; SOURCE.len()];
        for ((value, place), column) in values.iter_mut().zip(places).zip(SOURCE) {
            let fault = SampleError::Cell {
                line: number + 2,
                column,
            };
            let text = cells.get(place).map_or("", |c| c.trim());
            // Some copies write whole amounts as 3913.0.
            let text = text.strip_suffix(".0").unwrap_or(text);
            *value = text.parse().map_err(|_| fault)?;
        }
        let [limit, months, bill, paid @ ..] = values;
        if bill <= 1_000 {
            continue;
        }
        let row = Arrears {
            limit,
            months,
            bill,
            paid: paid.iter().sum(),
        };
        if months > 0 {
            late.push(row)
        } else {
            preventive.push(row)
        }
    }
    Ok((late, preventive))
}

fn country(chance: &mut Chance) -> &'static Country {
    let mut at = chance.below(100);
    for country in &COUNTRIES {
        if at < country.share {
            return country;
        }
        at -= country.share;
    }
    &COUNTRIES[0]
}

/// Digits of the row's number in place of `#`, so that no two debtors share a phone.
fn number(pattern: &str, row: usize) -> String {
    let digits = format!("{:06}", (row * 7 + 1_003) % 1_000_000);
    let mut digits = digits.chars();
    pattern
        .chars()
        .map(|c| {
            if c == '#' {
                digits.next().unwrap_or('0')
            } else {
                c
            }
        })
        .collect()
}

fn write_row(
    out: &mut String,
    row: usize,
    arrears: &Arrears,
    chance: &mut Chance,
) -> Result<(), SampleError> {
    let country = country(chance);
    let local = |amount: i64| amount * country.per_thousand / 1_000 * country.minor;
    let months = arrears.months.max(0);
    let principal = local(arrears.bill);
    let interest = principal * INTEREST_PM * months / 1_000;
    let fees = if months > 0 {
        local(arrears.limit) / 1_000
    } else {
        0
    };
    let balance = principal + interest + fees;
    // One part in eighteen a month is due; what was paid in six months counts against it.
    let asked = principal * (months + 1) / 18;
    let unpaid = (asked + interest + fees - local(arrears.paid) / 6).max(balance / 20);
    let overdue = if months > 0 { unpaid.min(balance) } else { 0 };
    let minimum = if months > 0 {
        (overdue / 3).max(balance / 50).min(balance)
    } else {
        asked.min(balance)
    };
    let days = if months > 0 {
        // Spread within the month that the source gives.
        (months - 1) * MONTH_DAYS + 1 + i64::try_from(chance.below(30)).unwrap_or(0)
    } else {
        -i64::try_from(chance.below(10)).unwrap_or(0)
    };
    let name = format!(
        "{} {} {}",
        chance.pick(&FIRST),
        chance.pick(&LAST),
        chance.pick(&LAST)
    );
    let home = match country.home {
        Some(pattern) if country.mobile.is_none() || chance.below(100) < 30 => number(pattern, row),
        _ => String::new(),
    };
    let mobile = country
        .mobile
        .map_or_else(String::new, |pattern| number(pattern, row));
    let print = |minor: i64| match country.minor {
        100 => format!("{}.{:02}", minor / 100, minor % 100),
        _ => minor.to_string(),
    };
    writeln!(
        out,
        "D{:06},C{:06},{name},DEMO{:06},{},{},{},{},{},{},{},{},{},{days},{mobile},{home},yes,yes",
        row + 1,
        row + 1,
        row + 1,
        country.code,
        country.subdivision,
        chance.pick(&PRODUCTS),
        country.currency,
        print(principal),
        print(interest),
        print(fees),
        print(overdue),
        print(minimum),
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "ID,LIMIT_BAL,PAY_0,BILL_AMT1,PAY_AMT1,PAY_AMT2,PAY_AMT3,PAY_AMT4,PAY_AMT5,PAY_AMT6\n\
        1,20000,2,3913,0,689,0,0,0,0\n2,120000,-1,2682,0,1000,1000,1000,0,2000\n3,90000,0,29239,1518,1500,1000,1000,1000,5000\n4,50000,1,46990,2000,2019,1200,1100,1069,1000\n";

    #[test]
    fn the_same_seed_gives_the_same_file() {
        let one = generate(SMALL, 50, 1).expect("made");
        assert_eq!(generate(SMALL, 50, 1).expect("made"), one);
        assert_ne!(generate(SMALL, 50, 2).expect("made"), one);
        assert_eq!(one.lines().count(), 51);
        for code in ["MX", "CO", "PE"] {
            assert!(one.contains(&format!(",{code},")), "{code}");
        }
    }

    #[test]
    fn damaged_sources_are_refused() {
        assert_eq!(
            generate("A,B\n1,2\n", 1, 1),
            Err(SampleError::Column("LIMIT_BAL"))
        );
        let odd = SMALL.replace("3913", "39x3");
        assert_eq!(
            generate(&odd, 1, 1),
            Err(SampleError::Cell {
                line: 2,
                column: "BILL_AMT1"
            })
        );
        let header = SMALL.lines().next().unwrap_or("");
        assert_eq!(generate(header, 1, 1), Err(SampleError::Empty));
    }

    #[test]
    fn every_row_is_taken_by_the_importer() {
        let text = generate(SMALL, 400, 3).expect("made");
        assert_eq!(super::super::tests::faults_of(&text), Vec::<String>::new());
    }

    #[test]
    fn the_committed_file_is_taken_whole() {
        let text = include_str!("../../../../config/portfolio/sample.csv");
        assert_eq!(super::super::tests::faults_of(text), Vec::<String>::new());
        assert!(text.lines().count() > 2_000);
    }
}
