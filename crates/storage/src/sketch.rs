//! Counting distinct visitors: exact while they are few, HyperLogLog after.
//!
//! A sketch is its bytes: portable between backends and machines, mergeable in any order,
//! versioned. Up to [`Sketch::EXACT`] distinct 32-bit hashes are listed, sorted; past that there
//! are 4,096 registers (Flajolet et al. 2007, with Ertl's improved estimator, 2017), whose
//! standard error is 1.04 / √4096 = 1.6 %.

/// Registers of a dense sketch, 2^12.
const REGISTERS: usize = 1 << PRECISION;
const PRECISION: u32 = 12;
/// Ranks go to 32 − 12 + 1.
const TOP: usize = (32 - PRECISION + 1) as usize;
const SPARSE: u8 = 1;
const DENSE: u8 = 2;

/// A set of visitors, of which only the number is ever asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch(Form);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// Distinct hashes, ascending.
    Sparse(Vec<u32>),
    /// The highest rank seen by each register.
    Dense(Box<[u8; REGISTERS]>),
}

impl Default for Form {
    fn default() -> Self {
        Self::Sparse(Vec::new())
    }
}

impl Sketch {
    /// Up to here the count is exact (but for two visitors in four billion sharing a hash).
    pub const EXACT: usize = 512;

    /// Adds a visitor, given as any well-mixed 64-bit hash, of which the upper half is used.
    ///
    /// ```
    /// let mut sketch = waypost_storage::Sketch::default();
    /// for visitor in [3u64 << 32, 5 << 32, 3 << 32] {
    ///     sketch.insert(visitor);
    /// }
    /// assert_eq!(sketch.count(), 2);
    /// ```
    pub fn insert(&mut self, visitor: u64) {
        self.insert_hash((visitor >> 32) as u32);
    }

    /// Adds everybody in `other`.
    pub fn merge(&mut self, other: &Self) {
        match &other.0 {
            Form::Sparse(hashes) => self.extend(hashes),
            Form::Dense(theirs) => {
                let ours = self.densify();
                ours.iter_mut().zip(theirs.iter()).for_each(|(ours, theirs)| {
                    *ours = (*ours).max(*theirs);
                });
            }
        }
    }

    /// Adds many hashes at once, in any order.
    pub fn extend(&mut self, hashes: &[u32]) {
        match &mut self.0 {
            Form::Sparse(own) if hashes.len() > 4 => {
                own.extend_from_slice(hashes);
                own.sort_unstable();
                own.dedup();
                self.settle();
            }
            _ => hashes.iter().for_each(|&hash| self.insert_hash(hash)),
        }
    }

    /// How many visitors, exactly or within 1.6 % (standard error).
    pub fn count(&self) -> u64 {
        match &self.0 {
            Form::Sparse(hashes) => hashes.len() as u64,
            Form::Dense(registers) => estimate(registers),
        }
    }

