//! Public holidays as people who keep them say it in Spanish; the table names them in English.

/// What stands behind the name of a holiday that is kept on another day.
const MOVED: &str = " (observed)";

/// One line a name.
macro_rules! names {
    ($($en:literal $es:literal;)+) => {
        &[$(($en, $es)),+]
    };
}

const NAMES: &[(&str, &str)] = names! {
    "All Saints' Day" "Todos los Santos";
    "All Souls' Day" "Fieles Difuntos";
    "Andalusia Day" "Día de Andalucía";
    "Annexation of the Party of Nicoya to Costa Rica" "Anexión del Partido de Nicoya";
    "Army Day" "Día del Ejército";
    "Ascension Day" "Ascensión del Señor";
    "Assumption Day" "Asunción de la Virgen";
    "Asuncion Foundation's Day" "Fundación de Asunción";
    "Aymara New Year" "Año Nuevo Aymara";
    "Battle of Angamos Day" "Combate de Angamos";
    "Battle of Arica and Flag Day" "Batalla de Arica y Día de la Bandera";
    "Battle of Ayacucho Day" "Batalla de Ayacucho";
    "Battle of Boyacá" "Batalla de Boyacá";
    "Battle of Junín Day" "Batalla de Junín";
    "Battle of the Boyne" "Batalla del Boyne";
    "Benito Juárez's birthday" "Natalicio de Benito Juárez";
    "Boqueron Battle Day" "Batalla de Boquerón";
    "Boxing Day" "Día de San Esteban";
    "Bridge Public Holiday" "Feriado puente";
    "Caacupe Virgin Day" "Virgen de Caacupé";
    "Carnival" "Carnaval";
    "Carnival Monday" "Lunes de Carnaval";
    "Carnival Tuesday" "Martes de Carnaval";
    "Celebrations of San Salvador" "Fiestas de San Salvador";
    "Chaco Armistice Day" "Paz del Chaco";
    "Change of Federal Government" "Transmisión del Poder Ejecutivo Federal";
    "Christmas Day" "Navidad";
    "Colon Day" "Día de Colón (provincia)";
    "Columbus Day" "Día de la Raza";
    "Constitution Day" "Día de la Constitución";
    "Constitution Oath Day" "Jura de la Constitución";
    "Constitutionalist Revolution" "Revolución Constitucionalista";
    "Corpus Christi" "Corpus Christi";
    "Day of Our Lady of the Rosary of Chiquinquirá" "Virgen del Rosario de Chiquinquirá";
    "Declaration of Independence of Quito" "Primer Grito de Independencia";
    "Easter Monday" "Lunes de Pascua";
    "Easter Sunday" "Domingo de Resurrección";
    "Epiphany" "Día de los Reyes Magos";
    "Family Day" "Día de la Familia";
    "Father's Day" "Día del Padre";
    "Galician Literature Day" "Día de las Letras Gallegas";
    "Galician National Day" "Día Nacional de Galicia";
    "Good Friday" "Viernes Santo";
    "Great Military Parade Day" "Gran Parada Militar";
    "Holy Saturday" "Sábado Santo";
    "Immaculate Conception" "Inmaculada Concepción";
    "Independence Day" "Día de la Independencia";
    "Independence Declaration Day" "Declaración de la Independencia";
    "Independence of Cartagena" "Independencia de Cartagena";
    "Independence of Cuenca" "Independencia de Cuenca";
    "Independence of Guayaquil" "Independencia de Guayaquil";
    "International Labor Day" "Día Internacional del Trabajo";
    "Juan Pablo Duarte Day" "Día de Juan Pablo Duarte";
    "Juan Santamaría Day" "Día de Juan Santamaría";
    "Juneteenth National Independence Day" "Día de la Emancipación (Juneteenth)";
    "Labor Day" "Día del Trabajo";
    "Lady of Altagracia" "Nuestra Señora de la Altagracia";
    "Late Summer Bank Holiday" "Feriado bancario de fin de verano";
    "Los Santos Uprising Day" "Primer Grito de Los Santos";
    "Madrid Day" "Día de la Comunidad de Madrid";
    "Martin Luther King Jr. Day" "Día de Martin Luther King";
    "Martyrs' Day" "Día de los Mártires";
    "Maundy Thursday" "Jueves Santo";
    "May Day" "Primero de Mayo";
    "May Revolution Day" "Revolución de Mayo";
    "Meeting of Two Worlds' Day" "Encuentro de Dos Mundos";
    "Memorial Day" "Día de los Caídos (Memorial Day)";
    "Morazan Weekend" "Semana Morazánica";
    "Mother's Day" "Día de la Madre";
    "National Day" "Día Nacional";
    "National Day of Catalonia" "Día Nacional de Cataluña";
    "National Day of Remembrance for Truth and Justice" "Día de la Memoria por la Verdad y la Justicia";
    "National Day of Zumbi and Black Awareness" "Día de Zumbi y de la Conciencia Negra";
    "National Dignity Day" "Día de la Dignidad Nacional";
    "National Holiday" "Fiesta nacional";
    "National Independence Day" "Día de la Independencia Nacional";
    "National Indigenous Peoples Day" "Día Nacional de los Pueblos Indígenas";
    "National Mourning Day" "Día de Duelo Nacional";
    "National Sovereignty Day" "Día de la Soberanía Nacional";
    "Navy Day" "Glorias Navales";
    "New Year Holiday" "Feriado de Año Nuevo";
    "New Year's Day" "Año Nuevo";
    "Our Lady of Aparecida" "Nuestra Señora Aparecida";
    "Our Lady of Mercedes Day" "Nuestra Señora de las Mercedes";
    "Our Lady of Mount Carmel" "Virgen del Carmen";
    "Panamerican Day" "Día de las Américas";
    "Pass to the Immortality of General Don José de San Martín" "Paso a la Inmortalidad del General San Martín";
    "Pass to the Immortality of General Don Manuel Belgrano" "Paso a la Inmortalidad del General Belgrano";
    "Pass to the Immortality of General Don Martín Miguel de Güemes" "Paso a la Inmortalidad del General Güemes";
    "Patriots Day" "Día de los Patriotas";
    "Peruvian Air Force Day" "Día de la Fuerza Aérea del Perú";
    "Plurinational State Foundation Day" "Fundación del Estado Plurinacional";
    "Reformation Day" "Día de las Iglesias Evangélicas y Protestantes";
    "Republic Proclamation Day" "Proclamación de la República";
    "Respect for Cultural Diversity Day" "Día del Respeto a la Diversidad Cultural";
    "Restoration Day" "Día de la Restauración";
    "Revolution Day" "Día de la Revolución";
    "Rose of Lima Day" "Santa Rosa de Lima";
    "Sacred Heart" "Sagrado Corazón";
    "Saint Andrew's Day" "Día de San Andrés";
    "Saint George's Day" "Día de San Jorge";
    "Saint James' Day" "Santiago Apóstol";
    "Saint John the Baptist" "San Juan Bautista";
    "Saint Joseph's Day" "Día de San José";
    "Saint Patrick's Day" "Día de San Patricio";
    "Saint Peter and Saint Paul's Day" "San Pedro y San Pablo";
    "Saint Stephen's Day" "Día de San Esteban";
    "Scotland's participation in the FIFA World Cup final" "Participación de Escocia en el Mundial";
    "Separation Day" "Separación de Panamá de Colombia";
    "Spring Bank Holiday" "Feriado bancario de primavera";
    "Summer Bank Holiday" "Feriado bancario de verano";
    "Thanksgiving Day" "Día de Acción de Gracias";
    "The Battle of Pichincha" "Batalla de Pichincha";
    "Tiradentes' Day" "Día de Tiradentes";
    "Universal Fraternization Day" "Confraternización Universal";
    "Valencian Community Day" "Día de la Comunidad Valenciana";
    "Veteran's Day and the Fallen in the Malvinas War" "Día del Veterano y de los Caídos en Malvinas";
    "Veterans Day" "Día de los Veteranos";
    "Visit of His Holiness Pope Leo XIV" "Visita del papa León XIV";
    "Washington's Birthday" "Natalicio de Washington";
    "Worker's Day" "Día del Trabajador";
    "Workers' Day" "Día de los Trabajadores";
};

