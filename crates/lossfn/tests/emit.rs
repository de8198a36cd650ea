//! Losses as code: every loss in every language keeps to what the language demands, and compiled C
//! computes what the library does.

use lossfn::number::{Node, Unary};
use lossfn::{Domain, Error, Form, InstructionSet, Language, Loss, Outputs};
use lossfn_testkit::points::settings;
use lossfn_testkit::{catalog, none_wrong};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

fn loss(name: &str) -> Loss {
    name.parse().unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn code(name: &str, language: Language) -> String {
    loss(name).emit(language).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Whether examples have a fixed number of predictions.
fn is_fixed(loss: &Loss) -> bool {
    loss.form() == Form::Pointwise || !loss.description().components.is_empty()
}

#[test]
fn languages_have_names() {
    for language in Language::ALL {
        assert_eq!(language.name().parse::<Language>(), Ok(language));
    }
    let refusal = "fortran".parse::<Language>().unwrap_err().to_string();
    assert!(refusal.contains("sql") && refusal.contains("triton"), "{refusal}");
    for language in Language::ALL {
        assert!(refusal.contains(language.name()), "{refusal}");
    }
}

#[test]
fn well_known_losses() {
    let huber = code("huber(delta=1.5)", Language::C);
    let due = "double huber(double p, double y, double delta) {\n    const double r = p - y;\n    \
               const double abs_r = fabs(r);\n    \
               return abs_r <= delta ? 0.5 * (r * r) : delta * (abs_r - 0.5 * delta);\n}\n";
    assert!(huber.contains(due), "{huber}");
    let hinge = code("hinge", Language::Numpy);
    assert!(hinge.contains("    return np.maximum(1.0 - y * p, 0.0)\n"), "{hinge}");
    let focal = code("sigmoid_focal", Language::Torch);
    assert!(focal.contains("def sigmoid_focal_gradient(p, y, alpha=0.25, gamma=2.0):"), "{focal}");
    // What is exact for small numbers stays so.
    let welsch = code("welsch", Language::Jax);
    assert!(welsch.contains("jnp.expm1("), "{welsch}");
    let sql = code("quantile(level=0.9)", Language::Sql);
    assert!(sql.contains("FROM predictions") && sql.contains("0.9"), "{sql}");
    // A loss that C has a function of the name of.
    let gamma = code("gamma", Language::C);
    assert!(gamma.contains("double gamma_loss(double p, double y)"), "{gamma}");
    assert_eq!(
        code("absolute_error", Language::Text),
        "loss = abs(p - y)\ngradient = sign(p - y)\nsecond = 0\n"
    );
    let gaussian = code("gaussian_nll", Language::Text);
    assert!(gaussian.contains("gradient by mean = (mean - y) / variance\n"), "{gaussian}");
    let latex = code("hinge", Language::Latex);
    assert!(
        latex.starts_with("L = \\max(0, 1 - y p)\n\\frac{\\partial L}{\\partial p} = "),
        "{latex}"
    );
}

#[test]
fn what_cannot_be_written_says_why() {
    for (name, language, due) in [
        ("softmax_cross_entropy", Language::Sql, "a row of classes"),
        ("multi_quantile", Language::C, "any number of predictions"),
        ("von_mises_nll", Language::Sql, "ln_bessel_i0 is not there; numpy, torch, jax have it"),
    ] {
        let error = loss(name).emit(language).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::CannotEmit { .. }), "{text}");
        assert!(text.starts_with(name) && text.contains(due), "{text}");
        for language in [Language::Text, Language::Latex] {
            assert!(!code(name, language).is_empty());
        }
    }
}

/// Every loss of the catalog with any parameters, as code, without comments.
fn for_each(language: Language, mut each: impl FnMut(&Loss, &str)) {
    let comment = match language {
        Language::Sql => "--",
        Language::C | Language::Cuda | Language::Wgsl => "//",
        _ => "#",
    };
    let mut seen = HashSet::new();
    for loss in catalog().flat_map(settings).filter(is_fixed) {
        let code = match loss.emit(language) {
            Ok(code) => code,
            Err(error) => {
                assert_eq!(loss.id(), "von_mises_nll", "{error}");
                continue;
            }
        };
        let lines = code.lines().filter(|line| !line.starts_with(comment));
        let code = lines.fold(String::new(), |code, line| code + line + "\n");
        if seen.insert(code.clone()) {
            each(&loss, &code);
        }
    }
    assert!(!seen.is_empty());
}

