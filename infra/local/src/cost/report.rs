//! Figures into money, line by line, and the page that shows them.

use std::fmt::Write as _;

use super::month::{DAYS, Month, Period, SETTLING};
use super::prices::{Prices, Stack};
use crate::bench::count_of;
use crate::host::{Work, WorkDone};

/// Minutes of a month of thirty days.
const MINUTES: f64 = 30.0 * 24.0 * 60.0;
const GB: f64 = 1_000_000_000.0;

/// One line of a bill.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// For what.
    pub what: String,
    /// How much of it.
    pub quantity: f64,
    /// US dollars for one.
    pub price: f64,
}

impl Line {
    fn new(what: impl Into<String>, quantity: f64, price: f64) -> Self {
        Self { what: what.into(), quantity, price }
    }

    /// US dollars.
    #[must_use]
    pub fn cost(&self) -> f64 {
        self.quantity * self.price
    }
}

/// US dollars of a list.
#[must_use]
pub fn total(lines: &[Line]) -> f64 {
    lines.iter().map(Line::cost).sum()
}

/// What a kind of work costs: the function's time, the table, the queue in front of it, its log.
fn work_lines(period: &Period, works: &[Work], prices: &Prices) -> Vec<Line> {
    let done: Vec<(Work, WorkDone)> = works.iter().filter_map(|work| Some((*work, *period.work.get(work)?))).collect();
    let sum = |of: &dyn Fn(Work, &WorkDone) -> f64| done.iter().map(|(work, done)| of(*work, done)).sum::<f64>();
    let times = sum(&|_, done| count_of(done.times));
    let million = &prices.per_million;
    vec![
        Line::new("function invocations", times, million.lambda_requests / 1e6),
        Line::new(
            "GB-seconds",
            sum(&|work, done| gb_seconds(work, done, prices)),
            prices.per_unit.lambda_gb_second_arm,
        ),
        Line::new("table: write units", sum(&|_, done| done.units.write), million.table_write_units / 1e6),
        Line::new("table: read units", sum(&|_, done| done.units.read), million.table_read_units / 1e6),
        Line::new(
            "queue requests: put, received, deleted",
            sum(&|work, done| if is_queued(work) { 3.0 * count_of(done.times) } else { 0.0 }),
            million.queue_requests / 1e6,
        ),
        Line::new(
            "API requests",
            sum(&|work, done| if work == Work::Hook { count_of(done.times) } else { 0.0 }),
            million.api_requests / 1e6,
        ),
        Line::new("log, GB", times * prices.assumed.log_bytes / GB, prices.per_unit.log_gb),
    ]
}

fn is_queued(work: Work) -> bool {
    match work {
        Work::Order | Work::Sweep | Work::Events => true,
        Work::Import | Work::Evaluation | Work::Hook => false,
    }
}

/// What is computed here, and what would be waited for there.
fn gb_seconds(work: Work, done: &WorkDone, prices: &Prices) -> f64 {
    let assumed = &prices.assumed;
    let requests = count_of(done.requests) + assumed.other_requests * count_of(done.times);
    let seconds = done.took.as_secs_f64() + requests * assumed.request_ms / 1_000.0;
    seconds * f64::from(prices.memory_mb.of(work)) / 1_024.0
}

/// The part that follows from messages: orders, receipts, what patients answer.
pub(super) fn message_lines(period: &Period, prices: &Prices) -> Vec<Line> {
    let mut lines = work_lines(period, &[Work::Order, Work::Hook, Work::Events], prices);
    let wakes = count_of(period.fired.saturating_sub(regular(period)));
    let waiting = count_of(period.whatsapp + period.emails) * prices.assumed.provider_ms / 1_000.0;
    let waiting = waiting * f64::from(prices.memory_mb.step_dispatcher) / 1_024.0;
    lines.push(Line::new("GB-seconds of waiting for providers", waiting, prices.per_unit.lambda_gb_second_arm));
    lines.push(Line::new("schedules fired", wakes, prices.per_million.schedules_fired / 1e6));
    lines.push(Line::new("notifications of e-mails", count_of(period.emails), prices.per_million.notifications / 1e6));
    lines
}

/// Schedules that fire whoever is written to.
fn regular(period: &Period) -> u64 {
    [Work::Sweep, Work::Evaluation].iter().filter_map(|work| period.work.get(work)).map(|done| done.times).sum()
}

