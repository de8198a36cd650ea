//! `lossfn explore`: who is answered, within which limits, and with what.

use crate::common::{Folder, Random, number, project};
use assert_cmd::cargo::cargo_bin;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server, with a folder of its own for what is temporary.
struct Server {
    child: Child,
    host: String,
    temporary: Folder,
}

/// What it answers.
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    #[track_caller]
    fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The reason of a refusal.
    #[track_caller]
    fn error(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        let body: Value = serde_json::from_str(&self.body).expect("JSON");
        body["error"].as_str().expect("a reason").to_owned()
    }
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let temporary = Folder::new();
        let mut child = Command::new(cargo_bin("lossfn"))
            .args(["explore", "--no-browser"])
            .args(arguments)
            .env("TMPDIR", temporary.path(""))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let mut line = String::new();
        let out = child.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let host = line.trim().strip_prefix("http://").expect("an address").trim_end_matches('/');
        Self { host: host.to_owned(), child, temporary }
    }

    /// Sends bytes, and gives what comes back until the server closes; with `hang_up` nothing more is to
    /// come, which ends what waits for the rest of a request.
    fn send(&self, request: &[u8], hang_up: bool) -> String {
        let mut stream = TcpStream::connect(&self.host).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(90))).expect("set");
        // The server may have answered and closed before it has read all.
        let _ = stream.write_all(request);
        if hang_up {
            let _ = stream.shutdown(std::net::Shutdown::Write);
        }
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        String::from_utf8_lossy(&reply).into_owned()
    }

    /// A request with headers of one's own.
    #[track_caller]
    fn request(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Reply {
        let length = body.len();
        let mut request =
            format!("{method} {path} HTTP/1.1\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n")
                .into_bytes();
        request.extend_from_slice(body);
        let reply = self.send(&request, false);
        let (head, body) = reply.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{reply:?}"));
        let status = head[9..12].parse().expect("a status");
        Reply { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    #[track_caller]
    fn get(&self, path: &str) -> Reply {
        self.request("GET", path, &format!("Host: {}\r\n", self.host), b"")
    }

    #[track_caller]
    fn ask(&self, path: &str, question: &Value) -> Reply {
        let headers = format!("Host: {}\r\nContent-Type: application/json\r\n", self.host);
        self.request("POST", path, &headers, question.to_string().as_bytes())
    }

    #[track_caller]
    fn upload(&self, name: &str, content: &[u8]) -> Reply {
        let headers = format!("Host: {}\r\nContent-Type: application/octet-stream\r\n", self.host);
        self.request("POST", &format!("/api/files?name={name}"), &headers, content)
    }

    /// The id of a file that it takes.
    #[track_caller]
    fn file(&self, name: &str, content: &[u8]) -> Value {
        self.upload(name, content).json()["file"].clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn curves(losses: &[&str]) -> Value {
    let canvas = json!({"width": 640, "height": 360, "theme": "light"});
    json!({"losses": losses, "pictures": [{"order": 0, "canvas": canvas}]})
}

#[test]
fn the_page_is_whole_and_may_load_nothing_else() {
    let server = Server::start(&[]);
    let page = server.get("/");
    assert_eq!(page.status, 200);
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        assert!(page.head.contains(&format!("{name}: {value}")), "{name}: {}", page.head);
    }
    assert!(page.head.contains("content-security-policy: default-src 'self';"), "{}", page.head);
    assert!(!page.head.contains("unsafe-inline"));
    // Every file that a file of the page names is there, and nothing is loaded from elsewhere.
    let mut wanted = vec!["/page.css".to_owned(), "/main.js".to_owned(), "/icon.svg".to_owned()];
    let mut seen = Vec::new();
    while let Some(path) = wanted.pop() {
        if seen.contains(&path) {
            continue;
        }
        let file = server.get(&path);
        assert_eq!(file.status, 200, "{path}");
        assert!(file.head.contains("x-content-type-options: nosniff"), "{path}");
        assert!(!file.body.contains("https://"), "{path}");
        for part in file.body.split("from \"./").skip(1) {
            wanted.push(format!("/{}", part.split('"').next().unwrap_or_default()));
        }
        for part in file.body.split("{ id: \"").skip(1).filter(|_| path == "/main.js") {
            wanted.push(format!("/{}.js", part.split('"').next().unwrap_or_default()));
        }
        seen.push(path);
    }
    assert!(seen.len() >= 8, "{seen:?}");
    assert!(!page.body.contains("<style") && !page.body.contains("onclick"), "{}", page.body);
    server.get("/no-such-file").error(404);
    assert_eq!(server.get("/api/curves").status, 405);
}

#[test]
fn others_are_refused() {
    let server = Server::start(&[]);
    let own = server.host.clone();
    let port = own.rsplit_once(':').expect("a port").1.to_owned();
    let body = curves(&["huber"]).to_string();
    let ask = |headers: &str| {
        let headers = format!("{headers}Content-Type: application/json\r\n");
        server.request("POST", "/api/curves", &headers, body.as_bytes())
    };
    for headers in [
        format!("Host: {own}\r\n"),
        format!("Host: localhost:{port}\r\n"),
        format!("Host: {own}\r\nOrigin: http://{own}\r\nSec-Fetch-Site: same-origin\r\n"),
        format!("Host: {own}\r\nSec-Fetch-Site: none\r\n"),
    ] {
        assert_eq!(ask(&headers).status, 200, "{headers}");
    }
    for headers in [
        // A name that somebody made point here.
        format!("Host: rebound.example.org:{port}\r\n"),
        format!(
            "Host: rebound.example.org:{port}\r\nOrigin: http://rebound.example.org:{port}\r\n"
        ),
        format!("Host: 192.168.0.1:{port}\r\n"),
        "Host: \r\n".to_owned(),
        // Another site's page.
        format!("Host: {own}\r\nOrigin: https://example.org\r\n"),
        format!("Host: {own}\r\nOrigin: null\r\n"),
        format!("Host: {own}\r\nOrigin: http://127.0.0.1:1\r\n"),
        format!("Host: {own}\r\nOrigin: https://{own}\r\n"),
        format!("Host: {own}\r\nSec-Fetch-Site: cross-site\r\n"),
        format!("Host: {own}\r\nSec-Fetch-Site: same-site\r\n"),
    ] {
        ask(&headers).error(403);
        assert_eq!(server.request("GET", "/", &headers, b"").status, 403, "{headers}");
    }
    // What a form can send is no question.
    let form = format!("Host: {own}\r\nContent-Type: text/plain\r\n");
    server.request("POST", "/api/curves", &form, body.as_bytes()).error(415);
    server.request("POST", "/api/files?name=a.csv", &form, b"y,p\n1,2\n").error(415);
}

#[test]
fn questions_have_limits() {
    let server = Server::start(&["--max-upload", "4K"]);
    let error = |path: &str, question: Value, status: u16, expected: &str| {
        let error = server.ask(path, &question).error(status);
        assert!(error.contains(expected), "{error}");
    };
    let long = "huber".repeat(1000);
    error("/api/about", json!({"loss": long}), 422, "more than 2000 characters");
    error("/api/about", json!({"loss": "hubr"}), 422, "huber");
    error("/api/about", json!({"loss": "huber(delta=-1)"}), 422, "delta");
    error("/api/code", json!({"loss": "huber", "language": "cobol"}), 422, "cobol");
    error("/api/curves", curves(&["huber"; 8]), 422, "no more than 7");
    let mut large = curves(&["huber"]);
    large["pictures"][0]["canvas"]["width"] = json!(100_000);
    error("/api/curves", large, 422, "too large");
    let mut small = curves(&["huber"]);
    small["pictures"][0]["canvas"]["width"] = json!(1);
    assert_eq!(server.ask("/api/curves", &small).status, 422);
    let mut narrow = curves(&["huber"]);
    narrow["range"] = json!([1.0, 1.0]);
    let answer = server.ask("/api/curves", &narrow).json();
    assert!(answer["errors"][0].is_string(), "{answer}");
    error("/api/curves", json!({"losses": 1}), 422, "losses");
    server.ask("/api/curves", &json!({"losses": ["x".repeat(300_000)]})).error(413);
    // A loss that is wrong is named beside the others, which are drawn.
    let answer =
        server.ask("/api/curves", &curves(&["hubr", "huber", "softmax_cross_entropyy"])).json();
    assert!(answer["errors"][0].as_str().is_some_and(|error| error.contains("huber")));
    assert!(answer["errors"][1].is_null() && answer["errors"][2].is_string());
    assert_eq!(answer["losses"], json!(["huber(delta=1.0)"]));
    assert!(answer["pictures"][0]["svg"].as_str().is_some_and(|svg| svg.starts_with("<svg")));

    // Files: said before, or found while it comes.
    let table = "y,p\n".to_owned() + &"1,2\n".repeat(1500);
    let error = server.upload("a.csv", table.as_bytes()).error(413);
    assert!(error.contains("--max-upload"), "{error}");
    let host = &server.host;
    let chunks = format!(
        "POST /api/files?name=a.csv HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/octet-stream\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{:x}\r\n{table}\r\n0\r\n\r\n",
        table.len()
    );
    assert!(server.send(chunks.as_bytes(), false).starts_with("HTTP/1.1 413"));
    // Old ones make room for new ones, and nothing stays of what was refused.
    let first = server.file("a.csv", &table.as_bytes()[..2404]);
    let columns = |file: &Value| server.ask("/api/columns", &json!({"files": [file]}));
    assert_eq!(columns(&first).json()["target"], "y");
    let second = server.file("b.csv", &table.as_bytes()[..2404]);
    assert_eq!(columns(&second).json()["prediction"], "p");
    assert!(columns(&first).error(422).contains("choose it again"));
    let kept = |folder: &Folder| -> usize {
        let inside = fs::read_dir(folder.path("")).expect("a folder").flatten();
        inside.map(|entry| fs::read_dir(entry.path()).expect("a folder").count()).sum()
    };
    assert_eq!(kept(&server.temporary), 1);
}

#[test]
fn costs_are_those_of_eval() {
    let server = Server::start(&[]);
    let folder = Folder::new();
    for (file, target, prediction, losses, by) in [
        (
            "diabetes.csv",
            "y",
            "ridge",
            &["huber(delta=auto)", "quantile(level=0.9)"][..],
            Some("sex"),
        ),
        ("diabetes.parquet", "y", "boosting", &[][..], None),
        ("breast_cancer.csv", "y", "probability", &[], Some("size")),
        ("digits.parquet", "y", "score_*", &["softmax_cross_entropy"], None),
        ("digits.npz", "y", "scores", &[], None),
    ] {
        let path = project("examples/data").join(file);
        let id = server.file(file, &fs::read(&path).expect("a file"));
        let columns = server.ask("/api/columns", &json!({"files": [id]})).json();
        let prediction = if file.ends_with("npz") {
            assert_eq!(columns["target"], "y");
            columns["prediction"].as_str().expect("a guess").to_owned()
        } else {
            prediction.to_owned()
        };
        let question = json!({
            "files": [id], "target": target, "prediction": prediction, "losses": losses,
            "by": by.iter().collect::<Vec<_>>(), "worst": 3,
        });
        let answer = server.ask("/api/costs", &question).json();
        let mut flags: Vec<String> = losses.iter().map(|loss| format!("--loss '{loss}'")).collect();
        flags.extend(by.map(|by| format!("--by {by}")));
        let line = format!(
            "eval {} --target {target} --prediction '{prediction}' --worst 3 --format json {}",
            path.display(),
            flags.join(" ")
        );
        let expected = folder.run(&line).json();
        for part in ["costs", "rows", "skipped", "by", "chosen"] {
            assert_eq!(answer[part], expected[part], "{file} {part}");
        }
        for (loss, rows) in expected["worst"].as_object().expect("rows") {
            for (found, row) in
                answer["worst"][loss].as_array().expect("rows").iter().zip(rows.as_array().unwrap())
            {
                // The folder of the file is nobody's business.
                assert_eq!(found["file"], file);
                assert_eq!((&found["row"], &found["loss"]), (&row["row"], &row["loss"]));
            }
        }
        assert_eq!(answer["picked"].is_null(), !losses.is_empty(), "{file}");
        let canvas = json!({"width": 500, "height": 300, "theme": "dark"});
        let question =
            json!({"files": [id], "target": target, "prediction": prediction, "canvas": canvas});
        let answer = server.ask("/api/advice", &question).json();
        assert!(answer["picture"]["svg"].as_str().is_some_and(|svg| svg.starts_with("<svg")));
        let line = format!(
            "advise {} --target {target} --prediction '{prediction}' --format json",
            path.display()
        );
        assert_eq!(answer["advice"]["advice"], folder.run(&line).json(), "{file}");
    }
}

#[test]
fn arrays_are_the_columns_of_one_table() {
    let server = Server::start(&[]);
    let array = |values: &[f64]| crate::common::npy(&format!("({},)", values.len()), values);
    let y = server.file("y.npy", &array(&[1.0, 2.0, 4.0]));
    let p = server.file("p.npy", &array(&[1.0, 3.0, 3.0]));
    let question =
        json!({"files": [y, p], "target": "y", "prediction": "p", "losses": ["squared_error"]});
    let answer = server.ask("/api/costs", &question).json();
    assert_eq!(number(&answer["costs"][0]["cost"]), 2.0 / 3.0);
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let server = Server::start(&[]);
    let ask = |id: &Value, target: &str| {
        let question = json!({"files": [id], "target": target, "prediction": "p", "losses": ["squared_error"]});
        server.ask("/api/costs", &question).error(422)
    };
    let table = server.file("../my%20table.csv", b"y,p\n1,2\n3,x\n");
    let error = ask(&table, "y");
    assert!(error.starts_with("my table.csv: row 2, column p"), "{error}");
    let error = ask(&table, "z");
    assert!(error.starts_with("my table.csv: there is no column \"z\""), "{error}");
    let other = server.file("a.parquet", b"PAR1 but no more");
    let error = server.ask("/api/columns", &json!({"files": [other]})).error(422);
    assert!(error.starts_with("a.parquet: "), "{error}");
    let empty = server.file("a.csv", b"");
    let error = server.ask("/api/columns", &json!({"files": [empty]})).error(422);
    assert!(error.starts_with("a.csv: is empty"), "{error}");
    assert!(server.ask("/api/columns", &json!({"files": ["../.."]})).error(422).contains("again"));
    assert!(server.ask("/api/columns", &json!({"files": []})).error(422).contains("choose a file"));
    let two = json!({"files": [table, server.file("b.csv", b"y,p\n1,2\n")]});
    assert!(server.ask("/api/columns", &two).error(422).contains("several tables"));
}

#[test]
fn no_request_ends_it() {
    let server = Server::start(&["--max-upload", "64K"]);
    let mut random = Random(7);
    let paths = [
        "/",
        "/page.js",
        "/api/catalog",
        "/api/about",
        "/api/code",
        "/api/curves",
        "/api/files?name=a.csv",
        "/api/columns",
        "/api/costs",
        "/api/advice",
        "/api/regression",
        "/api/classification",
        "/%00",
        "//",
    ];
    let questions = [
        curves(&["huber", "quantile(level=0.3)"]).to_string(),
        json!({"loss": "huber(delta=2)", "language": "c"}).to_string(),
        json!({"files": ["x"], "target": "y", "prediction": "p", "losses": ["huber(delta=auto)"]})
            .to_string(),
        json!({"loss": "formula: where(abs(p - y) <= d, (p - y)^2, d); d = 1.5"}).to_string(),
    ];
    let kinds = ["application/json", "application/octet-stream", "text/plain", ""];
    let pieces: [&[u8]; 12] = [
        b"null",
        b"-1e999",
        b"1e308",
        b"[",
        b"]",
        b"{",
        b"\"",
        b"\xff",
        b"\\u0000",
        b"999999999999",
        b"(",
        b",",
    ];
    let mut answered = 0;
    for _ in 0..1000 {
        let mut body = questions[random.below(questions.len())].clone().into_bytes();
        for _ in 0..random.below(4) {
            let at = random.below(body.len());
            let end = (at + random.below(6)).min(body.len());
            body.splice(at..end, pieces[random.below(pieces.len())].iter().copied());
        }
        let method = ["GET", "POST", "PUT", "\u{7f}"][random.below(8).min(3)];
        let method = if random.below(4) > 0 { "POST" } else { method };
        let kind = if random.below(3) > 0 { kinds[0] } else { kinds[random.below(kinds.len())] };
        let mut is_damaged = random.below(10) == 0;
        let length = if is_damaged { random.below(1000) } else { body.len() };
        let mut request = format!(
            "{method} {} HTTP/1.1\r\nHost: {}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n",
            paths[random.below(paths.len())], server.host
        )
        .into_bytes();
        request.extend_from_slice(&body);
        if random.below(20) == 0 {
            let at = random.below(request.len());
            request[at] = (random.next() & 0xff) as u8;
            is_damaged = true;
        }
        let reply = server.send(&request, is_damaged);
        assert!(
            !reply.starts_with("HTTP/1.1 500"),
            "{}: {reply}",
            String::from_utf8_lossy(&request)
        );
        answered += u32::from(reply.starts_with("HTTP/1.1 "));
    }
    assert!(answered > 700, "{answered}");
    let answer = server.ask("/api/curves", &curves(&["huber"])).json();
    assert_eq!(answer["losses"], json!(["huber(delta=1.0)"]));
}

#[cfg(unix)]
#[test]
fn it_ends_when_told_to_and_leaves_nothing() {
    for signal in ["-INT", "-TERM"] {
        let mut server = Server::start(&[]);
        server.file("a.csv", b"y,p\n1,2\n");
        assert_eq!(server.temporary.names().len(), 1);
        // A connection that is left open does not keep it.
        let idle = TcpStream::connect(&server.host).expect("it listens");
        let told = Instant::now();
        let id = server.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill").success());
        let status = server.child.wait().expect("it ends");
        assert!(status.success(), "{status}");
        assert!(told.elapsed() < Duration::from_secs(10));
        drop(idle);
        assert!(server.temporary.names().is_empty(), "{:?}", server.temporary.names());
        assert!(TcpStream::connect(&server.host).is_err());
    }
}

#[test]
fn an_address_that_is_not_free_is_an_error() {
    let server = Server::start(&[]);
    let port = server.host.rsplit_once(':').expect("a port").1;
    let folder = Folder::new();
    let refusal = folder.run(&format!("explore --no-browser --port {port}")).refusal();
    assert!(refusal.contains("cannot listen at 127.0.0.1"), "{refusal}");
    let refusal = folder.run("explore --no-browser --max-upload 3X").refusal();
    assert!(refusal.contains("such as 500M"), "{refusal}");
}
