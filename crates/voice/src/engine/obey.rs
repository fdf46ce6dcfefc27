//! What is asked of the signalling thread from inside the product.

use super::calls::our_end;
use super::core::Engine;
use super::order::{Command, Order};
use crate::limits;
use crate::plane::{self, LegId, Sound};
use crate::voice::VoiceStats;
use domain::ids::{AgentId, AttemptId};
use domain::ports::{LegRef, MonitorMode, PlayWhat, TrunkError};
use std::sync::Arc;
use std::time::Instant;

impl Engine {
    pub(super) fn order(&mut self, order: Order) {
        self.at(Instant::now());
        match order {
            Order::Call(command, reply) => {
                let done = self.command(command);
                self.outbox.answer(reply, done);
            }
            Order::PhoneRegistered(user, reply) => {
                let _ = reply.send(!self.endpoint.bindings(&user).is_empty());
            }
            Order::SetTrunks(trunks) => self.set_trunks(trunks),
            Order::Spent(trunk, spent) => self.spent(trunk, &spent),
            Order::Trunks(reply) => drop(reply.send(self.trunk_status())),
            Order::Stats(reply) => drop(reply.send(self.stats())),
            Order::Shutdown(done) => self.say_farewell(Some(done)),
            #[cfg(test)]
            Order::BreakMedia => self.plane.break_threads(),
        }
    }

    fn command(&mut self, command: Command) -> Result<(), TrunkError> {
        match command {
            Command::Dial(order) => self.dial(*order),
            Command::Take(order) => self.take_incoming(*order),
            Command::Cancel(attempt) => {
                let leg = self.of_attempt(attempt, false)?;
                self.end_leg(leg, our_end(domain::ports::HangUpCause::Normal));
                Ok(())
            }
            Command::HangUp(attempt, cause) => {
                let leg = self.of_attempt(attempt, false)?;
                self.end_leg(leg, our_end(cause));
                Ok(())
            }
            Command::Bridge(attempt, agent) => {
                let debtor = self.of_attempt(attempt, true)?;
                let Ok(leg) = self.proved_agent(agent) else {
                    return self.will_sit(debtor, agent);
                };
                self.leaves_calls(agent);
                self.seat(debtor, Some(leg));
                let agent = leg;
                self.plane.order(plane::Order::Bridge {
                    debtor,
                    agent,
                    beep: true,
                });
                Ok(())
            }
            Command::Unbridge(attempt) => {
                let debtor = self.of_attempt(attempt, true)?;
                self.seat(debtor, None);
                self.plane.order(plane::Order::Unbridge(debtor));
                Ok(())
            }
            Command::InviteParty(order) => self.invite_party(*order),
            Command::SeatParty(attempt, party) => self.seat_party(attempt, party),
            Command::DropParty(attempt, party) => self.drop_party(attempt, party),
            Command::AnswerTransfer(agent, code, why) => self.answer_transfer(agent, code, why),
            Command::Hold(attempt, on) => self.hold(attempt, on),
            Command::Mute(attempt, on) => self.mute(attempt, on),
            Command::Record(attempt, on) => {
                self.debtor_order(attempt, |leg| plane::Order::PauseRecording(leg, !on))
            }
            Command::Dtmf(attempt, digit) => {
                let event =
                    plane::key_event(digit).ok_or(TrunkError::Limit("keys are 0-9*#A-D"))?;
                self.debtor_order(attempt, |leg| plane::Order::Dtmf(leg, event))
            }
            Command::Monitor(attempt, supervisor, mode) => self.monitor(attempt, supervisor, mode),
            Command::Play(leg, what) => self.play(leg, what),
            Command::Say(leg, samples) => self.say(leg, samples),
            Command::Know(trunk, known) => {
                self.known.insert(trunk, known);
                Ok(())
            }
            Command::OpenAgent(agent, user) => self.open_agent(agent, &user),
            Command::CloseAgent(agent) => self.close_agent(agent),
            Command::OpenBrowser(agent, peer) => self.open_browser(agent, peer),
        }
    }

