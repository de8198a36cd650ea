//! What README.md and the tour in docs/ show of the program is what the program prints.

use assert_cmd::cargo::cargo_bin_cmd;
use std::fs;
use std::path::Path;

/// The commands of the console blocks, each with the lines below it.
fn transcripts(readme: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut in_console = false;
    for line in readme.lines() {
        match line {
            "```console" => in_console = true,
            "```" => in_console = false,
            _ if !in_console => {}
            line => {
                if let Some(command) = line.strip_prefix("$ lossfn ") {
                    found.push((command.to_owned(), String::new()));
                } else {
                    let (_, output) = found.last_mut().expect("a block begins with a command");
                    output.push_str(line);
                    output.push('\n');
                }
            }
        }
    }
    found
}

/// Words as a shell has them, with single quotes.
fn words(command: &str) -> Vec<String> {
    let pieces = command.split('\'').enumerate();
    pieces
        .flat_map(|(n, piece)| {
            let is_quoted = n % 2 == 1;
            if is_quoted { vec![piece] } else { piece.split_whitespace().collect() }
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_transcripts_are_what_the_program_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shown = ["README.md", "docs/OWN_LOSS.md"].map(|name| {
        let text = fs::read_to_string(root.join(name)).expect("a page");
        let transcripts = transcripts(&text);
        assert!(!transcripts.is_empty(), "{name} shows nothing");
        transcripts
    });
    for (command, shown) in shown.into_iter().flatten() {
        let run = cargo_bin_cmd!("lossfn").current_dir(&root).args(words(&command)).output();
        let run = run.expect("the program runs");
        let (printed, said) = (&run.stdout, String::from_utf8_lossy(&run.stderr));
        assert_eq!(shown, String::from_utf8_lossy(printed), "lossfn {command}\n{said}");
    }
}