#[test]
fn brackets_are_closed_in_their_order() {
    for language in Language::ALL {
        for_each(language, |loss, code| {
            let mut open = Vec::new();
            // LaTeX has brackets of its own, as \left and \right.
            for c in code.chars().filter(|c| language != Language::Latex || "{}".contains(*c)) {
                match c {
                    '(' | '[' | '{' => open.push(c),
                    ')' => assert_eq!(open.pop(), Some('('), "{loss}: {code}"),
                    ']' => assert_eq!(open.pop(), Some('['), "{loss}: {code}"),
                    '}' => assert_eq!(open.pop(), Some('{'), "{loss}: {code}"),
                    _ => {}
                }
            }
            assert!(open.is_empty(), "{loss}: {code}");
            // Marks of patterns that were not filled.
            for never in ["{n}", "{t}", "{q}", "{a}", "--"] {
                let is_latex = language == Language::Latex;
                assert!(is_latex || !code.contains(never), "{loss}: {never} in {code}");
            }
            assert!(!names(code).contains(&"inf"), "{loss}: {code}");
        });
    }
}

/// The names in a text that are no attributes, numbers or words in quotes.
fn names(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '"') {
        let before = rest[..start].chars().next_back();
        rest = &rest[start..];
        if let Some(quoted) = rest.strip_prefix('"') {
            rest = &quoted[quoted.find('"').map_or(quoted.len(), |end| end + 1)..];
            continue;
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let is_number = rest.starts_with(|c: char| c.is_ascii_digit());
        let end = rest.find(|c| !(is_part(c) || is_number && c == '.')).unwrap_or(rest.len());
        if !is_number && before != Some('.') {
            names.push(&rest[..end]);
        }
        rest = &rest[end..];
    }
    names
}

/// In Python a name that is not there is found only when its line runs.
#[test]
fn names_in_python_are_defined_before_they_are_used() {
    for language in [Language::Numpy, Language::Torch, Language::Jax, Language::Triton] {
        for_each(language, |loss, code| {
            let mut global: HashSet<&str> = ["float"].into();
            let mut local: HashSet<&str> = HashSet::new();
            for line in code.lines() {
                let words = names(line);
                if line.contains("import ") {
                    global.extend(words.last());
                } else if let Some(signature) = line.strip_prefix("def ") {
                    let (name, arguments) = signature.split_once('(').expect("arguments");
                    global.insert(name);
                    let arguments = arguments.split(", ");
                    local = arguments
                        .filter_map(|argument| names(argument).into_iter().next())
                        .collect();
                } else {
                    let (defined, used) = match line.trim_start().split_once(" = ") {
                        Some((defined, used)) => (Some(defined), used),
                        None => (None, line),
                    };
                    let call =
                        ["return", "dtype", "device", "mask", "propagate_nan", "min", "max", "all"];
                    for name in names(used).into_iter().filter(|name| !call.contains(name)) {
                        let is_known = local.contains(name) || global.contains(name);
                        assert!(is_known, "{loss} in {language}: {name} in {line}\n{code}");
                    }
                    if let Some(name) = defined {
                        let is_new = local.insert(name) || line.contains("as_tensor");
                        assert!(is_new, "{loss} in {language}: {name} twice\n{code}");
                    }
                }
            }
        });
    }
}

#[test]
fn wgsl_is_valid() {
    use naga::valid::{Capabilities, ValidationFlags, Validator};
    for_each(Language::Wgsl, |loss, code| {
        let module = naga::front::wgsl::parse_str(code)
            .unwrap_or_else(|error| panic!("{loss}: {}\n{code}", error.emit_to_string(code)));
        let mut validator = Validator::new(ValidationFlags::all(), Capabilities::default());
        validator.validate(&module).unwrap_or_else(|error| panic!("{loss}: {error:?}\n{code}"));
    });
}

