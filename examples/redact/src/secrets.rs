//! What secrets look like.

use std::cmp::Reverse;
use std::ops::Range;

use regex::bytes::{Regex, RegexSet};

/// What replaces a secret, and how to find it. Where a pattern has a group, only that is the secret.
const PATTERNS: &[(&str, &str)] = &[
    ("AWS key id", r"\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}\b"),
    ("AWS secret", r#"(?i)aws.{0,20}(?:secret|key).{0,20}?['"=: ]([0-9a-z/+]{40})\b"#),
    ("GitHub token", r"\bgh[pousr]_[0-9A-Za-z]{36,255}\b"),
    ("GitHub token", r"\bgithub_pat_[0-9A-Za-z_]{22,255}\b"),
    ("GitLab token", r"\bglpat-[0-9A-Za-z_-]{20,}\b"),
    ("Slack token", r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}"),
    ("Slack hook", r"https://hooks\.slack\.com/services/([0-9A-Za-z/]+)"),
    ("Stripe key", r"\b[rs]k_(?:live|test)_[0-9A-Za-z]{16,}\b"),
    ("Google key", r"\bAIza[0-9A-Za-z_-]{35}\b"),
    ("Google token", r"\bya29\.[0-9A-Za-z_-]{20,}"),
    ("Twilio key", r"\bSK[0-9a-f]{32}\b"),
    ("SendGrid key", r"\bSG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}\b"),
    ("Mailgun key", r"\bkey-[0-9a-f]{32}\b"),
    ("npm token", r"\bnpm_[0-9A-Za-z]{36}\b"),
    ("PyPI token", r"\bpypi-[0-9A-Za-z_-]{50,}"),
    ("Docker token", r"\bdckr_pat_[0-9A-Za-z_-]{20,}"),
    ("DigitalOcean token", r"\bdo[opr]_v1_[0-9a-f]{64}\b"),
    ("Shopify token", r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b"),
    ("Square token", r"\b(?:EAAA|sq0[a-z]{3}-)[0-9A-Za-z_-]{22,60}\b"),
    ("Telegram token", r"\b[0-9]{8,10}:AA[0-9A-Za-z_-]{33}\b"),
    ("Heroku key", r"(?i)heroku.{0,20}\b([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b"),
    ("Azure key", r"(?i)AccountKey=([0-9a-z+/]{86}==)"),
    ("OpenAI key", r"\bsk-(?:proj-)?[0-9A-Za-z_-]{20,}\b"),
    ("JSON web token", r"\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*"),
    ("token", r"(?i)\b(?:bearer|basic)\s+([0-9a-z+/._~-]{8,}=*)"),
    ("password", r"[a-z][a-z0-9+.-]*://[^\s:/@]+:([^\s:/@]+)@"),
    ("password", r#"(?i)\b(?:password|passwd|passphrase|pwd)["']?\s*[=:]\s*["']?([^\s"'&,;]+)"#),
    (
        "secret",
        r#"(?i)\b(?:[a-z0-9]+[_-])*(?:secret|token|api[_-]?key|access[_-]?key)["']?\s*[=:]\s*["']?([^\s"'&,;]{4,})"#,
    ),
    (
        "card number",
        r"\b(?:4[0-9]{3}|5[1-5][0-9]{2}|3[47][0-9]{2}|6011)[ -]?(?:[0-9]{4}[ -]?){2}[0-9]{3,4}\b",
    ),
    ("IBAN", r"\b[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{4}){3,7}(?: ?[0-9A-Z]{1,3})?\b"),
    ("social security number", r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b"),
];

/// What stands around a private key, which has lines of its own.
const KEY_BEGINS: &str = r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----";
const KEY_ENDS: &str = r"-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----";

/// All patterns, compiled, which is what takes the time.
#[derive(Debug)]
pub(crate) struct Secrets {
    /// Finds at once which patterns a line has to do with: mostly none.
    any: RegexSet,
    each: Vec<(String, Regex)>,
    key_begins: Regex,
    key_ends: Regex,
}

impl Secrets {
    pub(crate) fn load() -> Result<Self, regex::Error> {
        let each = PATTERNS.iter().map(|(name, pattern)| Ok((format!("<{name}>"), Regex::new(pattern)?)));
        Ok(Self {
            any: RegexSet::new(PATTERNS.iter().map(|(_, pattern)| pattern))?,
            each: each.collect::<Result<_, _>>()?,
            key_begins: Regex::new(KEY_BEGINS)?,
            key_ends: Regex::new(KEY_ENDS)?,
        })
    }

    /// For one text, from its beginning.
    pub(crate) fn redaction(&self) -> Redaction<'_> {
        Redaction { secrets: self, in_key: false }
    }

    /// Where the line's secrets are, and what takes their places.
    fn find(&self, line: &[u8]) -> Vec<(Range<usize>, &str)> {
        let mut found = Vec::new();
        for number in self.any.matches(line) {
            let Some((name, pattern)) = self.each.get(number) else { continue };
            // Where there is a group, it is the secret.
            let secrets = pattern.captures_iter(line).filter_map(|found| found.get(1).or(found.get(0)));
            found.extend(secrets.map(|secret| (secret.range(), name.as_str())));
        }
        // Of two in the same place, the longer one.
        found.sort_by_key(|(place, _)| (place.start, Reverse(place.end)));
        found
    }
}

/// One text on its way through.
#[derive(Debug)]
pub(crate) struct Redaction<'a> {
    secrets: &'a Secrets,
    /// The lines are those of a private key.
    in_key: bool,
}

impl Redaction<'_> {
    /// The next line without its secrets.
    pub(crate) fn blanked_out(&mut self, line: &[u8]) -> Vec<u8> {
        if self.in_key {
            self.in_key = !self.secrets.key_ends.is_match(line);
            return if self.in_key { Vec::new() } else { b"<private key>\n".to_vec() };
        }
        if let Some(begin) = self.secrets.key_begins.find(line) {
            self.in_key = !self.secrets.key_ends.is_match(line);
            let before = line.get(..begin.start()).unwrap_or_default();
            return if self.in_key { before.to_vec() } else { [before, b"<private key>\n"].concat() };
        }
        let mut blanked = Vec::with_capacity(line.len());
        let mut shown = 0;
        for (place, name) in self.secrets.find(line) {
            if place.start >= shown {
                blanked.extend_from_slice(line.get(shown..place.start).unwrap_or_default());
                blanked.extend_from_slice(name.as_bytes());
                shown = place.end;
            }
        }
        blanked.extend_from_slice(line.get(shown..).unwrap_or_default());
        blanked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_and_the_rest_is_kept() {
        let secrets = Secrets::load().unwrap();
        for (line, expected) in [
            ("nothing to see", "nothing to see"),
            ("key AKIAIOSFODNN7EXAMPLE used", "key <AWS key id> used"),
            ("GET https://ada:lovelace@host/x", "GET https://ada:<password>@host/x"),
            (r#"{"api_key": "abcdef123456", "n": 1}"#, r#"{"api_key": "<secret>", "n": 1}"#),
            ("Authorization: Bearer abcdefghijkl", "Authorization: Bearer <token>"),
            ("password=AKIAIOSFODNN7EXAMPLE x", "password=<AWS key id> x"),
            ("pwd=a1; PASSWORD: b2", "pwd=<password>; PASSWORD: <password>"),
            ("paid with 4111 1111 1111 1111", "paid with <card number>"),
        ] {
            assert_eq!(String::from_utf8_lossy(&secrets.redaction().blanked_out(line.as_bytes())), expected);
        }
    }

    #[test]
    fn what_is_no_text_passes_unchanged() {
        let bytes: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(Secrets::load().unwrap().redaction().blanked_out(&bytes), bytes);
    }

    #[test]
    fn a_private_key_goes_with_all_its_lines() {
        let secrets = Secrets::load().unwrap();
        let mut redaction = secrets.redaction();
        let text =
            "a\nkey: -----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAKCAQEA\n-----END RSA PRIVATE KEY-----\nb\n";
        let lines = text.split_inclusive('\n').flat_map(|line| redaction.blanked_out(line.as_bytes()));
        assert_eq!(String::from_utf8(lines.collect()).unwrap(), "a\nkey: <private key>\nb\n");
    }
}
