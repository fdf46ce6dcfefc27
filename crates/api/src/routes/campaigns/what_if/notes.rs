//! What a reader of a forecast has to know, in both languages.

use super::ask::Side;
use super::reply::Note;
use center::what_if::{History, Refusals};
use domain::entity::DialMode;
use domain::ports::{ANSWERS_ENOUGH, Forecast};

/// Hours that a simulated shift may lack before it is told.
const SHORTER_H: f64 = 0.1;

fn note(code: &'static str, es: impl Into<String>, en: impl Into<String>) -> Note {
    Note {
        code,
        es: es.into(),
        en: en.into(),
    }
}

/// All that applies, the gravest first.
pub(super) fn notes(
    history: &History,
    sides: &[(&Side, Option<Forecast>); 2],
    law: &[Refusals; 2],
) -> Vec<Note> {
    let mut out = about_history(history);
    out.extend(about_sides(history, sides));
    out.extend(about_law(history, law));
    out
}

fn about_history(history: &History) -> Vec<Note> {
    let p = &history.profile;
    let mut out = Vec::new();
    if p.live < ANSWERS_ENOUGH {
        out.push(note(
            "little_history",
            format!(
                "Poco historial: {} llamadas atendidas por una persona, y hacen falta {ANSWERS_ENOUGH} para que la media de una conversación se conozca a ±10 %. Los intervalos son más anchos por eso; donde no hay datos se usan valores habituales de cobranza.",
                p.live
            ),
            format!(
                "Little history: {} calls answered by a person; {ANSWERS_ENOUGH} are needed to know the mean of a talk to ±10 %. The intervals are wider for it; where there is no data, usual values of collections stand in.",
                p.live
            ),
        ));
    }
    if p.timed < p.attempts {
        out.push(note(
            "times_sampled",
            format!(
                "Se cuentan los {} intentos de los últimos {} días; los tiempos de timbre, conversación y trabajo posterior se miden en {} de ellos, repartidos por igual entre todas las horas.",
                p.attempts, history.days, p.timed
            ),
            format!(
                "All {} attempts of the last {} days are counted; times of ringing, talk and wrap-up are measured on {} of them, spread evenly over all hours.",
                p.attempts, history.days, p.timed
            ),
        ));
    }
    if p.agents < 0.5 {
        out.push(note(
            "agents_assumed",
            "Nadie ha conversado aún en esta campaña: si no se dice cuántos, se toman los agentes que pueden trabajar en ella.",
            "Nobody has talked in this campaign yet: unless told, the agents who may work in it are taken.",
        ));
    }
    out.push(note(
        "wrap_measured",
        "El trabajo posterior se mide de que se cuelga a que se tipifica. Las personas tomadas por contestador no se ven en el historial y no se cuentan.",
        "Wrap-up is measured from the hang-up to the disposition. People taken for machines are not seen in a history and not counted.",
    ));
    out
}

fn about_sides(history: &History, sides: &[(&Side, Option<Forecast>); 2]) -> Vec<Note> {
    let mut out = Vec::new();
    let asked = &sides[1].0.settings;
    if sides[0].1.is_none() {
        out.push(note(
            "present_unknown",
            "De los ajustes actuales no hay pronóstico: su modo no tiene ritmo, no permiten ninguna línea o su tope es 0 %.",
            "There is no forecast of the present settings: their mode has no pace, they leave no line, or their cap is 0 %.",
        ));
    }
    if sides.iter().any(|s| s.0.settings.mode == DialMode::Preview) {
        out.push(note(
            "preview_assumed",
            "En previsualización se supone que el agente lee la ficha 15 s antes de marcar.",
            "In preview the agent is assumed to read the card for 15 s before he dials.",
        ));
    }
    if asked.ring_timeout_s > history.profile.ring_timeout_s {
        out.push(note(
            "longer_ring",
            "El historial no muestra quién habría contestado después del tiempo de timbre que tenía: con más timbre no se suponen más respuestas.",
            "The history does not show who would have answered after the ring time it had: ringing longer is not assumed to bring more answers.",
        ));
    }
    if sides.iter().any(|s| !s.0.params.schedule.is_plain()) {
        let days = sides[1].0.days;
        out.push(note(
            "schedule",
            format!(
                "El turno sigue el calendario de la campaña: la media de los días en que trabaja ({days} de los 7 que se miran, con lo pedido). Las cifras por día son de un día en que trabaja, y a la ley solo se le pregunta por sus horas."
            ),
            format!(
                "The shift follows the campaign's schedule: the mean of the days on which it works ({days} of the 7 that are looked at, as asked). Figures a day are of a day on which it works, and the law is asked about its hours alone."
            ),
        ));
    }
    let shorter = sides
        .iter()
        .filter_map(|(side, f)| f.map(|f| side.settings.hours - f.simulated_h));
    if shorter.fold(0.0, f64::max) > SHORTER_H {
        out.push(note(
            "shift_shortened",
            "Con tantos agentes, las horas del turno se simulan acortadas por igual; las cifras por hora son las mismas.",
            "With so many agents the hours of the shift are simulated shortened alike; figures an hour stay the same.",
        ));
    }
    out.extend(about_the_rule(sides[1]));
    out.push(note(
        "guard_on",
        "La guardia de abandono está activa en la simulación y frena en el tope legal; el ritmo predictivo apunta al mismo objetivo que al marcar: el propio de la campaña o el 93 % del tope, o menos si un paquete de reglas lo pide.",
        "The abandonment guard is on in the simulation and brakes at the legal cap; predictive pacing aims where it does when it dials: at the campaign's own target or 93 % of the cap, or lower where a rule pack asks for it.",
    ));
    out
}

