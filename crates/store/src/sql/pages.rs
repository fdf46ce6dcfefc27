//! SQLite's cache of pages, and how far it really reaches.
//!
//! Where a page of an index is divided, SQLite puts the pages in order by way of a number that no page has (the one
//! that holds its locks: 262,145 for pages of 4 KiB). Its cache takes that for the greatest number it holds and, at the
//! end of each such transaction, looks at every page it has for one behind the end of the file, until the file really is
//! longer than 1 GiB. With 64 MiB of pages that was 1.2 ms a commit and half of what a stream of small transactions
//! cost. The cache behind this one is SQLite's own; only the greatest number is kept here, so that it is not asked to look
//! where there is nothing.
//!
//! SQLite, <https://sqlite.org/c3ref/pcache_methods2.html>; `balance_nonroot` in its `btree.c`, `pcache1Truncate` in its
//! `pcache1.c`.
#![expect(unsafe_code, reason = "SQLite takes its cache as C functions alone")]

use rusqlite::ffi;
use std::ffi::{c_int, c_uint, c_void};
use std::sync::{Once, OnceLock};

/// First byte of the file that holds its locks; the page around it is none of any table's (`PENDING_BYTE` of SQLite's file format).
const LOCKS: c_uint = 0x4000_0000;

/// SQLite's own cache.
static OWN: OnceLock<Own> = OnceLock::new();
static ONCE: Once = Once::new();

type Inner = *mut ffi::sqlite3_pcache;
type Page = *mut ffi::sqlite3_pcache_page;

/// Its functions, each of them there.
struct Own {
    init: unsafe extern "C" fn(*mut c_void) -> c_int,
    shutdown: unsafe extern "C" fn(*mut c_void),
    create: unsafe extern "C" fn(c_int, c_int, c_int) -> Inner,
    cache_size: unsafe extern "C" fn(Inner, c_int),
    page_count: unsafe extern "C" fn(Inner) -> c_int,
    fetch: unsafe extern "C" fn(Inner, c_uint, c_int) -> Page,
    unpin: unsafe extern "C" fn(Inner, Page, c_int),
    rekey: unsafe extern "C" fn(Inner, Page, c_uint, c_uint),
    truncate: unsafe extern "C" fn(Inner, c_uint),
    destroy: unsafe extern "C" fn(Inner),
    shrink: unsafe extern "C" fn(Inner),
}

impl Own {
    /// None where one is missing.
    fn of(m: &ffi::sqlite3_pcache_methods2) -> Option<Self> {
        Some(Self {
            init: m.xInit?,
            shutdown: m.xShutdown?,
            create: m.xCreate?,
            cache_size: m.xCachesize?,
            page_count: m.xPagecount?,
            fetch: m.xFetch?,
            unpin: m.xUnpin?,
            rekey: m.xRekey?,
            truncate: m.xTruncate?,
            destroy: m.xDestroy?,
            shrink: m.xShrink?,
        })
    }
}

/// What SQLite holds for one cache. It is used by one thread at a time, as all of its connection is.
struct Cache {
    own: &'static Own,
    inner: Inner,
    /// Number of the page that holds the locks.
    locks: c_uint,
    reach: Reach,
}

/// The greatest number of a page that can be in a cache.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reach(c_uint);

impl Reach {
    fn holds(&mut self, number: c_uint) {
        self.0 = self.0.max(number);
    }

    /// Whether there can be pages from `limit` on; from now on there are none.
    fn ends_before(&mut self, limit: c_uint) -> bool {
        let there = limit <= self.0;
        if there {
            self.0 = limit.saturating_sub(1);
        }
        there
    }
}

/// Makes SQLite ask for its pages here. Once for the process and before its first connection: afterwards SQLite refuses
/// it, and works as it always does.
pub(crate) fn know_their_reach() {
    ONCE.call_once(|| {
        // SAFETY: SQLite fills in a value of the type it names for this option, and nothing else.
        let own = unsafe {
            let mut own = std::mem::zeroed::<ffi::sqlite3_pcache_methods2>();
            let got = ffi::sqlite3_config(ffi::SQLITE_CONFIG_GETPCACHE2, &raw mut own);
            (got == ffi::SQLITE_OK).then_some(own)
        };
        let Some(own) = own.as_ref().and_then(Own::of) else {
            return;
        };
        OWN.get_or_init(|| own);
        let ours = methods();
        // SAFETY: SQLite copies the value; its functions are of this program and keep to the contract of their type.
        let taken = unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_PCACHE2, &raw const ours) };
        if taken != ffi::SQLITE_OK {
            tracing::debug!(code = taken, "SQLite keeps its own reach of pages");
        }
    });
}

