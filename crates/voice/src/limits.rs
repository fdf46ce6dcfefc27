//! Every limit of this room, with its unit and reason.

use std::time::Duration;

/// Orders waiting for the signalling thread; more are refused with `TrunkError::Limit`.
pub const COMMAND_QUEUE: usize = 4_096;
/// Reports waiting for the engine; beyond it they wait in the signalling thread.
pub const REPORT_QUEUE: usize = 16_384;
/// Turns of the signalling thread whose answers and reports are on their way to the engine's thread.
pub const REPORT_BATCHES: usize = 256;
/// Reports held back by the signalling thread while the engine does not read; once passed, new
/// calls are refused (reports themselves are never dropped: a lost end would leave a ghost call).
pub const REPORT_BACKLOG: usize = 65_536;
/// Happenings of media threads waiting for the signalling thread; a full queue is tried again on
/// the next 20 ms tick.
pub const MEDIA_EVENT_QUEUE: usize = 16_384;
/// Orders waiting for one media thread: several per call and second at the highest planned load.
pub const MEDIA_COMMAND_QUEUE: usize = 8_192;
/// Largest SIP message on any transport, bytes (`faults.md` §3).
pub const SIP_MESSAGE_BYTES: usize = 65_535;
/// Datagrams the system holds while the signalling thread is busy, bytes: some 3,000 messages.
pub const SIP_RECEIVE_BYTES: usize = 4 * 1_024 * 1_024;
/// TCP connections at once, all sources together.
pub const TCP_CONNECTIONS: usize = 1_024;
/// TCP connections of those at once that strangers have; the others are for trunks, registered phones
/// and what we open ourselves.
pub const TCP_GUESTS: usize = 640;
/// TCP connections at once from one stranger's address; of IPv6 from one /64.
pub const TCP_PER_SOURCE: usize = 32;
/// The same from the address of a trunk or a registered phone: a whole office may be behind it.
pub const TCP_PER_KNOWN: usize = 256;
/// Bytes of messages waiting to be written to one TCP peer, in messages.
pub const TCP_SEND_QUEUE: usize = 256;
/// Time in which a TCP peer must have sent a whole message (`faults.md` §3); keep-alives are none.
pub const TCP_FIRST_MESSAGE: Duration = Duration::from_secs(30);
/// Time between two looks at whether a TCP connection has been silent for too long.
pub const TCP_LOOK: Duration = Duration::from_secs(10);
/// Time after which a stranger's TCP connection without a whole message is closed.
pub const TCP_IDLE_GUEST: Duration = Duration::from_secs(120);
/// The same for trunks and registered phones: twice the longest registration.
pub const TCP_IDLE_KNOWN: Duration = Duration::from_secs(7_200);
/// Octets of a stream that count as one message of a stranger's share: the shortest requests.
pub const MESSAGE_OCTETS: usize = 256;
/// Time between two tries of a stranger's stream whose share is used up.
pub const TCP_TURN: Duration = Duration::from_millis(20);
/// Time to open a TCP connection to a trunk or phone.
pub const TCP_CONNECT: Duration = Duration::from_secs(10);
/// Time of a TLS handshake, either way (`faults.md` §3).
pub const TLS_HANDSHAKE: Duration = Duration::from_secs(10);
/// Datagrams a second read from one address that is neither trunk nor registered phone; the rest
/// is dropped unparsed, so that a flood costs its sender's share only (`faults.md` promise 13).
pub const UNKNOWN_SOURCE_PER_SECOND: u32 = 4_000;
/// Addresses remembered for rate limits; the oldest second is forgotten first.
pub const SOURCES: usize = 8_192;
/// Shortest and longest registration we grant, seconds.
pub const REGISTRATION_S: (u32, u32) = (30, 3_600);
/// Registration granted when the phone wishes none, seconds.
pub const REGISTRATION_DEFAULT_S: u32 = 300;
/// SIP's port when none is written (RFC 3261 §19.1.2).
pub const SIP_PORT: u16 = 5060;
/// Its port inside TLS.
pub const SIPS_PORT: u16 = 5061;
/// Session interval we ask for, seconds: the shortest there is (RFC 4028 §5), so that a far end
/// that knows session timers lets go within 90 s of our death (`faults.md` promise 6).
pub const SESSION_S: u32 = 90;
/// Calls that come in and hear the message at once.
pub const INBOUND_CALLS: usize = 64;
/// Calls that came in and that the center has, waiting and talking ones.
pub const INBOUND_TAKEN: usize = 500;
/// A caller whom the center has not taken by then hears the message.
pub const INBOUND_UNTAKEN: Duration = Duration::from_secs(5);
/// Longest such call: the longest message and time to spare.
pub const INBOUND_LONGEST: Duration = Duration::from_secs(150);
/// Time without RTP and RTCP that ends a debtor's call even when nobody orders it, milliseconds.
pub const LIFELESS_MS: i64 = 90_000;
/// Time between OPTIONS pings of a trunk.
pub const TRUNK_PING: Duration = Duration::from_secs(15);
/// Time a trunk has to answer a ping.
pub const TRUNK_PING_WAIT: Duration = Duration::from_secs(4);
/// 503s of one address without Retry-After running that pause it.
pub const TRUNK_REFUSALS: u32 = 3;
/// Life of our own registration at a trunk, seconds.
pub const TRUNK_REGISTRATION_S: u32 = 600;
/// Pause of an address after 503s without Retry-After.
pub const TRUNK_BACK_OFF: Duration = Duration::from_secs(5);
/// Longest pause a Retry-After may ask for: a mistake of the carrier must not end the day.
pub const TRUNK_BACK_OFF_MAX: Duration = Duration::from_secs(300);
/// How long a looked-up trunk address is used before it is looked up again.
pub const DNS_TTL: Duration = Duration::from_secs(60);
/// Addresses kept of one DNS answer.
pub const DNS_ADDRESSES: usize = 8;
/// Time for one question to a name server, and how often it is asked.
pub const DNS_WAIT: Duration = Duration::from_secs(3);
/// Tries of one question.
pub const DNS_TRIES: usize = 2;
/// Time for all questions about one name.
pub const DNS_IN_ALL: Duration = Duration::from_secs(20);
/// Answers kept by the resolver.
pub const DNS_CACHE: u64 = 512;
/// Longest an answer is kept, whatever it says.
pub const DNS_LONGEST: Duration = Duration::from_secs(3_600);
/// Redirections (3xx) followed for one call.
pub const REDIRECTS: u8 = 3;
/// Other places and trunks tried for one call that was refused with 503 or could not be sent.
pub const FAILOVERS: u8 = 4;
/// How long talk counts against a trunk's limits of minutes and money, and how finely it is forgotten.
pub const TOLL_DAY: Duration = Duration::from_secs(24 * 3_600);
/// Talk is forgotten by pieces of so long.
pub const TOLL_QUARTER: Duration = Duration::from_secs(15 * 60);
/// Trunks that are no route any more of which is remembered what was called on them.
pub const TOLLS_KEPT: usize = 256;
/// How long an address of a trunk that did not answer comes after its others; twice as long each time after it.
pub const ADDRESS_REST: Duration = Duration::from_secs(60);
/// Longest such rest.
pub const ADDRESS_REST_MOST: Duration = Duration::from_secs(15 * 60);
/// Addresses of which is remembered that they asked to be left alone, a trunk; those of redirections too.
pub const PAUSED_ADDRESSES: usize = 16;
/// How long a call that is placed anew waits for its trunk's calls per second; longer would be another call.
pub const AGAIN_WAIT: Duration = Duration::from_secs(2);
/// Time between keep-alives to a trunk behind NAT: below the 30 s after which some forget UDP.
pub const KEEP_ALIVE: Duration = Duration::from_secs(25);
/// Prefixes with an hourly limit or a cost class, a trunk.
pub const TOLL_PREFIXES: usize = 4_096;
/// Unanswered pings after which a trunk counts as down.
pub const TRUNK_PINGS_LOST: u32 = 2;
/// Calls running without any answer that take down a trunk which never answered a ping.
pub const TRUNK_SILENT_CALLS: u32 = 2;
/// After so long a trunk that only calls can tell about may try calls again.
pub const TRUNK_RETRY: Duration = Duration::from_secs(60);
/// Connections of a trunk running that went away without an answer on any, from which on it rests.
pub const LINE_CUTS: u32 = 3;
/// First pause of a trunk to which no connection can be opened; each one after it is twice as long.
pub const LINE_PAUSE: Duration = Duration::from_secs(1);
/// Longest such pause.
pub const LINE_PAUSE_MOST: Duration = Duration::from_secs(30);
/// Time after which nothing more comes of a try: longer than connecting and handshake together.
pub const LINE_WAIT: Duration = Duration::from_secs(25);
/// Legs on one media thread.
pub const LEGS_PER_THREAD: usize = 4_096;
/// Largest RTP or RTCP datagram read, bytes; an Ethernet frame.
pub const RTP_BYTES: usize = 1_500;
/// Datagrams read from one socket in one turn, so that one flood cannot starve the other legs.
pub const RTP_BURST: usize = 32;
/// Random ports tried before `Limit("ports")`.
pub const PORT_TRIES: usize = 64;
/// How long a leg's port rests before another leg has it: longer than it takes most far ends to hear our BYE, sent
/// again after half a second, and then after one, two and four, and to stop sending.
pub const PORT_REST: Duration = Duration::from_secs(10);
/// Audio frame, milliseconds.
pub const FRAME_MS: u64 = 20;
/// Samples of one frame at 8 kHz.
pub const FRAME: usize = 160;
/// Time between RTCP reports (RFC 3550 §6.2).
pub const RTCP_PERIOD: Duration = Duration::from_secs(5);
/// Silence in a negotiated direction that raises the alarm (`faults.md` promise 8).
pub const ONE_WAY_MS: i64 = 3_000;
/// Time between repeated one-way alarms, milliseconds.
pub const ONE_WAY_REPEAT_MS: i64 = 1_000;
/// The same for a far end that announced its pause with comfort noise (RFC 3389), milliseconds: some
/// send nothing more until the pause is over.
pub const PAUSE_MS: i64 = 30_000;
/// RTP silence that ends an agent's nailed-up leg, milliseconds: two missed alarms of 15 s.
pub const AGENT_RTP_LOSS_MS: i64 = 30_000;
/// Time in which an agent's phone must answer its nailed-up leg.
pub const AGENT_RING: Duration = Duration::from_secs(30);
/// Longest a transfer that an agent's phone asked for is waited for before the phone is told that nothing came of it:
/// longer than a queue or a number is, and shorter than its reports are promised.
pub const REFER_WAIT: Duration = Duration::from_secs(120);
/// Transfers an agent's phone may ask for within [`REFERS_WITHIN`], refused ones too; each that is taken is judged and
/// stored.
pub const REFERS: u32 = 20;
/// Time within which they are counted.
pub const REFERS_WITHIN: Duration = Duration::from_secs(60);
/// Longest name of a target that an agent's phone may write, octets.
pub const REFER_TO_BYTES: usize = 256;
/// Time after a transfer in which the phone that asked for it hangs up because of it: it is called again then.
pub const REFER_BYE: Duration = Duration::from_secs(10);
/// The same where it was refused: some phones hang up for that, and the agent may as well mean it.
pub const REFER_REFUSED_BYE: Duration = Duration::from_secs(2);
/// Time an agent's leg may be up without audio before it is given up.
pub const AGENT_AUDIO_PROOF: Duration = Duration::from_secs(15);
/// Gap of a bridged leg's source after which silence frames are sent in its place.
pub const FILL_AFTER_MS: u64 = 100;
/// Longest prompt, seconds.
pub const PROMPT_S: usize = 120;
/// Prompts loaded from the folder.
pub const PROMPTS: usize = 1_024;
/// Entries waiting for the book of legs; beyond it they are lost, and session timers do its work.
pub const LEG_BOOK_QUEUE: usize = 4_096;
/// Size at which the book of legs is written anew, bytes; an entry has about 1,500.
pub const LEG_BOOK_BYTES: usize = 64 * 1_024 * 1_024;
/// How long an entry waits for others before the book is written. What a kill takes with it is ended by the far
/// end's session timer.
pub const LEG_BOOK_WAIT: Duration = Duration::from_millis(50);
/// How long a leg of a dead process is tried to be ended, milliseconds: a far end without a session timer gives up
/// a silent call long before.
pub const ORPHAN_WAIT_MS: i64 = 60 * 60 * 1_000;
/// Time between two tries whose BYE nobody answered; one takes 32 s until it counts as that.
pub const ORPHAN_RETRY: Duration = Duration::from_secs(60);
/// How long the recorder's writer lets work gather before it looks again; a queue holds far more.
pub const RECORDER_GATHERS: Duration = Duration::from_millis(20);
/// PCM chunks waiting for the recorder's writer; one chunk is a second of one call.
pub const RECORDER_QUEUE: usize = 4_096;
/// Written chunks kept to be filled again: what 1,000 calls hand over in the time the writer gathers, 40 a
/// [`RECORDER_GATHERS`], and time for it to write them.
pub const RECORDER_SHEETS: usize = 128;
/// Complete recordings waiting for their end to be written.
pub const RECORDER_ENDS: usize = 1_024;
/// Sound of one call that waits while the disk is full, bytes: 10 s; what follows becomes silence.
pub const RECORDER_STALL_BYTES: usize = 320_000;
/// Gaps kept in one recording's list; later ones extend the last.
pub const RECORDING_GAPS: usize = 256;
/// Longest time shutdown waits for far ends to confirm our BYEs.
pub const SHUTDOWN_BYES: Duration = Duration::from_secs(3);
/// Keys waiting to be sent on one leg.
pub const DTMF_QUEUE: usize = 64;
/// Supervisors on one call.
pub const SUPERVISORS_PER_CALL: usize = 4;
/// Legs of a consultation or conference beside debtor and agent: a conference has four voices.
pub const PARTIES_PER_CALL: usize = 2;
/// Agents by browser on one node.
pub const BROWSER_LEGS: usize = 1_000;
/// Largest session description of a browser, bytes; one sound line has about 1,500.
pub const SDP_BYTES: usize = 16_384;
/// Largest STUN message read, bytes: a check has about 120.
pub const STUN_BYTES: usize = 548;
/// Largest datagram read at the browsers' port, bytes; beyond it is no packet of ours.
pub const DTLS_BYTES: usize = 2_048;
/// STUN messages a second read from one address that has not proved itself; the rest is dropped
/// unparsed. A call center behind one address signs in within a minute: some ten checks a browser.
pub const STUN_PER_SECOND: u32 = 500;
/// Addresses one browser may come from at once; the oldest is forgotten first.
pub const BROWSER_SOURCES: usize = 4;
/// Datagrams read from the browsers' port in one turn.
pub const BROWSER_BURST: usize = 256;
/// Parcels for datagrams of browsers whose legs are on another thread, kept to be filled again: a burst.
pub const BROWSER_PARCELS: usize = BROWSER_BURST;
/// Octets the system holds for the browsers' port while its thread is busy.
pub const BROWSER_BUFFER_BYTES: usize = 1_024 * 1_024;
/// Time in which a browser must have finished checks and handshake.
pub const DTLS_HANDSHAKE: Duration = Duration::from_secs(15);
/// Payload type of telephone-event that we would offer; the browser's own is used.
pub const DTMF_PT: u8 = 126;
/// Silence of an agent's leg after which the debtor hears comfort noise instead of nothing.
pub const AGENT_ABSENT: Duration = Duration::from_secs(1);
/// First SIP messages kept of one leg: how its call came about.
pub const LADDER_HEAD: usize = 32;
/// Last ones kept of it: how it ended. Those between are counted only; session timers alone are two each 45 s.
pub const LADDER_TAIL: usize = 16;
/// Characters kept of a name, sequence or reason of a message.
pub const LADDER_TEXT: usize = 60;
/// Time after a call's end in which its last messages may still come.
pub const LADDER_WAIT: Duration = Duration::from_millis(1_500);
/// Stays of legs on one call whose quality is kept.
pub const LEGS_KEPT: usize = 32;
/// Rows of a trunk's own table of results.
pub const TRUNK_RESULTS: usize = 200;
/// Time between two syncs of the recordings' folder: with half a second in the tap, a quarter in a chunk
/// and the sync itself less than the 3 s that power may cost (faults.md promise 5).
pub const RECORDER_KEEPS: Duration = Duration::from_millis(1_500);

/// Faults within [`FAULTS_WITHIN`] that a thread goes on after: the signalling thread after all of its own, a media
/// thread after those that were no leg's.
pub const FAULTS: usize = 20;

/// Time within which faults are counted.
pub const FAULTS_WITHIN: Duration = Duration::from_secs(60);
