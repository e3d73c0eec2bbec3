//! Every input of the corpus through its target, on the stable compiler.

use std::path::Path;

#[test]
fn the_corpus_passes() {
    for (name, target) in waypost_fuzz::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let files: Vec<_> = std::fs::read_dir(&folder).expect("a corpus").collect();
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            let path = file.expect("a file").path();
            let data = std::fs::read(&path).expect("its bytes");
            eprintln!("{}", path.display());
            target(&data);
            // Cut at every byte as well: what is torn must not panic either.
            (0..data.len().min(2_000)).for_each(|cut| target(&data[..cut]));
        }
    }
}