/// Numbers of a domain: ends, kinks of most losses, small and large ones.
fn inside(domain: Domain) -> Vec<f64> {
    let unit = [0.0, 1e-8, 1e-3, 0.25, 0.5, 0.75, 1.0 - 1e-8, 1.0];
    let positive = [1e-8, 1e-3, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 7.5, 20.0, 40.0, 300.0, 1e4];
    let all: Vec<f64> = match domain {
        Domain::Unit | Domain::OpenUnit => unit.to_vec(),
        _ => positive.iter().flat_map(|&x| [-x, x]).chain([0.0]).collect(),
    };
    all.into_iter()
        .filter(|&x| domain.contains(x))
        .filter(|&x| x <= 0.0 || domain != Domain::LogProbability)
        .collect()
}

/// Rows of predictions and a target.
fn rows(loss: &Loss) -> Vec<Vec<f64>> {
    let description = loss.description();
    let count = description.components.len().max(1);
    let mut rows: Vec<Vec<f64>> = vec![Vec::new()];
    let domains = (0..count).map(|place| description.prediction_domain(place));
    for domain in domains.chain([description.target]) {
        let longer = |row: &Vec<f64>| {
            inside(domain)
                .into_iter()
                .map(move |x| [row.as_slice(), &[x]].concat())
                .collect::<Vec<_>>()
        };
        rows = rows.iter().flat_map(longer).collect();
    }
    // In the formula as it is written exponentials of more are infinite.
    let has_exponentials =
        loss.formula().nodes.iter().any(|n| matches!(n, Node::Unary(Unary::Exp, _)));
    rows.retain(|row| !has_exponentials || row.iter().all(|x| x.abs() <= 200.0));
    let usual = rows[rows.len() / 2].clone();
    // Not too many, but of all kinds.
    let step = rows.len().div_ceil(400) | 1;
    let mut rows: Vec<_> = rows.into_iter().step_by(step).collect();
    for place in 0..usual.len() {
        let mut row = usual.clone();
        row[place] = f64::NAN;
        rows.push(row);
    }
    rows
}

/// Loss, gradients and second derivatives by the library.
fn expected(loss: &Loss, row: &[f64]) -> Vec<f64> {
    let (target, prediction) = row.split_last().expect("a target");
    let zero = vec![0.0; prediction.len()];
    let (mut value, mut gradient, mut second) = ([0.0], zero.clone(), zero);
    let to = Outputs::new(&mut value, &mut gradient, &mut second);
    let set = InstructionSet::Portable;
    match (loss.pointwise_kernels(), loss.joint_kernels()) {
        (Some(kernels), _) => kernels.run_f64(set, prediction, &[*target], to),
        (_, Some(kernels)) => kernels.run_f64(set, prediction, &[*target], to),
        _ => panic!("{loss} has a fixed number of predictions"),
    }
    [&value[..], &gradient, &second].concat()
}

/// A loss among others in one program.
struct Compiled {
    loss: Loss,
    rows: Vec<Vec<f64>>,
    /// Its own file, in which the functions have the number of the loss behind their names.
    code: String,
    declarations: String,
    /// What reads each row and writes its results.
    call: String,
}

fn compiled(loss: Loss, number: usize) -> Option<Compiled> {
    let code = loss.emit(Language::C).ok()?;
    let names = loss.description().parameters.iter().map(|parameter| parameter.name);
    let values: Vec<_> = names.zip(loss.parameters()).collect();
    let (mut renamed, mut declarations, mut results) = (String::new(), String::new(), vec![]);
    let functions = code.lines().filter_map(|line| line.strip_prefix("double "));
    for (name, arguments) in functions.filter_map(|line| line.split_once('(')) {
        let arguments = arguments.trim_end_matches(") {");
        let _ = writeln!(renamed, "#define {name} {name}_{number}");
        let _ = writeln!(declarations, "double {name}_{number}({arguments});");
        let mut row = 0..loss.description().components.len().max(1) + 1;
        let given = arguments.split(", ").map(|argument| {
            if let Some(place) = row.next() {
                return format!("row[{place}]");
            }
            let name = argument.trim_start_matches("double ").trim_end_matches('_');
            let (_, value) = values.iter().find(|(known, _)| *known == name).expect("a parameter");
            if value.is_finite() { format!("{value:?}") } else { "INFINITY".into() }
        });
        results.push(format!("{name}_{number}({})", given.collect::<Vec<_>>().join(", ")));
    }
    let rows = rows(&loss);
    let call = format!(
        "for (int i = 0; i < {}; i++) {{ double row[{width}]; \
         if (fread(row, 8, {width}, stdin) != {width}) return 1; \
         double out[] = {{{}}}; fwrite(out, 8, sizeof out / 8, stdout); }}\n",
        rows.len(),
        results.join(", "),
        width = rows[0].len(),
    );
    let code = code.replace("#include <math.h>", &format!("#include <math.h>\n{renamed}"));
    Some(Compiled { loss, rows, code, declarations, call })
}

