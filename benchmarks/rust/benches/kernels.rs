//! The kernels of every loss of the catalog on a block that stays in the cache: values, with gradients,
//! with second derivatives. `cargo bench --manifest-path benchmarks/rust/Cargo.toml -- huber`; with `--save-baseline before`
//! and later `--baseline before` two states of the code are compared.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lossfn::{BLOCK, CATALOG};
use lossfn_counts::{Batch, Wanted};

fn kernels(criterion: &mut Criterion) {
    for entry in CATALOG {
        let mut group = criterion.benchmark_group(entry.description.id);
        let orders =
            [("value", Wanted::Value), ("gradient", Wanted::Gradient), ("second", Wanted::Second)];
        for (name, wanted) in orders {
            let batch = Batch::new(entry, BLOCK, 10);
            group.throughput(Throughput::Elements(batch.elements() as u64));
            let mut work = batch.kernel::<f32>(entry.with_defaults(), wanted);
            group.bench_function(name, |bencher| bencher.iter(&mut work));
        }
        group.finish();
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
