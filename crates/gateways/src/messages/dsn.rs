//! Mail that came back or came in: delivery reports (RFC 3464) and answers.

use super::answer;
use domain::entity::Channel;
use domain::pii::Pii;
use domain::ports::{REPLY_MAX, Receipt, ReceiptKind};
use mailparse::{MailHeaderMap as _, ParsedMail, parse_mail};

/// Deepest nesting of parts that is looked through.
const DEPTH_MAX: usize = 8;

/// A `<local@host>` without its brackets.
fn bare(id: &str) -> String {
    id.trim()
        .trim_start_matches('<')
        .trim_end_matches('>')
        .to_owned()
}

/// Field of a delivery-status part: groups of header-like lines (RFC 3464 §2.1).
fn field<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    body.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// A mail and all its parts.
pub(super) fn parts<'a>(mail: &'a ParsedMail<'a>, depth: usize, out: &mut Vec<&'a ParsedMail<'a>>) {
    out.push(mail);
    if depth < DEPTH_MAX {
        for part in &mail.subparts {
            parts(part, depth + 1, out);
        }
    }
}

/// The Message-ID of the mail that a report is about: in the returned message or its headers.
fn returned_id(all: &[&ParsedMail<'_>]) -> Option<String> {
    all.iter().find_map(|part| {
        let kind = part.ctype.mimetype.as_str();
        if kind != "message/rfc822"
            && kind != "text/rfc822-headers"
            && kind != "message/rfc822-headers"
        {
            return None;
        }
        let body = part.get_body_raw().ok()?;
        let (headers, _) = mailparse::parse_headers(&body).ok()?;
        headers.get_first_value("Message-ID").map(|id| bare(&id))
    })
}

/// Whether an enhanced status code says that the address takes nothing: 5.1.x is the address (but for 5.1.7 and
/// 5.1.8, which are the sender's), 5.2.1 a mailbox that is closed (RFC 3463 §3.2, §3.3).
pub(super) fn of_address(code: &str) -> bool {
    let senders = matches!(code, "5.1.7" | "5.1.8");
    (code.starts_with("5.1.") && !senders) || code == "5.2.1"
}

/// A report about one of our mails. `delayed` and what is not final says nothing.
fn report(mail: &ParsedMail<'_>) -> Option<Receipt> {
    let is_report = mail.ctype.mimetype == "multipart/report"
        && mail
            .ctype
            .params
            .get("report-type")
            .is_some_and(|t| t.eq_ignore_ascii_case("delivery-status"));
    if !is_report {
        return None;
    }
    let mut all = Vec::new();
    parts(mail, 0, &mut all);
    let status = all.iter().find(|p| {
        matches!(
            p.ctype.mimetype.as_str(),
            "message/delivery-status" | "message/global-delivery-status"
        )
    })?;
    let body = status.get_body().ok()?;
    let code = field(&body, "Status").unwrap_or("5.0.0");
    let code: String = code
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .take(12)
        .collect();
    let kind = match field(&body, "Action")?.to_ascii_lowercase().as_str() {
        "failed" => ReceiptKind::Failed {
            bad_address: of_address(&code),
            code,
        },
        "delivered" | "relayed" | "expanded" => ReceiptKind::Delivered,
        _ => return None,
    };
    let name = returned_id(&all)?;
    Some(Receipt {
        // Our Message-ID begins with our own name of the mail.
        own: name.split('@').next().and_then(|id| id.parse().ok()),
        provider_ref: name,
        at: None,
        kind,
    })
}

fn reply(mail: &ParsedMail<'_>) -> Option<Receipt> {
    // Machines that answer (RFC 3834 §5) are not the debtor.
    let auto = mail.headers.get_first_value("Auto-Submitted");
    if auto.is_some_and(|v| !v.trim().eq_ignore_ascii_case("no")) {
        return None;
    }
    let from = mail.headers.get_first_value("From")?;
    let from = mailparse::addrparse(&from)
        .ok()?
        .extract_single_info()?
        .addr;
    let subject = mail.headers.get_first_value("Subject").unwrap_or_default();
    let text = answer::text_of(mail);
    let text = if text.is_empty() { subject } else { text };
    let answers = mail
        .headers
        .get_first_value("In-Reply-To")
        .map(|id| bare(&id));
    Some(Receipt {
        provider_ref: bare(&mail.headers.get_first_value("Message-ID")?),
        own: None,
        at: None,
        kind: ReceiptKind::Reply {
            channel: Channel::Email,
            from: Pii(from.to_lowercase()),
            text: Pii(text.chars().take(REPLY_MAX).collect()),
            answers,
            optout: false,
        },
    })
}

/// What a mail of our mailbox tells; `None` when it is neither a report that ends something nor an answer.
pub(super) fn read(raw: &[u8]) -> Option<Receipt> {
    let mail = parse_mail(raw).ok()?;
    match mail.ctype.mimetype.as_str() {
        "multipart/report" => report(&mail),
        _ => reply(&mail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3464, Appendix E, "Simple DSN", with the returned headers of a mail of ours.
    const SIMPLE: &str = "Date: Thu, 7 Jul 1994 17:16:05 -0400\r\n\
From: Mail Delivery Subsystem <MAILER-DAEMON@CS.UTK.EDU>\r\n\
Message-Id: <199407072116.RAA14128@CS.UTK.EDU>\r\n\
Subject: Returned mail: Cannot send message for 5 days\r\n\
To: <owner-info-mime@cs.utk.edu>\r\n\
MIME-Version: 1.0\r\n\
Content-Type: multipart/report; report-type=delivery-status; \
        boundary=\"RAA14128.773615765/CS.UTK.EDU\"\r\n\r\n\
--RAA14128.773615765/CS.UTK.EDU\r\n\r\n\
The original message was received at Sat, 2 Jul 1994 17:10:28 -0400\r\n\
--RAA14128.773615765/CS.UTK.EDU\r\n\
content-type: message/delivery-status\r\n\r\n\
Reporting-MTA: dns; cs.utk.edu\r\n\r\n\
Original-Recipient: rfc822;louisl@larry.slip.umd.edu\r\n\
Final-Recipient: rfc822;louisl@larry.slip.umd.edu\r\n\
Action: failed\r\n\
Status: 5.1.1\r\n\
Diagnostic-Code: smtp; 550 no such user\r\n\r\n\
--RAA14128.773615765/CS.UTK.EDU\r\n\
content-type: message/rfc822\r\n\r\n\
Message-ID: <01997f6a@mail.example>\r\n\
Subject: Recordatorio\r\n\r\n[original message goes here]\r\n\
--RAA14128.773615765/CS.UTK.EDU--\r\n";

    #[test]
    fn a_report_names_the_mail_and_the_reason() {
        let told = read(SIMPLE.as_bytes()).unwrap();
        assert_eq!(told.provider_ref, "01997f6a@mail.example");
        let failed = |code: &str, bad_address| ReceiptKind::Failed {
            code: code.into(),
            bad_address,
        };
        assert_eq!(told.kind, failed("5.1.1", true));
        let full = SIMPLE.replace("5.1.1", "5.2.2 (full)");
        assert_eq!(read(full.as_bytes()).unwrap().kind, failed("5.2.2", false));
        assert_eq!(read(SIMPLE.replace("failed", "delayed").as_bytes()), None);
        let relayed = read(SIMPLE.replace("failed", "delivered").as_bytes());
        assert_eq!(relayed.unwrap().kind, ReceiptKind::Delivered);
        assert_eq!(
            read(
                SIMPLE
                    .replace("01997f6a", "")
                    .replace("Message-ID", "X")
                    .as_bytes()
            ),
            None
        );
    }

    #[test]
    fn an_answer_is_what_stands_above_the_quote() {
        let mail = "From: Ana =?utf-8?q?N=C3=BA=C3=B1ez?= <Ana@Example.MX>\r\nMessage-ID: <a1@example.mx>\r\n\
In-Reply-To: <01997f6a@mail.example>\r\nSubject: Re: Recordatorio\r\n\
Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
Pago el viernes, ma=C3=B1ana no puedo.\r\n\r\nEl lun, Acme <cobranza@mail.example> escribi=C3=B3:\r\n> Hola\r\n";
        let told = read(mail.as_bytes()).unwrap();
        assert_eq!(told.provider_ref, "a1@example.mx");
        let ReceiptKind::Reply {
            from,
            text,
            answers,
            ..
        } = told.kind
        else {
            panic!("an answer");
        };
        assert_eq!(from.reveal(), "ana@example.mx");
        assert_eq!(text.reveal(), "Pago el viernes, mañana no puedo.");
        assert_eq!(answers.as_deref(), Some("01997f6a@mail.example"));
        let machine = format!("Auto-Submitted: auto-replied\r\n{mail}");
        assert_eq!(read(machine.as_bytes()), None);
    }

    #[test]
    fn an_answer_without_text_is_an_answer() {
        let head = "From: ana@example.mx\r\nMessage-ID: <a2@example.mx>\r\nSubject: BAJA\r\n";
        let said = |body: &str| match read(format!("{head}{body}").as_bytes()).unwrap().kind {
            ReceiptKind::Reply { text, .. } => text.reveal().clone(),
            other => panic!("an answer: {other:?}"),
        };
        assert_eq!(said("Content-Type: image/png\r\n\r\nx"), "BAJA");
        assert_eq!(said("\r\nEnviado desde mi iPhone\r\n"), "BAJA");
        let html = "Content-Type: text/html\r\n\r\n<div>Ya pagu&eacute;</div><blockquote>Hola</blockquote>";
        assert_eq!(said(html), "Ya pagué");
    }

    #[test]
    fn noise_says_nothing() {
        for raw in [
            &b""[..],
            b"\xff\xfe\x00",
            b"Content-Type: multipart/report; report-type=delivery-status\r\n\r\n",
        ] {
            assert_eq!(read(raw), None);
        }
        for cut in (0..SIMPLE.len()).step_by(7) {
            let _ = read(&SIMPLE.as_bytes()[..cut]);
        }
    }
}
