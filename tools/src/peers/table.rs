//! The figures, as Markdown: what was measured, on what, and the ratios that count.

use super::measure::Sample;
use super::server::Server;
use super::{Options, Shape};

/// A load average above which the figures are not to be trusted.
const QUIET: f64 = 0.5;

/// What is compared: the first over the second.
type Pair = (Server, Server);
const OVER_NGINX: Pair = (Server::Waypost, Server::Nginx);
const OVER_BARE: Pair = (Server::Waypost, Server::Bare);
const OVER_LMDB: Pair = (Server::Postgres, Server::Waypost);
const OVER_BESIDE: Pair = (Server::Postgres, Server::Beside);
const BESIDE_OVER_ALONE: Pair = (Server::Beside, Server::Waypost);

/// Says where and how it is measured.
pub(super) fn machine(options: &Options) {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = read("/proc/sys/kernel/osrelease");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{}, {cores} cores, Linux {}.", model.map_or("unknown CPU", |m| m.1), kernel.trim());
    println!(
        "{} links, medians of {} rounds of {} s; server on core 0, load on core 1.",
        options.links, options.rounds, options.seconds
    );
    let average = read("/proc/loadavg");
    let average: f64 = average.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0.0);
    if average > QUIET {
        println!("Disturbed: the load average was {average} before anything was measured.");
    }
}

/// Prints a table a shape, then the ratios.
pub(super) fn show(samples: &[Sample], shapes: &[&'static Shape]) {
    for shape in shapes {
        println!("\n{}\n", shape.title);
        println!(
            "| server | requests / CPU-second | spread | clicks stored, too | requests / s | core busy | p50 µs | p90 µs | RSS MiB |"
        );
        println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
        for server in Server::ALL {
            let of: Vec<_> = samples
                .iter()
                .filter(|sample| sample.server == server && sample.shape == shape.name)
                .collect();
            if !of.is_empty() {
                println!("{}", row(server, &of));
            }
        }
    }
    println!(
        "\n| waypost, requests / CPU-second | over nginx | meant to be | over the bare loop | meant to be | with clicks stored: over nginx | over the bare loop |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|");
    for shape in shapes {
        println!(
            "| {} | {} | ≥ {:.2} | {} | ≥ {:.2} | {} | {} |",
            shape.name,
            ratio(samples, shape.name, OVER_NGINX, |sample| Some(sample.rate())),
            shape.over_nginx,
            ratio(samples, shape.name, OVER_BARE, |sample| Some(sample.rate())),
            shape.over_bare,
            ratio(samples, shape.name, OVER_NGINX, Sample::stored_rate),
            ratio(samples, shape.name, OVER_BARE, Sample::stored_rate),
        );
    }
    if samples.iter().any(|sample| sample.server.needs_store()) {
        stores(samples, shapes);
    }
}

/// What another store does to redirects, which never ask one; and what a database does that shares the cores with them,
/// whoever uses it.
fn stores(samples: &[Sample], shapes: &[&'static Shape]) {
    println!(
        "\n| requests / CPU-second | waypost on PostgreSQL over LMDB | meant to be | over LMDB beside a busy PostgreSQL | LMDB beside that over alone |"
    );
    println!("|---|--:|--:|--:|--:|");
    for shape in shapes {
        let [stored, shared, beside] = [OVER_LMDB, OVER_BESIDE, BESIDE_OVER_ALONE]
            .map(|pair| ratio(samples, shape.name, pair, |sample| Some(sample.rate())));
        println!("| {} | {stored} | 0.92 to 1.08 | {shared} | {beside} |", shape.name);
    }
}

fn row(server: Server, samples: &[&Sample]) -> String {
    let of = |value: &dyn Fn(&Sample) -> f64| median(samples.iter().map(|s| value(s)).collect());
    let rates: Vec<f64> = samples.iter().map(|sample| sample.rate()).collect();
    let (low, high) = rates.iter().fold((f64::MAX, 0.0_f64), |(l, h), &r| (l.min(r), h.max(r)));
    let rate = of(&Sample::rate);
    let stored = median(samples.iter().filter_map(|sample| sample.stored_rate()).collect());
    format!(
        "| {} | {} | {:.0} % | {} | {} | {:.0} % | {:.0} | {:.0} | {:.0} |",
        server.name(),
        thousands(rate),
        (high - low) / rate * 100.0,
        if stored.is_nan() { "–".to_owned() } else { thousands(stored) },
        thousands(of(&|sample| sample.report.answers as f64 / sample.report.seconds)),
        of(&|sample| sample.cpu / sample.report.seconds) * 100.0,
        of(&|sample| sample.report.p50),
        of(&|sample| sample.report.p90),
        of(&|sample| sample.memory),
    )
}

/// One's rate over another's in the same round, the median of all rounds.
fn ratio(
    samples: &[Sample],
    shape: &str,
    (server, peer): Pair,
    rate: impl Fn(&Sample) -> Option<f64>,
) -> String {
    let find = |server: Server, round: u64| {
        samples.iter().find(|s| s.server == server && s.shape == shape && s.round == round)
    };
    let of = |ours: &Sample| Some(rate(ours)? / find(peer, ours.round)?.rate());
    let ours = samples.iter().filter(|s| s.server == server && s.shape == shape);
    let ratio = median(ours.filter_map(of).collect());
    if ratio.is_nan() { "–".to_owned() } else { format!("{ratio:.2}") }
}

/// The one in the middle, or between the two that are; not a number where there are none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

pub(super) fn thousands(rate: f64) -> String {
    format!("{:.1} k", rate / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::{median, thousands};

    #[test]
    fn medians() {
        let check = |values: &[f64], expected: f64| {
            assert_eq!(median(values.to_vec()), expected, "{values:?}");
        };
        check(&[3.0], 3.0);
        check(&[3.0, 1.0], 2.0);
        check(&[9.0, 1.0, 2.0], 2.0);
        assert!(median(Vec::new()).is_nan());
        assert_eq!(thousands(1_234_567.0), "1234.6 k");
    }
}
