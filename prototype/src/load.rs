//! The clicks to replay: drawn once, so that a run measures the pipeline and not the dice.
//!
//! 100,000 links, uniform or Zipf (s = 1); 4,000 user agents of about 115 bytes, 2,000 referrers on 300 hosts, 60
//! languages, 80 countries (all four Zipf, as in life); nearly every click its own visitor, which is the worst case
//! for a set of visitors. Every click is 2 µs after the last: half a million a second.

pub const LINKS: usize = 100_000;
pub const BASE: u64 = 1_767_261_600_000_000;
pub const STEP: u64 = 2;

#[derive(Clone, Copy)]
pub struct Pick {
    pub link: u32,
    pub ip: u32,
    pub ua: u16,
    pub referrer: u16,
    pub lang: u8,
    pub country: u8,
}

pub struct Load {
    pub picks: Vec<Pick>,
    pub uas: Vec<String>,
    pub referrers: Vec<String>,
    pub langs: Vec<String>,
}

/// What a worker knows of a click: borrowed, nothing allocated.
pub struct Facts<'a> {
    pub time: u64,
    pub link: u64,
    pub ip: u32,
    pub country: u16,
    pub ua: &'a [u8],
    pub referrer: &'a [u8],
    pub lang: &'a [u8],
}

pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

struct Zipf(Vec<f64>);

impl Zipf {
    fn new(n: usize) -> Self {
        let mut sum = 0.0;
        Zipf((1..=n).map(|i| { sum += 1.0 / i as f64; sum }).collect())
    }
    fn draw(&self, dice: &mut Dice) -> usize {
        let x = (dice.roll() >> 11) as f64 / (1u64 << 53) as f64 * self.0[self.0.len() - 1];
        self.0.partition_point(|&c| c < x).min(self.0.len() - 1)
    }
}

impl Load {
    pub fn new(clicks: usize, zipf: bool) -> Self {
        let mut dice = Dice(7);
        let (links, uas, refs) = (Zipf::new(LINKS), Zipf::new(4000), Zipf::new(2000));
        let (langs, countries) = (Zipf::new(60), Zipf::new(80));
        // The busiest links must not be neighbours by id.
        let spread = |rank: usize| (rank as u64 * 61_681 % LINKS as u64) as u32;
        let picks = (0..clicks)
            .map(|_| Pick {
                link: if zipf { spread(links.draw(&mut dice)) } else { (dice.roll() % LINKS as u64) as u32 },
                ip: dice.roll() as u32,
                ua: uas.draw(&mut dice) as u16,
                referrer: refs.draw(&mut dice) as u16,
                lang: langs.draw(&mut dice) as u8,
                country: countries.draw(&mut dice) as u8,
            })
            .collect();
        Load {
            picks,
            uas: (0..4000).map(|i| format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{:03}.0.{i:04}.0 Safari/537.36", i % 140)).collect(),
            referrers: (0..2000).map(|i| format!("https://site-{:03}.example.com/page/{i:06}", i % 300)).collect(),
            langs: (0..60).map(|i| format!("l{:02}-DE,de;q=0.9", i)).collect(),
        }
    }

    pub fn facts(&self, i: usize) -> Facts<'_> {
        let p = &self.picks[i];
        Facts {
            time: BASE + i as u64 * STEP,
            link: 1_000_000 + u64::from(p.link),
            ip: p.ip,
            country: u16::from(p.country),
            ua: self.uas[usize::from(p.ua)].as_bytes(),
            referrer: self.referrers[usize::from(p.referrer)].as_bytes(),
            lang: self.langs[usize::from(p.lang)].as_bytes(),
        }
    }
}