/// The Spanish name of a holiday of the table; a name that is not known (a day that was decreed) stays as it is.
#[must_use]
pub fn holiday_es(name: &str) -> String {
    let parts: Vec<String> = name.split("; ").map(one).collect();
    parts.join("; ")
}

fn one(name: &str) -> String {
    if let Some(day) = name.strip_suffix(MOVED) {
        return format!("{} (trasladado)", one(day));
    }
    if let Some(day) = name.strip_prefix("Monday following ") {
        return format!("lunes siguiente a {}", one(day));
    }
    let known = NAMES.iter().find(|(en, _)| *en == name);
    known.map_or(name, |(_, es)| es).to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::book::EMBEDDED_HOLIDAYS;
    use super::*;

    #[test]
    fn every_holiday_of_the_table_has_a_spanish_name() {
        let mut unknown = std::collections::BTreeSet::new();
        for line in EMBEDDED_HOLIDAYS.lines().skip(1) {
            let name = line.splitn(4, ',').nth(3).unwrap_or_default();
            for part in name.trim_matches('"').split("; ") {
                let day = part.trim_end_matches(MOVED);
                let day = day.trim_start_matches("Monday following ");
                if !NAMES.iter().any(|(en, _)| *en == day) {
                    unknown.insert(day.to_owned());
                }
            }
        }
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn days_that_move_say_so() {
        assert_eq!(
            holiday_es("Christmas Day (observed)"),
            "Navidad (trasladado)"
        );
        assert_eq!(
            holiday_es("Sacred Heart (observed); Saint Peter and Saint Paul's Day (observed)"),
            "Sagrado Corazón (trasladado); San Pedro y San Pablo (trasladado)"
        );
        assert_eq!(
            holiday_es("Monday following Epiphany"),
            "lunes siguiente a Día de los Reyes Magos"
        );
        assert_eq!(holiday_es("Duelo decretado"), "Duelo decretado");
    }
}