fn methods() -> ffi::sqlite3_pcache_methods2 {
    ffi::sqlite3_pcache_methods2 {
        iVersion: 1,
        pArg: std::ptr::null_mut(),
        xInit: Some(init),
        xShutdown: Some(shutdown),
        xCreate: Some(create),
        xCachesize: Some(cache_size),
        xPagecount: Some(page_count),
        xFetch: Some(fetch),
        xUnpin: Some(unpin),
        xRekey: Some(rekey),
        xTruncate: Some(truncate),
        xDestroy: Some(destroy),
        xShrink: Some(shrink),
    }
}

/// # Safety
/// `cache` comes from [`create`], has not been destroyed, and nobody else uses it now.
unsafe fn known<'a>(cache: Inner) -> &'a mut Cache {
    // SAFETY: as above: it is what `create` made of a box.
    unsafe { &mut *cache.cast::<Cache>() }
}

unsafe extern "C" fn init(arg: *mut c_void) -> c_int {
    match OWN.get() {
        // SAFETY: SQLite's own function with SQLite's own argument, and so in all that follow.
        Some(own) => unsafe { (own.init)(arg) },
        None => ffi::SQLITE_ERROR,
    }
}

unsafe extern "C" fn shutdown(arg: *mut c_void) {
    if let Some(own) = OWN.get() {
        // SAFETY: see `init`.
        unsafe { (own.shutdown)(arg) }
    }
}

unsafe extern "C" fn create(page: c_int, extra: c_int, purgeable: c_int) -> Inner {
    let Some(own) = OWN.get() else {
        return std::ptr::null_mut();
    };
    // SAFETY: see `init`.
    let inner = unsafe { (own.create)(page, extra, purgeable) };
    if inner.is_null() {
        return inner;
    }
    let locks = c_uint::try_from(page).map_or(0, |page| LOCKS / page.max(1) + 1);
    let reach = Reach::default();
    Box::into_raw(Box::new(Cache {
        own,
        inner,
        locks,
        reach,
    }))
    .cast()
}

unsafe extern "C" fn cache_size(cache: Inner, pages: c_int) {
    // SAFETY: SQLite gives what `create` gave it, and so in all that follow.
    let cache = unsafe { known(cache) };
    // SAFETY: see `init`.
    unsafe { (cache.own.cache_size)(cache.inner, pages) }
}

unsafe extern "C" fn page_count(cache: Inner) -> c_int {
    // SAFETY: see `cache_size`.
    let cache = unsafe { known(cache) };
    // SAFETY: see `init`.
    unsafe { (cache.own.page_count)(cache.inner) }
}

unsafe extern "C" fn fetch(cache: Inner, number: c_uint, make: c_int) -> Page {
    // SAFETY: see `cache_size`.
    let cache = unsafe { known(cache) };
    // SAFETY: see `init`.
    let page = unsafe { (cache.own.fetch)(cache.inner, number, make) };
    if !page.is_null() {
        cache.reach.holds(number);
    }
    page
}

unsafe extern "C" fn unpin(cache: Inner, page: Page, discard: c_int) {
    // SAFETY: see `cache_size`.
    let cache = unsafe { known(cache) };
    // SAFETY: see `init`.
    unsafe { (cache.own.unpin)(cache.inner, page, discard) }
}

unsafe extern "C" fn rekey(cache: Inner, page: Page, old: c_uint, new: c_uint) {
    // SAFETY: see `cache_size`.
    let cache = unsafe { known(cache) };
    // SAFETY: see `init`.
    unsafe { (cache.own.rekey)(cache.inner, page, old, new) }
    // On its way to the number that it gets in the same breath.
    if new != cache.locks {
        cache.reach.holds(new);
    }
}

