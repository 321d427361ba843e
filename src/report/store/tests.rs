//! Rows are identified by their place, and a full store keeps its rows.

use super::*;

fn head(number: u32) -> Head {
    Head {
        seconds: number,
        partner: NOBODY,
        revenue: -i64::from(number) * 123_456,
        payout: if number.is_multiple_of(2) {
            NO_AMOUNT
        } else {
            i64::from(number)
        },
        status: 3,
        class: 0,
        currency: 1,
        flags: 0,
        pair: if number.is_multiple_of(4) {
            0
        } else {
            number << 16 ^ 0x55
        },
    }
}

#[test]
fn rows_are_walked_in_order_and_known_by_place() {
    let mut memory = Memory::new(1 << 24);
    let mut store = Store::default();
    let ids: Vec<String> = (0..5_000).map(|i| format!("ORD-{i}")).collect();
    let mut mark = store.mark();
    for (number, id) in (0..).zip(&ids) {
        if number == 4_000 {
            mark = store.mark();
        }
        let texts: [&[u8]; TEXTS] = [id.as_bytes(), &[], b"click", &[]];
        store
            .push(&head(number), texts, id.as_bytes(), 7, &mut memory)
            .unwrap();
    }
    let walk = |store: &Store| {
        let mut places = Vec::new();
        let mut next = store.first();
        while let Some(place) = next {
            places.push(place);
            next = store.next(place);
        }
        places
    };
    let places = walk(&store);
    assert_eq!(places.len(), 5_000);
    for (number, &place) in (0..).zip(&places) {
        let row = store.head(place).unwrap();
        let given = head(number);
        assert_eq!(
            (row.seconds, row.revenue, row.payout, row.pair, row.status),
            (number, given.revenue, given.payout, given.pair, 3)
        );
        assert_eq!(
            store.text(place, UNIQUE_ID),
            ids[number as usize].as_bytes()
        );
        assert_eq!(store.text(place, CLICK_ID), b"click");
        assert_eq!(store.text(place, ORDER_ID), b"");
        assert_eq!(store.number(place), number);
    }
    store.judge(places[7], 9, 77);
    let row = store.head(places[7]).unwrap();
    assert_eq!((row.class, row.partner, row.seconds), (9, 77, 7));
    let used = memory.used();
    store.go_back(mark, &mut memory);
    assert_eq!(walk(&store), &places[..4_000]);
    assert!(memory.used() < used);
}

#[test]
fn a_full_store_keeps_its_rows() {
    let mut memory = Memory::new(BLOCK + 10_240);
    let mut store = Store::default();
    let texts: [&[u8]; TEXTS] = [b"ORD-1", &[], &[], &[]];
    while store.push(&head(1), texts, b"", 7, &mut memory).is_some() {}
    assert_eq!(store.rows() as usize, BLOCK / (HEAD + MORE + 6));
    assert!(store.head(0).is_some());
}