/// The part that comes every day, whoever is written to: export, evaluation, sweep; and what is kept.
pub(super) fn daily_lines(month: &Month, prices: &Prices) -> Vec<Line> {
    let mut lines = work_lines(&month.month, &[Work::Import, Work::Evaluation, Work::Sweep], prices);
    let units = &prices.per_unit;
    let table_gb = count_of(month.table_bytes) / GB;
    let exports_gb = count_of(month.export_bytes) * count_of(DAYS) / GB;
    lines.push(Line::new("schedules fired", count_of(regular(&month.month)), prices.per_million.schedules_fired / 1e6));
    lines.push(Line::new(
        "table: GB kept, with its backup",
        table_gb,
        units.table_gb_month + units.table_backup_gb_month,
    ));
    lines.push(Line::new("exports: GB kept for a month", exports_gb, units.bucket_gb_month));
    lines.push(Line::new("exports: files put", count_of(DAYS), units.bucket_put));
    lines
}

/// What a stack costs with nobody using it: keys, alarms, queues that are asked, one clinic's sweep, and
/// the hourly seal.
pub(super) fn idle_lines(stack: &Stack, prices: &Prices, sweep: &WorkDone) -> Vec<Line> {
    let (million, units, assumed) = (&prices.per_million, &prices.per_unit, &prices.assumed);
    let sweeps = MINUTES / 15.0;
    let per_sweep = |of: f64| if sweep.times == 0 { 0.0 } else { of / count_of(sweep.times) };
    let seals = MINUTES / 60.0;
    let one = |seconds: f64, memory: u32| seconds * f64::from(memory) / 1_024.0;
    let sweep_seconds = gb_seconds(Work::Sweep, sweep, prices);
    let seal_seconds = one(20.0 * assumed.request_ms / 1_000.0, prices.memory_mb.ledger_sealer);
    vec![
        Line::new("keys", f64::from(stack.keys), units.key_month),
        Line::new("alarms", f64::from(stack.alarms), units.alarm_month),
        Line::new("secrets (SSM SecureString, standard)", 0.0, 0.0),
        Line::new(
            "empty queues asked",
            f64::from(stack.polled_queues) * assumed.polls_a_minute * MINUTES,
            million.queue_requests / 1e6,
        ),
        Line::new("one clinic's sweep: schedules", sweeps, million.schedules_fired / 1e6),
        Line::new("one clinic's sweep: queue requests", 3.0 * sweeps, million.queue_requests / 1e6),
        Line::new(
            "one clinic's sweep: table read units",
            sweeps * per_sweep(sweep.units.read),
            million.table_read_units / 1e6,
        ),
        Line::new("hourly seal: schedules", seals, million.schedules_fired / 1e6),
        Line::new("hourly seal: requests to the key", seals + count_of(DAYS), units.signature),
        Line::new("hourly seal: table read units", seals * assumed.seal_read_units, million.table_read_units / 1e6),
        Line::new("hourly seal: digests put, one a day", count_of(DAYS), units.bucket_put),
        // A listing costs what a put does.
        Line::new("hourly seal: the bucket listed", seals, units.bucket_put),
        Line::new("accounts for staff, nobody signed in", 0.0, units.account_month),
        Line::new("sweep and seal: invocations", sweeps + seals, million.lambda_requests / 1e6),
        Line::new(
            "sweep and seal: GB-seconds",
            sweeps * per_sweep(sweep_seconds) + seals * seal_seconds,
            units.lambda_gb_second_arm,
        ),
        Line::new("sweep and seal: log, GB", (sweeps + seals) * assumed.log_bytes / GB, units.log_gb),
    ]
}

/// US dollars for a thousand messages, e-mails and calls, with their receipts and answers and with the
/// beginning and the end of their sequences.
#[must_use]
pub fn per_thousand(month: &Month, prices: &Prices) -> f64 {
    total(&message_lines(&month.whole, prices)) * 1_000.0 / count_of(month.whole.messages()).max(1.0)
}