unsafe extern "C" fn truncate(cache: Inner, limit: c_uint) {
    // SAFETY: see `cache_size`.
    let cache = unsafe { known(cache) };
    if cache.reach.ends_before(limit) {
        // SAFETY: see `init`.
        unsafe { (cache.own.truncate)(cache.inner, limit) }
    }
}

unsafe extern "C" fn destroy(cache: Inner) {
    // SAFETY: see `cache_size`; SQLite names it never again, so that the box can have it back.
    let cache = unsafe { Box::from_raw(cache.cast::<Cache>()) };
    // SAFETY: see `init`.
    unsafe { (cache.own.destroy)(cache.inner) }
}

unsafe extern "C" fn shrink(cache: Inner) {
    // SAFETY: see `cache_size`.
    let cache = unsafe { known(cache) };
    // SAFETY: see `init`.
    unsafe { (cache.own.shrink)(cache.inner) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn a_reach_grows_with_what_is_held_and_ends_where_it_is_cut() {
        let mut reach = Reach::default();
        assert!(!reach.ends_before(1));
        reach.holds(7);
        reach.holds(3);
        assert!(!reach.ends_before(8));
        assert!(reach.ends_before(7));
        assert_eq!(reach, Reach(6));
    }

    /// Pages 1 to 20, of which the tenth goes by way of the page of the locks, as where a page of an index is divided.
    #[test]
    fn a_page_on_its_way_does_not_count_and_what_is_behind_the_end_goes() {
        know_their_reach();
        // SQLite begins with its first connection.
        let _begun = Connection::open_in_memory().unwrap();
        // SAFETY: one cache, made, used and destroyed here.
        unsafe {
            let cache = create(4_096, 256, 1);
            assert!(!cache.is_null());
            cache_size(cache, 100);
            for number in 1..=20 {
                assert!(!fetch(cache, number, 2).is_null());
            }
            let tenth = fetch(cache, 10, 0);
            let locks = known(cache).locks;
            assert_eq!(locks, 262_145);
            rekey(cache, tenth, 10, locks);
            rekey(cache, tenth, locks, 21);
            assert_eq!(known(cache).reach, Reach(21));
            for number in (1..=9).chain(11..=21) {
                unpin(cache, fetch(cache, number, 0), 0);
            }
            truncate(cache, 22);
            assert_eq!(page_count(cache), 20);
            truncate(cache, 16);
            assert_eq!(page_count(cache), 14, "16 to 21 are gone");
            assert!(fetch(cache, 21, 0).is_null());
            assert!(!fetch(cache, 15, 0).is_null());
            assert_eq!(known(cache).reach, Reach(15));
            destroy(cache);
        }
    }

    /// Keys without order divide pages everywhere; half of the rows go again, the file is made smaller and grows anew.
    #[test]
    fn a_file_that_grows_and_shrinks_stays_whole() {
        know_their_reach();
        let dir = tempfile::tempdir().unwrap();
        let conn = Connection::open(dir.path().join("pages.db")).unwrap();
        conn.execute_batch(
            "PRAGMA journal_mode=wal; PRAGMA auto_vacuum=incremental; VACUUM;
             CREATE TABLE t (id BLOB PRIMARY KEY, text TEXT) WITHOUT ROWID; CREATE INDEX t_text ON t (text);",
        )
        .unwrap();
        let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
             INSERT INTO t SELECT randomblob(16), hex(randomblob(100)) FROM n";
        let rows = |conn: &Connection| -> (i64, String) {
            let count = conn.query_row("SELECT count(*) FROM t", [], |r| r.get(0));
            let whole = conn.query_row("PRAGMA integrity_check", [], |r| r.get(0));
            (count.unwrap(), whole.unwrap())
        };
        for _ in 0..30 {
            conn.execute(fill, []).unwrap();
        }
        assert_eq!(rows(&conn), (6_000, "ok".into()));
        conn.execute_batch("BEGIN; DELETE FROM t; ROLLBACK")
            .unwrap();
        conn.execute_batch("DELETE FROM t WHERE unicode(hex(id)) < 56; PRAGMA incremental_vacuum;")
            .unwrap();
        let left = rows(&conn);
        assert!(left.0 < 6_000 && left.1 == "ok", "{left:?}");
        for _ in 0..30 {
            conn.execute(fill, []).unwrap();
        }
        assert_eq!(rows(&conn), (left.0 + 6_000, "ok".into()));
    }
}
