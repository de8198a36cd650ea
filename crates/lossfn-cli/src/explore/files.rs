//! What was uploaded: files in a temporary folder, together no larger than a limit.

use super::server::{Refusal, Shared};
use crate::error::CliError;
use axum::Json;
use axum::body::{Body, HttpBody};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

/// Files that are kept at most.
const FILES: usize = 64;

/// The files that are kept.
pub struct Files {
    folder: PathBuf,
    /// Bytes that all of them may have.
    limit: u64,
    state: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Bytes of all files, those included that are being written.
    bytes: u64,
    /// The oldest first.
    files: VecDeque<File>,
}

/// A file in a folder of its own, so that it keeps its name.
struct File {
    folder: TempDir,
    name: String,
    bytes: u64,
}

impl File {
    fn id(&self) -> String {
        self.folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }
}

impl Files {
    pub fn new(folder: &Path, limit: u64) -> Self {
        Self { folder: folder.to_path_buf(), limit, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The path of a file.
    pub fn path(&self, id: &str) -> Result<PathBuf, CliError> {
        let kept = self.lock();
        let file = kept.files.iter().find(|file| file.id() == id);
        file.map(File::path)
            .ok_or_else(|| CliError::message("the file is no longer here: choose it again"))
    }

    /// A message without the folders that nobody knows.
    pub fn plain(&self, message: &str) -> String {
        let folder = self.folder.display().to_string();
        let mut plain = String::new();
        let mut rest = message;
        while let Some(at) = rest.find(&folder) {
            plain += &rest[..at];
            // After it come the file's own folder and its name.
            let behind = rest[at + folder.len()..].splitn(3, ['/', '\\']).nth(2);
            rest = behind.unwrap_or_default();
        }
        plain + rest
    }

    fn too_large(&self) -> Refusal {
        let limit = self.limit as f64 / f64::from(1 << 20);
        Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "the file has more than {limit} MiB, the limit: lossfn explore --max-upload changes \
                 it, and lossfn eval reads files of any size"
            ),
        )
    }

    /// Makes room for more bytes of a file that is being written; old files go.
    fn claim(&self, file: &mut File, bytes: u64) -> Result<(), Refusal> {
        let mut kept = self.lock();
        while kept.bytes + bytes > self.limit || kept.files.len() >= FILES {
            let oldest = kept.files.pop_front().ok_or_else(|| self.too_large())?;
            kept.bytes -= oldest.bytes;
        }
        kept.bytes += bytes;
        file.bytes += bytes;
        Ok(())
    }
}

/// A file that is being written, given up when it goes out of scope.
struct Writing<'a> {
    files: &'a Files,
    file: Option<File>,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            self.files.lock().bytes -= file.bytes;
        }
    }
}

#[derive(Deserialize)]
pub struct Upload {
    name: String,
}

/// Takes a file; the answer is by which id to ask for it.
pub async fn upload(
    State(shared): State<Arc<Shared>>,
    upload: Result<Query<Upload>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
    mut body: Body,
) -> Result<Json<Value>, Refusal> {
    let Query(upload) =
        upload.map_err(|rejection| Refusal::new(rejection.status(), rejection.body_text()))?;
    // What a form of another site could not send.
    if headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != "application/octet-stream") {
        let why = "a file is sent as application/octet-stream";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    let files = &shared.files;
    if body.size_hint().lower() > files.limit {
        return Err(files.too_large());
    }
    let fail = |error: std::io::Error| {
        let why = format!("the file cannot be kept: {error}");
        Refusal::new(StatusCode::INSUFFICIENT_STORAGE, why)
    };
    let folder = tempfile::Builder::new()
        .prefix("")
        .rand_bytes(16)
        .tempdir_in(&files.folder)
        .map_err(fail)?;
    let mut file = File { folder, name: file_name(&upload.name), bytes: 0 };
    let mut to = tokio::fs::File::create_new(file.path()).await.map_err(fail)?;
    files.claim(&mut file, 0)?;
    let mut writing = Writing { files, file: Some(file) };
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let cut_off = |error: axum::Error| Refusal::new(StatusCode::BAD_REQUEST, error.to_string());
        let Ok(data) = frame.map_err(cut_off)?.into_data() else { continue };
        if let Some(file) = &mut writing.file {
            files.claim(file, data.len() as u64)?;
        }
        to.write_all(&data).await.map_err(fail)?;
    }
    to.flush().await.map_err(fail)?;
    let Some(file) = writing.file.take() else { unreachable!("it is taken here alone") };
    let answer = json!({"file": file.id(), "name": file.name, "bytes": file.bytes});
    files.lock().files.push_back(file);
    Ok(Json(answer))
}

/// A name that is one in any folder, and as much as possible the one given.
fn file_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|c| !c.is_control()).collect();
    // The end tells the format.
    let skip = name.chars().count().saturating_sub(100);
    let name: String = name.chars().skip(skip).collect();
    if name.trim_matches(['.', ' ']).is_empty() { "table".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_folder() {
        for (given, name) in [
            ("a.csv", "a.csv"),
            ("../../etc/passwd", "passwd"),
            ("C:\\x\\y.npz", "y.npz"),
            ("..", "table"),
            ("", "table"),
            ("a\0b\n.csv", "ab.csv"),
        ] {
            assert_eq!(file_name(given), name, "{given:?}");
        }
        assert_eq!(file_name(&format!("{}.parquet", "ä".repeat(300))).chars().count(), 100);
    }

    #[test]
    fn messages_name_files_alone() {
        let files = Files::new(Path::new("/tmp/.x"), 1);
        let message = "/tmp/.x/f1/a.csv: row 1 of /tmp/.x/f2/b.csv";
        assert_eq!(files.plain(message), "a.csv: row 1 of b.csv");
    }
}