    /// Whether nobody was added.
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Form::Sparse(hashes) if hashes.is_empty())
    }

    /// Its bytes: a version, then the hashes in little-endian or the registers.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }

    /// Appends its bytes to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        match &self.0 {
            Form::Sparse(hashes) => {
                out.push(SPARSE);
                out.extend(hashes.iter().flat_map(|hash| hash.to_le_bytes()));
            }
            Form::Dense(registers) => {
                out.push(DENSE);
                out.extend_from_slice(registers.as_slice());
            }
        }
    }

    /// The sketch of these bytes; `None` where no sketch has them.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&SPARSE, rest) => {
                let (chunks, rest) = rest.as_chunks::<4>();
                let hashes: Vec<_> =
                    chunks.iter().map(|&chunk| u32::from_le_bytes(chunk)).collect();
                let legal = rest.is_empty()
                    && hashes.len() <= Self::EXACT
                    && hashes.is_sorted_by(|a, b| a < b);
                legal.then_some(Self(Form::Sparse(hashes)))
            }
            (&DENSE, rest) => {
                let registers: Box<[u8; REGISTERS]> = Box::new(rest.try_into().ok()?);
                let legal = registers.iter().all(|&rank| usize::from(rank) <= TOP);
                legal.then_some(Self(Form::Dense(registers)))
            }
            _ => None,
        }
    }

    fn insert_hash(&mut self, hash: u32) {
        match &mut self.0 {
            Form::Sparse(hashes) => {
                if let Err(at) = hashes.binary_search(&hash) {
                    hashes.insert(at, hash);
                    self.settle();
                }
            }
            Form::Dense(registers) => raise(registers, hash),
        }
    }

    fn settle(&mut self) {
        if matches!(&self.0, Form::Sparse(hashes) if hashes.len() > Self::EXACT) {
            self.densify();
        }
    }

    fn densify(&mut self) -> &mut [u8; REGISTERS] {
        if let Form::Sparse(hashes) = &self.0 {
            let mut registers = Box::new([0; REGISTERS]);
            hashes.iter().for_each(|&hash| raise(&mut registers, hash));
            self.0 = Form::Dense(registers);
        }
        match &mut self.0 {
            Form::Dense(registers) => registers,
            Form::Sparse(_) => unreachable!("made dense above"),
        }
    }
}

fn raise(registers: &mut [u8; REGISTERS], hash: u32) {
    let register = &mut registers[(hash >> (32 - PRECISION)) as usize];
    let rank = ((hash << PRECISION).leading_zeros() + 1).min(TOP as u32) as u8;
    *register = (*register).max(rank);
}

/// Ertl's improved raw estimator (arXiv:1702.01284, algorithm 6).
fn estimate(registers: &[u8; REGISTERS]) -> u64 {
    let m = REGISTERS as f64;
    let mut seen = [0u32; TOP + 1];
    registers.iter().for_each(|&rank| seen[usize::from(rank).min(TOP)] += 1);
    let mut z = m * tau(1.0 - f64::from(seen[TOP]) / m);
    for &count in seen[1..TOP].iter().rev() {
        z = 0.5 * (z + f64::from(count));
    }
    z += m * sigma(f64::from(seen[0]) / m);
    (m * m / (2.0 * std::f64::consts::LN_2 * z)).round() as u64
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// SplitMix64's finaliser.
    fn mixed(n: u64) -> u64 {
        let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ (n >> 31)
    }

    fn of(visitors: impl Iterator<Item = u64>) -> Sketch {
        let mut sketch = Sketch::default();
        visitors.for_each(|n| sketch.insert(mixed(n)));
        sketch
    }

    #[test]
    fn exact_while_few_close_when_many() {
        for (visitors, error) in
            [(0, 0.0), (1, 0.0), (512, 0.0), (513, 0.05), (20_000, 0.05), (1_000_000, 0.05)]
        {
            let count = of((1..=visitors).chain(1..=visitors.min(50))).count() as f64;
            let off = (count - visitors as f64).abs();
            assert!(off <= visitors as f64 * error, "{visitors} counted as {count}");
        }
    }

    #[test]
    fn bytes_that_no_sketch_has() {
        for bytes in
            [&[][..], &[9], &[SPARSE, 1, 2], &[SPARSE, 2, 0, 0, 0, 1, 0, 0, 0], &[DENSE, 1]]
        {
            assert_eq!(Sketch::from_bytes(bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn merging_is_inserting(a in 0u64..2_000, b in 0u64..2_000, overlap in 0u64..500) {
            let (left, right) = (of(1..=a), of(a.saturating_sub(overlap)..=a + b));
            let (mut one, mut other) = (left.clone(), right.clone());
            one.merge(&right);
            other.merge(&left);
            prop_assert_eq!(&one, &other);
            prop_assert_eq!(Sketch::from_bytes(&one.to_bytes()), Some(one));
        }
    }
}
