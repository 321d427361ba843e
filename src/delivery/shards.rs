//! Chooses the shard that keeps an event, a claim or a webhook's id, also while the number of shards
//! changes.
//!
//! A key's hash, modulo the number of shards, names its home. A former number names another shard,
//! which may hold the key from then. These shards are the key's sites. Workers and shards of
//! several deployments run at the same time, so a shard decides by these rules:
//!
//! 1. A shard that has the key answers for it.
//! 2. A shard that is not the key's home hands an unknown key on to the home.
//! 3. A shard keeps an unknown key only with the reply of every other site. Each has answered that
//!    it does not have the key, and that it counts the asking shard among the key's sites. Such a
//!    site asks in its turn before it keeps the key.
//! 4. A site of an earlier deployment does not count the asking shard among the sites: it would keep
//!    the key without asking. So it gets the key.
//! 5. While a shard asks, it holds the key, and says so to others that ask. A shard that meets a
//!    held key lets go and begins again.
//!
//! Two shards never keep one key, provided that no deployment forgets a number whose rows remain.
//! `simulation` runs these rules in a rolling release.

use crate::{Error, Result};

/// The most shards.
pub(crate) const MAX_SHARDS: u32 = 64;

/// The most former numbers: each may cost a question to one more shard.
pub(crate) const MAX_FORMER: usize = 4;

/// This many hexadecimal digits at a hash's start choose the shard.
const DIGITS: usize = 8;

/// The number of shards, and the former numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShardMap {
    shards: u32,
    /// The latest first.
    former: Vec<u32>,
}

/// A shard's next step with a key that it is asked to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It answers for the key, or keeps it.
    Here,
    /// It hands the key on to that shard.
    Hand(u32),
    /// It holds the key and asks these shards.
    Ask(Vec<u32>),
    /// It lets go of the key and begins again, after a moment.
    Again,
}

/// A site's answer when another shard wants to keep a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// It has the key.
    Known,
    /// It does not have the key, and would ask the other shard before it keeps the key.
    Unknown,
    /// It is asking others itself, and holds the key.
    Held,
    /// It does not count the other shard among the key's sites, and would keep the key without
    /// asking.
    Unpromised,
}

impl ShardMap {
    /// The map of `shards` shards, and of the former numbers, the latest first.
    ///
    /// # Errors
    /// [`Error::InvalidField`] for a number out of 1 to 64, for more than four former numbers, and
    /// for a former number that is repeated or today's.
    pub(crate) fn new(shards: u32, former: Vec<u32>) -> Result<Self> {
        if !(1..=MAX_SHARDS).contains(&shards) {
            return Err(invalid("shards", "must be a whole number from 1 to 64"));
        }
        if former.len() > MAX_FORMER {
            let rule = "must be four numbers at most: leave out those whose events are past their retention";
            return Err(invalid("formerShards", rule));
        }
        for (place, number) in former.iter().enumerate() {
            if !(1..=MAX_SHARDS).contains(number) {
                let rule = "must be a list of whole numbers from 1 to 64";
                return Err(invalid("formerShards", rule));
            }
            if *number == shards {
                let rule =
                    "must not name today's number of shards: only numbers that were used before it";
                return Err(invalid("formerShards", rule));
            }
            if former.iter().take(place).any(|other| other == number) {
                return Err(invalid("formerShards", "must name a number once"));
            }
        }
        Ok(Self { shards, former })
    }

    /// The number of shards in all, also those of the former numbers.
    pub(crate) fn size(&self) -> u32 {
        self.former.iter().copied().fold(self.shards, u32::max)
    }

    /// The shard that a key belongs to.
    pub(crate) fn home(&self, hash: u32) -> u32 {
        hash.checked_rem(self.shards).unwrap_or_default()
    }

    /// Where a key may be: its home first, then its homes by the former numbers, the latest first.
    pub(crate) fn sites(&self, hash: u32) -> Vec<u32> {
        let mut sites = vec![self.home(hash)];
        for number in &self.former {
            let site = hash.checked_rem(*number).unwrap_or_default();
            if !sites.contains(&site) {
                sites.push(site);
            }
        }
        sites
    }

    /// The first step of the shard `own`. `is_here`: it has the key. `is_handed_on`: another shard
    /// has sent the key here, so a site does not send it on to the home.
    pub(crate) fn first(&self, own: u32, hash: u32, is_here: bool, is_handed_on: bool) -> Step {
        if is_here {
            return Step::Here;
        }
        let home = self.home(hash);
        let mut others = self.sites(hash);
        // A shard that is no site does not know all the shards that must be asked.
        let is_site = others.contains(&own);
        if home != own && !(is_site && is_handed_on) {
            return Step::Hand(home);
        }
        others.retain(|site| *site != own);
        if others.is_empty() {
            Step::Here
        } else {
            Step::Ask(others)
        }
    }

    /// The step after all the shards that it asked have answered.
    pub(crate) fn next(replies: &[(u32, Reply)]) -> Step {
        let find = |reply| {
            let mut found = replies.iter().filter(|(_, given)| *given == reply);
            found.next().map(|(site, _)| *site)
        };
        if let Some(site) = find(Reply::Known).or_else(|| find(Reply::Unpromised)) {
            Step::Hand(site)
        } else if find(Reply::Held).is_some() {
            Step::Again
        } else {
            Step::Here
        }
    }

    /// A site's answer to the shard `keeper`, which wants to keep the key.
    pub(crate) fn reply(&self, keeper: u32, hash: u32, is_here: bool, is_held: bool) -> Reply {
        if is_here {
            Reply::Known
        } else if is_held {
            Reply::Held
        } else if self.sites(hash).contains(&keeper) {
            Reply::Unknown
        } else {
            Reply::Unpromised
        }
    }
}

/// The number that chooses the shard, from a hash in hexadecimal digits.
///
/// # Errors
/// [`Error::Internal`] where the text is no such hash.
pub(crate) fn number_of(hash: &str) -> Result<u32> {
    hash.get(..DIGITS)
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .ok_or(Error::Internal)
}

impl Step {
    /// Its words: `here`, `again`, `hand 5`, `ask 1 3`.
    pub(crate) fn words(&self) -> String {
        let (word, shards) = match self {
            Self::Here => ("here", [].as_slice()),
            Self::Again => ("again", [].as_slice()),
            Self::Hand(shard) => ("hand", std::slice::from_ref(shard)),
            Self::Ask(shards) => ("ask", shards.as_slice()),
        };
        let mut words = word.to_owned();
        for shard in shards {
            words.push(' ');
            crate::url::push_number(&mut words, u64::from(*shard), 10);
        }
        words
    }
}

impl Reply {
    /// Its word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Unknown => "unknown",
            Self::Held => "held",
            Self::Unpromised => "unpromised",
        }
    }

    /// The reply of that word. An unknown word promises nothing.
    pub(crate) fn from_word(word: &str) -> Self {
        match word {
            "known" => Self::Known,
            "unknown" => Self::Unknown,
            "held" => Self::Held,
            _ => Self::Unpromised,
        }
    }
}

fn invalid(parameter: &str, rule: &str) -> Error {
    Error::InvalidField {
        parameter: parameter.to_owned(),
        rule: rule.to_owned(),
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
