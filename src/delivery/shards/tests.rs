use super::*;
use proptest::prelude::*;

fn map(shards: u32, former: &[u32]) -> ShardMap {
    ShardMap::new(shards, former.to_vec()).unwrap()
}

#[test]
fn a_number_that_is_none_is_refused_by_its_name() {
    let refused = |shards, former: &[u32]| {
        let error = ShardMap::new(shards, former.to_vec()).unwrap_err();
        (error.parameter().unwrap().to_owned(), error.to_string())
    };
    for (shards, former, parameter, words) in [
        (0, [].as_slice(), "shards", "from 1 to 64"),
        (65, &[], "shards", "from 1 to 64"),
        (4, &[0], "formerShards", "from 1 to 64"),
        (4, &[16, 65], "formerShards", "from 1 to 64"),
        (4, &[4], "formerShards", "today's number"),
        (4, &[16, 4], "formerShards", "today's number"),
        (4, &[16, 8, 16], "formerShards", "once"),
        (4, &[1, 2, 3, 5, 6], "formerShards", "four numbers at most"),
    ] {
        let (named, sentence) = refused(shards, former);
        assert_eq!(named, parameter, "{shards} {former:?}");
        assert!(sentence.contains(words), "{sentence}");
    }
    assert_eq!(map(4, &[16, 8, 1, 64]).size(), 64);
    assert_eq!(map(16, &[4]).size(), 16);
}

#[test]
fn a_key_is_at_home_or_where_a_former_number_had_its_home() {
    let grown = map(16, &[4, 6]);
    assert_eq!(grown.sites(29), [13, 1, 5]);
    assert_eq!(grown.sites(16), [0, 4]);
    assert_eq!(map(4, &[]).sites(29), [1]);
    assert_eq!(number_of("0000001dabc").unwrap(), 29);
    for wrong in ["", "1", "0000001", "xyzxyzxy", "é000000"] {
        assert!(number_of(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_shard_keeps_no_foreign_key_and_asks_no_old_one_for_a_promise() {
    let (old, new) = (map(4, &[]), map(16, &[4]));
    // 29 was at home in shard 1, and is in shard 13 now.
    assert_eq!(old.first(1, 29, false, false), Step::Here);
    assert_eq!(new.first(1, 29, false, false), Step::Hand(13));
    assert_eq!(new.first(1, 29, true, false), Step::Here);
    assert_eq!(new.first(13, 29, false, false), Step::Ask(vec![1]));
    assert_eq!(new.first(1, 29, false, true), Step::Ask(vec![13]));
    // An object of the previous deployment, which is no site yet, does not keep the key either.
    assert_eq!(old.first(13, 29, false, true), Step::Hand(1));
    // A shard asks nobody for a key that did not move.
    assert_eq!(new.first(1, 17, false, false), Step::Here);
    assert_eq!(old.reply(13, 29, false, false), Reply::Unpromised);
    assert_eq!(new.reply(13, 29, false, false), Reply::Unknown);
    assert_eq!(new.reply(13, 29, false, true), Reply::Held);
    assert_eq!(old.reply(13, 29, true, true), Reply::Known);
    for (replies, step) in [
        ([Reply::Unknown, Reply::Unknown], Step::Here),
        ([Reply::Unknown, Reply::Held], Step::Again),
        ([Reply::Held, Reply::Unpromised], Step::Hand(7)),
        ([Reply::Unpromised, Reply::Known], Step::Hand(7)),
    ] {
        assert_eq!(ShardMap::next(&[(3, replies[0]), (7, replies[1])]), step);
    }
}

#[test]
fn words_cross_the_boundary() {
    for (step, words) in [
        (Step::Here, "here"),
        (Step::Again, "again"),
        (Step::Hand(5), "hand 5"),
        (Step::Ask(vec![1, 13]), "ask 1 13"),
    ] {
        assert_eq!(step.words(), words);
    }
    for reply in [Reply::Known, Reply::Unknown, Reply::Held, Reply::Unpromised] {
        assert_eq!(Reply::from_word(reply.word()), reply);
    }
    assert_eq!(Reply::from_word("of a later release"), Reply::Unpromised);
}

proptest! {
    #[test]
    fn each_site_is_a_shard_and_no_two_would_keep_one_key_unasked(
        hash: u32, shards in 1_u32..=64, former in proptest::collection::hash_set(1_u32..=64, 0..=4),
    ) {
        let mut former: Vec<u32> = former.into_iter().filter(|number| *number != shards).collect();
        former.sort_unstable();
        let map = map(shards, &former);
        let sites = map.sites(hash);
        prop_assert!(sites.iter().all(|site| *site < map.size()));
        prop_assert_eq!(sites.first(), Some(&map.home(hash)));
        for site in &sites {
            let step = map.first(*site, hash, false, true);
            if let Step::Ask(others) = step {
                prop_assert_eq!(others.len(), sites.len() - 1);
                for other in others {
                    prop_assert_eq!(map.reply(*site, hash, false, false), Reply::Unknown);
                    prop_assert!(sites.contains(&other));
                }
            } else {
                prop_assert_eq!(sites.len(), 1);
            }
        }
    }
}