/// The results of all losses for all their rows, one after another.
fn run(losses: &[Compiled]) -> Vec<f64> {
    let folder = std::env::temp_dir().join(format!("lossfn-emit-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let text = |of: fn(&Compiled) -> &String| losses.iter().map(|l| of(l).as_str()).collect();
    let (declarations, calls): (String, String) = (text(|l| &l.declarations), text(|l| &l.call));
    let head = "#include <math.h>\n#include <stdio.h>\n";
    let main = format!("{head}{declarations}int main(void) {{\n{calls}return 0;\n}}\n");
    let mut files = vec![folder.join("main.c")];
    std::fs::write(&files[0], main).expect("written");
    for (number, loss) in losses.iter().enumerate() {
        let path = folder.join(format!("{number}.c"));
        std::fs::write(&path, &loss.code).expect("written");
        files.push(path);
    }
    let program = folder.join("program");
    let compiled = Command::new("cc")
        .args(["-std=c99", "-O0", "-Wall", "-Werror", "-o"])
        .arg(&program)
        .args(&files)
        .arg("-lm")
        .output()
        .expect("a C compiler");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let input = losses.iter().flat_map(|loss| loss.rows.iter().flatten());
    let input: Vec<u8> = input.flat_map(|x| x.to_ne_bytes()).collect();
    let mut child = Command::new(&program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("its input");
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("its output").stdout;
    writer.join().expect("no panic").expect("written");
    std::fs::remove_dir_all(&folder).expect("removed");
    let bytes = output.chunks_exact(8).map(|bytes| bytes.try_into().expect("8 bytes"));
    bytes.map(f64::from_ne_bytes).collect()
}

#[test]
fn compiled_c_computes_what_the_library_does() {
    let losses = catalog().flat_map(settings).filter(is_fixed);
    // Powers of larger parameters are infinite in the formula.
    let losses = losses.filter(|loss| loss.parameters().iter().all(|x| x.abs() <= 100.0));
    let losses = losses.enumerate().filter_map(|(number, loss)| compiled(loss, number));
    let losses: Vec<Compiled> = losses.collect();
    let mut found = run(&losses).into_iter();
    let mut wrong = Vec::new();
    for (loss, row) in losses.iter().flat_map(|l| l.rows.iter().map(|row| (&l.loss, row))) {
        // Where terms as large as the numbers that go in cancel, their rounding is left; so is where
        // scales divide.
        let sizes = row.iter().enumerate().map(|(place, x)| {
            let component = loss.description().components.get(place);
            let is_scale = component.is_some_and(|c| c.domain == Domain::Positive);
            if is_scale { x.abs().max(1.0 / x.abs()) } else { x.abs() }
        });
        let size = sizes.fold(1.0, f64::max);
        // Its second derivative has powers of a difference that nearly vanishes.
        let relative = if loss.id() == "quality_focal" { 1e-8 } else { 1e-10 };
        for (place, due) in expected(loss, row).into_iter().enumerate() {
            let found = found.next().expect("a result for each");
            let near = (found - due).abs() <= relative * due.abs() + 1e-14 * size;
            // There the library has no slope, and the formula half of that on one side.
            let is_corner =
                loss.id() == "symmetric_absolute_percentage_error" && place > 0 && row[0] == 0.0;
            if !(is_corner || near || found == due || found.is_nan() && due.is_nan()) {
                wrong.push(format!("{loss}, result {place} at {row:?}: {found:?}, not {due:?}"));
            }
        }
    }
    assert!(found.next().is_none() && !losses.is_empty());
    none_wrong(&wrong);
}