/// The page.
#[must_use]
pub fn page(months: &[Month], prices: &Prices, stack: &Stack) -> String {
    let mut page = String::from(include_str!("head.md"));
    let sweep = months.first().and_then(|month| month.month.work.get(&Work::Sweep)).copied().unwrap_or_default();
    let idle = idle_lines(stack, prices, &sweep);
    // Writing to a String cannot fail.
    let _ = writeln!(page, "List prices of us-east-1 as of {}, arm64, without free tier.\n", prices.read);
    let _ = writeln!(
        page,
        "| clinic | messages a month | per 1,000 messages | a month, without idle | of it, messages | of it, every day |\n|---|---|---|---|---|---|"
    );
    for month in months {
        let (messages, daily) = (total(&message_lines(&month.month, prices)), total(&daily_lines(month, prices)));
        let _ = writeln!(
            page,
            "| {} patients | {} WhatsApp, {} e-mails, {} calls, {} answers | **${:.4}** | ${:.2} | ${:.3} | ${:.3} |",
            month.patients,
            month.month.whatsapp,
            month.month.emails,
            month.month.calls,
            month.month.replies,
            per_thousand(month, prices),
            messages + daily,
            messages,
            daily
        );
    }
    let _ =
        writeln!(page, "\nA whole stack that nobody uses: **${:.2} a month**, once for all its clinics.", total(&idle));
    table(&mut page, "Idle, a month", &idle);
    for month in months {
        let whole =
            format!("{} patients: {} messages in {} days", month.patients, month.whole.messages(), DAYS + SETTLING);
        table(&mut page, &whole, &message_lines(&month.whole, prices));
        table(
            &mut page,
            &format!("{} patients: every day's work, a month", month.patients),
            &daily_lines(month, prices),
        );
        counted(&mut page, month);
        let first = month.first_import;
        let million = &prices.per_million;
        let once = (first.write * million.table_write_units + first.read * million.table_read_units) / 1e6;
        let _ = writeln!(
            page,
            "\nThe first import, once: {:.0} write and {:.0} read units, ${once:.3}.",
            first.write, first.read
        );
    }
    page
}

fn counted(page: &mut String, month: &Month) {
    let _ = writeln!(
        page,
        "\n| counted for each | times | write units | read units | requests to the table | ms computing |\n|---|---|---|---|---|---|"
    );
    for (work, done) in &month.whole.work {
        let each = |of: f64| of / count_of(done.times.max(1));
        let _ = writeln!(
            page,
            "| {} | {} | {:.2} | {:.2} | {:.2} | {:.2} |",
            name(*work),
            done.times,
            each(done.units.write),
            each(done.units.read),
            each(count_of(done.requests)),
            each(done.took.as_secs_f64() * 1_000.0)
        );
    }
}

fn name(work: Work) -> &'static str {
    match work {
        Work::Import => "`export-importer`: an export, or its slots",
        Work::Evaluation => "`segment-evaluator`: a morning",
        Work::Order => "`step-dispatcher`: an order",
        Work::Sweep => "`step-dispatcher`: a sweep",
        Work::Hook => "`inbound-webhook`: a request",
        Work::Events => "`inbound-webhook`: what is queued",
    }
}

fn table(page: &mut String, title: &str, lines: &[Line]) {
    let _ = writeln!(page, "\n## {title}\n\n| for | quantity | each, US$ | US$ |\n|---|---|---|---|");
    for line in lines {
        let quantity =
            if line.quantity >= 100.0 { format!("{:.0}", line.quantity) } else { format!("{:.3}", line.quantity) };
        let _ = writeln!(page, "| {} | {quantity} | {} | {:.4} |", line.what, price(line.price), line.cost());
    }
    let _ = writeln!(page, "| **total** | | | **{:.4}** |", total(lines));
}

/// With as many digits as a price has.
fn price(each: f64) -> String {
    let digits = format!("{each:.10}");
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// What the defaults of the template's parameters make of it, with one clinic that nobody uses.
    #[test]
    fn a_whole_stack_that_nobody_uses_costs_less_than_two_dollars_a_month() {
        let stack = Stack::of(include_str!("../../../template.yaml"));
        assert_eq!(stack, Stack { keys: 1, alarms: 4, polled_queues: 2 });
        let prices = Prices::known().unwrap();
        let units = crate::engine::RequestUnits { read: 30.0, write: 1.0 };
        let took = std::time::Duration::from_millis(50);
        let sweep = WorkDone { times: 1, units, requests: 20, took };
        let idle = idle_lines(&stack, &prices, &sweep);
        assert!(total(&idle) <= 2.0, "{:.3} {idle:#?}", total(&idle));
    }

    #[test]
    fn a_line_is_quantity_times_price_and_a_bill_their_sum() {
        let lines = [Line::new("a", 2_000_000.0, 0.2 / 1e6), Line::new("b", 3.0, 0.1)];
        assert!((total(&lines) - 0.7).abs() < 1e-9);
    }
}
