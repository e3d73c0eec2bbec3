//! The database's disk is full: a small file system of its own, where the tests may mount one.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    calls::{check_refused, make_all, workspace},
    world::World,
};

/// A file system of 24 MB in a directory, and its owner's; gone when this is dropped.
struct Small(PathBuf);

impl Small {
    /// `None` where this user may mount nothing.
    fn mount(dir: &Path) -> Option<Self> {
        let path = dir.join("small");
        fs::create_dir(&path).expect("a directory");
        let owner = fs::metadata(dir).expect("an owner");
        let options = format!("size=24m,mode=0700,uid={},gid={}", owner.uid(), owner.gid());
        let mount = ["-t", "tmpfs", "-o", &options, "tmpfs"];
        let mounted = Command::new("mount").args(mount).arg(&path).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(path))
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut file = fs::File::create(self.filler()).expect("a file");
        while file.write_all(&[1; 4096]).is_ok() {}
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily: the database has its files open.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn the_disk_is_full() {
    let mut small = None;
    let world = World::with(|cluster, admin| {
        small = Small::mount(cluster.home());
        if let Some(Small(path)) = &small {
            let make = format!("CREATE TABLESPACE small LOCATION '{}'", path.display());
            for sql in [&make, "ALTER DATABASE links SET TABLESPACE small"] {
                admin.batch_execute(sql).expect("a tablespace");
            }
        }
    });
    let Some(small) = small else {
        eprintln!("NOT TESTED: only who may mount a file system can fill one");
        return;
    };
    let workspace = workspace(&world.data);
    world.visited(1, || {
        small.fill();
        // There is room yet in pages that there are.
        make_all(&world, 10_000);
        check_refused(&world, &workspace);
    });
    fs::remove_file(small.filler()).expect("room");
    world.check_well();
}