    /// Lets a supervisor's own leg join or leave.
    fn monitor(
        &mut self,
        attempt: AttemptId,
        supervisor: AgentId,
        mode: Option<MonitorMode>,
    ) -> Result<(), TrunkError> {
        let debtor = self.of_attempt(attempt, true)?;
        // A leg that is not up yet may come: this is told apart from a call that is gone.
        let leg = self
            .proved_agent(supervisor)
            .map_err(|_| TrunkError::NoPhone)?;
        if self.seated(leg) {
            return Err(TrunkError::Limit("calls at once: this leg has one"));
        }
        let listed = self.supervisors(debtor);
        let known = listed.contains(&supervisor);
        if mode.is_some() && !known && listed.len() >= limits::SUPERVISORS_PER_CALL {
            return Err(TrunkError::Limit("supervisors on one call"));
        }
        if mode.is_some() != known {
            self.leaves_calls(supervisor);
        }
        if let (Some(_), Some(listed)) = (mode, self.supervisors_mut(debtor))
            && !known
        {
            listed.push(supervisor);
        }
        self.plane.order(plane::Order::Monitor {
            debtor,
            supervisor: leg,
            mode,
        });
        Ok(())
    }

    fn hold(&mut self, attempt: AttemptId, on: bool) -> Result<(), TrunkError> {
        let leg = self.of_attempt(attempt, true)?;
        if let Some(debtor) = self.debtor_row_mut(leg) {
            debtor.held = on;
        }
        self.plane.order(plane::Order::Hold(leg, on));
        Ok(())
    }

    fn mute(&mut self, attempt: AttemptId, on: bool) -> Result<(), TrunkError> {
        let leg = self.of_attempt(attempt, true)?;
        if let Some(debtor) = self.debtor_row_mut(leg) {
            debtor.muted = on;
        }
        self.plane.order(plane::Order::Mute(leg, on));
        Ok(())
    }

    fn debtor_order(
        &mut self,
        attempt: AttemptId,
        order: impl FnOnce(LegId) -> plane::Order,
    ) -> Result<(), TrunkError> {
        let leg = self.of_attempt(attempt, true)?;
        self.plane.order(order(leg));
        Ok(())
    }

    fn of_ref(&self, leg: LegRef) -> Result<LegId, TrunkError> {
        match leg {
            LegRef::Debtor(attempt) => self.of_attempt(attempt, true),
            LegRef::Agent(agent) => self.of_agent(agent),
        }
    }

    fn say(&mut self, leg: LegRef, samples: Arc<[i16]>) -> Result<(), TrunkError> {
        let leg = self.of_ref(leg)?;
        let sound = Some(Sound::message(samples));
        self.plane.order(plane::Order::Play(leg, sound));
        Ok(())
    }

    fn play(&mut self, leg: LegRef, what: PlayWhat) -> Result<(), TrunkError> {
        let leg = self.of_ref(leg)?;
        let sound = match what {
            PlayWhat::SafeHarbour { language, client } => {
                let samples = self.prompts.safe_harbour(&client, &language);
                Some(Sound::message(samples.ok_or(TrunkError::Gone)?))
            }
            PlayWhat::Spoken {
                parts,
                language,
                client,
            } => {
                let samples = self.prompts.spoken(&client, &language, &parts);
                Some(Sound::message(samples.ok_or(TrunkError::Gone)?))
            }
            PlayWhat::Music => Some(Sound::repeated(self.tones.music.clone())),
            // Put together before it comes here.
            PlayWhat::Voicemail { .. } => return Err(TrunkError::Gone),
            PlayWhat::RingBack => Some(Sound::repeated(self.tones.ring_back.clone())),
            PlayWhat::Beep => Some(Sound::over(self.tones.beep.clone(), false)),
            PlayWhat::Silence => None,
        };
        self.plane.order(plane::Order::Play(leg, sound));
        Ok(())
    }

    fn stats(&self) -> VoiceStats {
        VoiceStats {
            calls: self.attempts.len(),
            agent_legs: self.agents.len(),
            phones: self.phones.len(),
            transactions: self.endpoint.transactions(),
            dropped: self.net.dropped(),
        }
    }
}