/// What is asked beyond the rule of the mode, and a team so small that its figure says little.
fn about_the_rule((side, forecast): (&Side, Option<Forecast>)) -> Vec<Note> {
    let (s, mut out) = (&side.settings, Vec::new());
    if s.mode == DialMode::Predictive && (s.agent_balance > 0 || s.intensity_pct > 0.0) {
        out.push(note(
            "beyond_the_rule",
            "El balance y la intensidad por encima de 0 no llevan el abandono por encima de su objetivo: se paga solo con lo que se haya abandonado de menos, y nada cuando la guardia frena.",
            "A balance and an intensity above 0 do not take the abandonment over its target: they are paid with what was abandoned less than that, and with nothing while the guard steers.",
        ));
    }
    if s.over_dials() && s.agents <= side.params.small_team_agents {
        let hour = forecast.map_or(0.0, |f| f.handled_per_hour.value + f.drops_per_hour.value);
        let points = 100.0 / hour.max(1.0);
        out.push(note(
            "small_team",
            format!(
                "Equipo pequeño: con {} agentes hay unas {hour:.0} contestadas por hora y un solo abandono más mueve la cifra de esa hora {points:.1} puntos. El tope y la guardia son los mismos; la cifra se juzga por el día.",
                s.agents
            ),
            format!(
                "A small team: with {} agents about {hour:.0} people answer an hour, and one abandonment more moves that hour's figure by {points:.1} points. Cap and guard are the same; judge the figure by the day.",
                s.agents
            ),
        ));
    }
    out
}

fn about_law(history: &History, law: &[Refusals; 2]) -> Vec<Note> {
    let mut out = vec![note(
        "ration_assumed",
        format!(
            "Intentos de un turno: a lo sumo {} deudores en la campaña × sus intentos por deudor y, con límite propio por día, × intentos por día × la parte que la ley permite. Las cifras por hora valen mientras la lista dura.",
            history.debtors
        ),
        format!(
            "Attempts of a shift: at most {} debtors in the campaign × its attempts a debtor and, with a limit of its own a day, × attempts a day × the part the law permits. Figures an hour hold while the list lasts.",
            history.debtors
        ),
    )];
    if law[1].judged == 0 {
        out.push(note(
            "law_unsampled",
            "No hay deudores con teléfono en el segmento: no se pudo preguntar a la ley por las horas pedidas.",
            "No debtor with a phone is in the segment: the law could not be asked about these hours.",
        ));
    } else {
        out.push(note(
            "law_assumed",
            format!(
                "Bloqueado por la ley: lo medido en el historial más la diferencia que dan las reglas, preguntadas por {} contactos de una muestra de {} deudores en los próximos 7 días, con lo que se sabe hoy de ellos.",
                law[1].judged,
                history.sample.len()
            ),
            format!(
                "Blocked by law: what the history measured plus what the rules differ by, asked about {} contacts of a sample of {} debtors over the next 7 days, with what is known of them today.",
                law[1].judged,
                history.sample.len()
            ),
        ));
    }
    out
}
