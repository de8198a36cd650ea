//! Losses as LaTeX: what well-known ones look like, and what all of them keep to.

use lossfn::{CATALOG, Loss};

fn loss(name: &str) -> Loss {
    name.parse().unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn well_known_losses() {
    for (name, latex) in [
        (
            "huber",
            r"\begin{cases} \tfrac{1}{2} (p - y)^2 & \text{if } \left|p - y\right| \le \delta \\ \delta (\left|p - y\right| - \tfrac{1}{2} \delta) & \text{otherwise} \end{cases}",
        ),
        (
            "binary_cross_entropy_with_logits",
            r"\mathrm{pos\_weight} \, y \operatorname{softplus}(-p) + (1 - y) \operatorname{softplus}(p)",
        ),
        ("binary_cross_entropy", r"-y \ln p - (1 - y) \ln(1 - p)"),
        ("softmax_cross_entropy", r"\sum_c y_c \left(\ln \sum_j e^{p_j} - p_c\right)"),
        ("hinge", r"\max(0, 1 - y p)"),
        ("quantile", r"\mathrm{level} \max(0, y - p) + (1 - \mathrm{level}) \max(0, p - y)"),
        (
            "gaussian_nll",
            r"\tfrac{1}{2} \left(\ln \mathrm{variance} + \frac{(\mathrm{mean} - y)^2}{\mathrm{variance}}\right)",
        ),
        (
            "pseudo_huber",
            r"\delta^2 \left(\sqrt{\left(\frac{p - y}{\delta}\right)^2 + 1} - 1\right)",
        ),
        ("log_cosh", r"\ln \cosh(p - y)"),
        ("crammer_singer_hinge", r"\sum_c y_c \max\left(0, 1 + \max_{j \ne c} (p_j) - p_c\right)"),
        (
            "sparsemax",
            r"\sum_c y_c \left(\tfrac{1}{2} - p_c + \tfrac{1}{2} \sum_{j : p_j > t} (p_j^2 - t^2)\right),\quad \text{with }t\text{ such that }\sum_j \max(0, p_j - t) = 1",
        ),
    ] {
        assert_eq!(loss(name).latex(), latex, "{name}");
    }
}

#[test]
fn derivatives() {
    let second = loss("squared_error").latex_derivatives(2);
    assert_eq!(second, [(None, "2".to_owned())]);
    let gradient = loss("gaussian_nll").latex_derivatives(1);
    let mean = r"\frac{\mathrm{mean} - y}{\mathrm{variance}}";
    assert_eq!(gradient[0], (Some("mean"), mean.to_owned()));
    assert_eq!(gradient[1].0, Some("variance"));
    let gradient = loss("multiclass_brier").latex_derivatives(1);
    assert_eq!(gradient, [(None, "2 (p_c - y_c)".to_owned())]);
    assert!(loss("multiclass_brier").latex_derivatives(2).is_empty());
    assert!(loss("huber").latex_derivatives(0).is_empty());
    assert!(loss("huber").latex_derivatives(3).is_empty());
}

/// What TeX owes an error for.
fn check(what: &str, latex: &str) {
    assert!(!latex.trim().is_empty(), "{what}");
    let mut braces = 0;
    let mut escaped = false;
    for c in latex.chars() {
        match c {
            '{' if !escaped => braces += 1,
            '}' if !escaped => braces -= 1,
            _ => {}
        }
        assert!(braces >= 0, "{what}: {latex}");
        escaped = c == '\\' && !escaped;
    }
    assert_eq!(braces, 0, "{what}: {latex}");
    let count = |text: &str| latex.matches(text).count();
    assert_eq!(count(r"\left"), count(r"\right"), "{what}: {latex}");
    assert_eq!(count(r"\begin{cases}"), count(r"\end{cases}"), "{what}: {latex}");
    // A name of several letters is in a group of upright letters, its underscores escaped.
    let mut outside = latex.to_owned();
    for group in [r"\mathrm{", r"\text{", r"\operatorname{"] {
        while let Some(start) = outside.find(group) {
            let length = outside[start..].find('}').expect("a closed group") + 1;
            outside.replace_range(start..start + length, " ");
        }
    }
    assert!(!outside.contains(r"\_"), "{what}: {latex}");
    let mut command = false;
    let mut letters = 0;
    for c in outside.replace(r"\begin{cases}", " ").replace(r"\end{cases}", " ").chars() {
        if c == '\\' {
            command = true;
        } else if c.is_ascii_alphabetic() {
            letters += usize::from(!command);
            assert!(letters < 2, "{what}: {latex}");
        } else {
            (command, letters) = (false, 0);
        }
    }
}

#[test]
fn every_loss_is_sound_latex() {
    for entry in CATALOG {
        let loss = entry.with_defaults();
        check(loss.id(), &loss.latex());
        for order in 1..=2 {
            let derivatives = loss.latex_derivatives(order);
            assert!(loss.has_class_axis() || !derivatives.is_empty(), "{loss}");
            for (component, latex) in derivatives {
                check(&format!("{loss}, order {order}, {component:?}"), &latex);
            }
        }
    }
}
