//! That a batch comes out as it went in, and that nothing else passes for one.

use proptest::prelude::*;

use super::*;

fn sample(builder: &mut BatchBuilder, n: u64) -> bool {
    let mut text = |text: &str| Text { index: builder.text(text.as_bytes(), 99), text: "" };
    let user_agent = text(if n.is_multiple_of(2) { "even" } else { "odd" });
    let (referrer, language, rule) = (text("a.example"), text("de"), text(""));
    let address = match n % 4 {
        0 => Address::Nothing,
        1 => Address::Ip([192, 0, 2, 1].into()),
        2 => Address::Hash(n),
        _ => Address::Ip(Ipv6Addr::LOCALHOST.into()),
    };
    builder.push(&Row {
        id: ClickId { received: Timestamp(1_000 - n as i64), link: LinkId(n), salt: 9 },
        workspace: WorkspaceId(1),
        visitor: n,
        address,
        country: n.is_multiple_of(3).then_some(*b"DE"),
        user_agent,
        referrer,
        language,
        rule,
        spent: n.is_multiple_of(5),
    })
}

fn bytes(clicks: u64) -> Vec<u8> {
    let (mut builder, mut out) = (BatchBuilder::default(), Vec::new());
    assert!((0..clicks).all(|n| sample(&mut builder, n)));
    builder.finish(&mut out);
    assert!(builder.is_empty());
    out
}

#[test]
fn what_goes_in_comes_out() {
    let batch = Batch::decode(bytes(300)).unwrap();
    assert_eq!(batch.texts().collect::<Vec<_>>(), ["even", "a.example", "de", "", "odd"]);
    let rows: Vec<_> = batch.rows().map(Result::unwrap).collect();
    assert_eq!((rows.len(), batch.len()), (300, 300));
    for (n, row) in rows.iter().enumerate() {
        assert_eq!(row.id.link, LinkId(n as u64));
        assert_eq!(row.id.received, Timestamp(1_000 - n as i64));
        assert_eq!(row.user_agent.text, if n % 2 == 0 { "even" } else { "odd" });
        assert_eq!((row.spent, row.country.is_some()), (n % 5 == 0, n % 3 == 0));
        assert_eq!(row.address.text().is_some(), n % 4 != 0);
    }
}

#[test]
fn a_click_too_far_from_the_first_waits_for_the_next_batch() {
    let mut builder = BatchBuilder::default();
    assert!(sample(&mut builder, 0));
    assert!(!sample(&mut builder, u64::from(u32::MAX)));
    assert_eq!(builder.len(), 1);
}

#[test]
fn every_cut_is_noticed() {
    let whole = bytes(20);
    for cut in 0..whole.len() {
        let read = Batch::decode(whole[..cut].to_vec());
        let broken = read.is_ok_and(|batch| batch.rows().all(|row| row.is_ok()));
        assert!(!broken, "cut at {cut}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut versioned = vec![VERSION];
        versioned.extend(&bytes);
        for bytes in [bytes, versioned] {
            if let Ok(batch) = Batch::decode(bytes) {
                batch.rows().count();
            }
        }
    }
}
