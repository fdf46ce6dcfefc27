//! Builds the screens and puts them where the crate embeds them from (`OUT_DIR/ui`).
//!
//! `MARCADOR_UI` chooses how: `build` (default) runs npm and vite, a path embeds a prebuilt
//! folder, `off` embeds nothing and the web routes answer 503.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Lines for the person who runs cargo; the first is the error, the rest say how to mend it.
struct Failure(Vec<String>);

impl Failure {
    fn new(line: impl Into<String>) -> Self {
        Self(vec![line.into()])
    }
}

type Outcome = Result<(), Failure>;

/// What decides whether the screens must be built again. Never the folder `ui` itself: node_modules lies in it.
const SOURCES: [&str; 10] = [
    "src",
    "messages",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    ".npmrc",
    "vite.config.ts",
    "svelte.config.js",
    "tsconfig.json",
];

fn main() -> ExitCode {
    println!("cargo::rerun-if-env-changed=MARCADOR_UI");
    println!("cargo::rerun-if-changed=build.rs");
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(lines)) => {
            for line in lines {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome {
    let out = PathBuf::from(variable("OUT_DIR")?).join("ui");
    let ui = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("ui");
    match std::env::var("MARCADOR_UI").as_deref() {
        Err(_) | Ok("" | "build") => build(&ui, &out),
        Ok("off") => {
            println!(
                "cargo::warning=MARCADOR_UI=off: no screens in this binary, web routes answer 503"
            );
            empty(&out)
        }
        Ok(dist) => prebuilt(Path::new(dist), &out),
    }
}

fn variable(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_| Failure::new(format!("cargo did not set {name}")))
}

fn empty(out: &Path) -> Outcome {
    if out.exists() {
        fs::remove_dir_all(out)
            .map_err(|e| Failure::new(format!("cannot empty the output folder: {e}")))?;
    }
    fs::create_dir_all(out).map_err(|e| Failure::new(format!("cannot make the output folder: {e}")))
}

fn prebuilt(dist: &Path, out: &Path) -> Outcome {
    if !dist.is_absolute() {
        return Err(Failure::new(format!(
            "MARCADOR_UI must be `build`, `off` or an absolute path (found: {})",
            dist.display()
        )));
    }
    println!("cargo::rerun-if-changed={}", dist.display());
    if !dist.join("index.html").is_file() {
        return Err(Failure::new(format!(
            "MARCADOR_UI={}: no index.html there",
            dist.display()
        )));
    }
    empty(out)?;
    copy(dist, out).map_err(|e| Failure::new(format!("cannot copy {}: {e}", dist.display())))
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn build(ui: &Path, out: &Path) -> Outcome {
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", ui.join(source).display());
    }
    check_node()?;
    // An editor and a terminal may build at once, and both would write node_modules.
    let lock = File::create(ui.join("node_modules.lock"))
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|e| Failure::new(format!("cannot lock the screens' folder: {e}")))?;
    install(ui)?;
    empty(out)?;
    let vite = ui.join("node_modules/vite/bin/vite.js");
    step(
        "vite build",
        ui,
        "node",
        &[
            vite.as_os_str(),
            OsStr::new("build"),
            OsStr::new("--emptyOutDir"),
            OsStr::new("--outDir"),
            out.as_os_str(),
        ],
    )?;
    drop(lock);
    if out.join("index.html").is_file() {
        Ok(())
    } else {
        Err(Failure::new(
            "vite build ended well but wrote no index.html",
        ))
    }
}

fn check_node() -> Outcome {
    let found = Command::new("node")
        .arg("--version")
        .output()
        .ok()
        .filter(|o| o.status.success());
    let version = found.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned());
    if version.as_deref().is_some_and(fit) {
        return Ok(());
    }
    let found = version.unwrap_or_else(|| "none on PATH".to_owned());
    Err(Failure(vec![
        format!("the screens need Node.js >= 20.19 to be built (found: {found})."),
        "  fix 1: install Node 20.19+ or 22.12+ (with npm) and run cargo again".into(),
        "  fix 2: MARCADOR_UI=<dist dir> cargo build   (prebuilt screens from the release page)".into(),
        "  fix 3: MARCADOR_UI=off cargo build          (API and telephony only; web routes answer 503)".into(),
    ]))
}

/// Vite's own range: ^20.19 or >= 22.12.
fn fit(version: &str) -> bool {
    let mut parts = version
        .trim_start_matches('v')
        .split('.')
        .map(|p| p.parse::<u32>().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    (major == 20 && minor >= 19) || (major == 22 && minor >= 12) || major > 22
}

/// `npm ci` only when the lock differs from the one that the present node_modules was made from.
fn install(ui: &Path) -> Outcome {
    let read = |path: &Path| fs::read_to_string(path).ok();
    let stamp = ui.join("node_modules/.marcador-stamp");
    let wanted = [".npmrc", "package.json", "package-lock.json"].iter().fold(
        String::new(),
        |mut text, name| {
            let _ = writeln!(text, "{}", read(&ui.join(name)).unwrap_or_default());
            text
        },
    );
    if read(&stamp).is_some_and(|had| had == wanted) {
        return Ok(());
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    step("npm ci", ui, npm, &[OsStr::new("ci")])?;
    fs::write(&stamp, wanted)
        .map_err(|e| Failure::new(format!("cannot write the node_modules stamp: {e}")))
}

fn step(name: &str, folder: &Path, program: &str, arguments: &[&OsStr]) -> Outcome {
    // The NODE_ENV of the caller's shell must not leave the build tools out.
    let ran = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env_remove("NODE_ENV")
        .output();
    let output = ran.map_err(|e| Failure::new(format!("cannot run {name}: {e}")))?;
    if output.status.success() {
        return Ok(());
    }
    let mut lines = vec![format!("{name} failed ({}); its output:", output.status)];
    for text in [&output.stdout, &output.stderr] {
        lines.extend(
            String::from_utf8_lossy(text)
                .lines()
                .map(|line| format!("  {line}")),
        );
    }
    Err(Failure(lines))
}
