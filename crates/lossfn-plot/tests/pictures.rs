//! Pictures, judged by what is in them: places are mapped back to numbers and compared with the losses.

use lossfn::{CATALOG, Cost, Loss};
use lossfn_plot::{Against, Axis, Curves, Error, Figure, Frame, Layer, Order, Theme, side_by_side};
use resvg::tiny_skia::Pixmap;
use roxmltree::{Document, Node};

fn losses(texts: &str) -> Vec<Loss> {
    texts.split(' ').map(|text| text.parse().unwrap()).collect()
}

fn curves(texts: &str) -> Curves {
    Curves::new(losses(texts))
}

/// The lines of a layer of an SVG, as numbers on the axes.
fn lines(svg: &str, layer: usize, frame: &Frame) -> Vec<Vec<(f64, f64)>> {
    let document = Document::parse(svg).unwrap();
    let class = format!("layer-{layer}");
    let group = document.descendants().find(|node| node.attribute("class") == Some(&class));
    let line = |node: Node| {
        let points = node.attribute("points").unwrap().split_whitespace().map(|point| {
            let (x, y) = point.split_once(',').unwrap();
            let pixels = |text: &str| text.parse::<f64>().unwrap() / 10.0;
            frame.point((pixels(x), pixels(y)))
        });
        points.collect()
    };
    let nodes = group.into_iter().flat_map(|group| group.children());
    nodes.filter(|node| node.has_tag_name("polyline")).map(line).collect()
}

/// All text of an SVG but its title and description.
fn words(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.map(|node| node.text().unwrap_or_default().trim().to_owned()).collect()
}

fn pixel_sizes(frame: &Frame) -> (f64, f64) {
    (
        (frame.x.1 - frame.x.0) / (frame.right - frame.left),
        (frame.y.1 - frame.y.0) / (frame.bottom - frame.top),
    )
}

/// Holds every point of the lines, and the middle between each two, to a function: there is a place less
/// than `close` pixels away where it has that value, give or take as many pixels.
fn assert_follows(
    lines: &[Vec<(f64, f64)>],
    frame: &Frame,
    close: f64,
    value: impl Fn(f64) -> f64,
) {
    let (across, up) = pixel_sizes(frame);
    let middles = lines
        .iter()
        .flat_map(|line| line.windows(2))
        .map(|pair| (f64::midpoint(pair[0].0, pair[1].0), f64::midpoint(pair[0].1, pair[1].1)));
    let points: Vec<(f64, f64)> = lines.iter().flatten().copied().chain(middles).collect();
    assert!(points.len() > 2);
    for (x, y) in points {
        let steps = (-8..=8).map(|step| x + across * close * f64::from(step) / 8.0);
        let near: Vec<f64> = steps.map(&value).filter(|y| !y.is_nan()).collect();
        let low = near.iter().copied().fold(f64::INFINITY, f64::min) - close * up;
        let high = near.iter().copied().fold(f64::NEG_INFINITY, f64::max) + close * up;
        assert!((low..=high).contains(&y), "at {x}: {y} is drawn, and it is from {low} to {high}");
    }
}

#[test]
fn curves_are_those_of_the_library() {
    for texts in [
        "huber squared_error absolute_error",
        "quantile(level=0.1) quantile(level=0.9)",
        "cauchy tukey_biweight welsch linex",
        "periodic(frequency=4) log_cosh",
    ] {
        let curves = curves(texts);
        let figure = curves.figure().unwrap();
        let (svg, frame) = (figure.svg(Theme::Light).unwrap(), figure.frame().unwrap());
        for (layer, loss) in curves.losses.iter().enumerate() {
            let cost = Cost::new(loss.clone());
            let value = |residual: f64| cost.value(&[residual + 1.0], &[1.0]).unwrap();
            let lines = lines(&svg, layer, &frame);
            assert_follows(&lines, &frame, 0.25, value);
            // From one end of the axis to the other, but for what is too high.
            let (across, _) = pixel_sizes(&frame);
            let seen = |x: f64| value(x) <= frame.y.1;
            for end in [frame.x.0, frame.x.1].into_iter().filter(|x| seen(*x)) {
                assert!(
                    lines.iter().flatten().any(|(x, _)| (x - end).abs() < across / 10.0),
                    "{loss} does not reach {end}"
                );
            }
        }
    }
}

#[test]
fn gradients_are_those_of_the_library() {
    let curves = Curves { order: Order::Gradient, ..curves("huber smooth_l1(beta=0.5) log_cosh") };
    let figure = curves.figure().unwrap();
    let (svg, frame) = (figure.svg(Theme::Light).unwrap(), figure.frame().unwrap());
    for (layer, loss) in curves.losses.iter().enumerate() {
        let cost = Cost::new(loss.clone());
        let value = |residual: f64| {
            let mut gradient = [0.0];
            cost.value_and_gradient(&[residual], &[0.0], &mut gradient).unwrap();
            gradient[0]
        };
        assert_follows(&lines(&svg, layer, &frame), &frame, 0.25, value);
    }
}

#[test]
fn losses_of_rows_and_of_several_numbers_are_those_of_the_library() {
    let figure = curves("softmax_cross_entropy").figure().unwrap();
    let (svg, frame) = (figure.svg(Theme::Light).unwrap(), figure.frame().unwrap());
    for label in 0..2 {
        let value = |x: f64| ((x.exp() + 2.0) / if label == 0 { x.exp() } else { 1.0 }).ln();
        assert_follows(&lines(&svg, label, &frame), &frame, 0.25, value);
    }
    let figure = curves("gaussian_nll").figure().unwrap();
    let (svg, frame) = (figure.svg(Theme::Light).unwrap(), figure.frame().unwrap());
    for (layer, variance) in [0.5f64, 1.0, 2.0].into_iter().enumerate() {
        let value = |mean: f64| f64::midpoint(variance.ln(), mean * mean / variance);
        assert_follows(&lines(&svg, layer, &frame), &frame, 0.25, value);
    }
}

#[test]
fn both_classes_of_cross_entropy_are_drawn_to_the_edge() {
    let figure = curves("binary_cross_entropy").figure().unwrap();
    let (svg, frame) = (figure.svg(Theme::Light).unwrap(), figure.frame().unwrap());
    assert_follows(&lines(&svg, 0, &frame), &frame, 0.25, |p| -p.ln());
    assert_follows(&lines(&svg, 1, &frame), &frame, 0.25, |p| -(1.0 - p).ln());
    // An infinite loss leaves the frame at its top.
    let start = lines(&svg, 0, &frame)[0][0];
    assert!((start.1 - frame.y.1).abs() < 1e-9, "{start:?}");
    let texts = words(&svg);
    assert!(texts.contains(&"target 1".to_owned()) && texts.contains(&"target 0".to_owned()));
}

#[test]
fn kinks_are_sharp_and_at_their_place() {
    for (text, x, y) in [
        ("absolute_error", 0.0, 0.0),
        ("hinge", 1.0, 0.0),
        ("epsilon_insensitive(epsilon=0.7)", 0.7, 0.0),
    ] {
        let figure = Curves { range: Some((-2.9, 3.1)), ..curves(text) }.figure().unwrap();
        let (svg, frame) = (figure.svg(Theme::Light).unwrap(), figure.frame().unwrap());
        let (across, up) = pixel_sizes(&frame);
        let lines = lines(&svg, 0, &frame);
        let is_there = |point: &&(f64, f64)| {
            (point.0 - x).abs() < 0.3 * across && (point.1 - y).abs() < 0.3 * up
        };
        assert!(lines[0].iter().any(|point| is_there(&point)), "{text}: {lines:?}");
        // Straight lines need few points.
        assert!(lines[0].len() < 20, "{text}: {} points", lines[0].len());
    }
}

#[test]
fn jumps_are_not_joined() {
    let figure = curves("zero_one").figure().unwrap();
    let (svg, frame) = (figure.svg(Theme::Light).unwrap(), figure.frame().unwrap());
    let steps = lines(&svg, 0, &frame);
    assert_eq!(steps.len(), 2, "{steps:?}");
    for line in &steps {
        assert!((line[0].1 - line[line.len() - 1].1).abs() < 1e-9, "{line:?}");
    }
    let figure = Curves { order: Order::Gradient, ..curves("absolute_error") }.figure().unwrap();
    let (svg, frame) = (figure.svg(Theme::Light).unwrap(), figure.frame().unwrap());
    let (_, up) = pixel_sizes(&frame);
    let sides = lines(&svg, 0, &frame);
    assert_eq!(sides.len(), 2, "{sides:?}");
    for (line, value) in sides.iter().zip([-1.0, 1.0]) {
        assert!(line.iter().all(|point| (point.1 - value).abs() < 0.1 * up), "{line:?}");
    }
    assert!(sides[0][1].0 <= 0.1 && sides[1][0].0 >= -0.1, "{sides:?}");
}

#[test]
fn one_steep_curve_does_not_hide_the_others() {
    let texts = "zero_one hinge logistic exponential squared_hinge savage";
    let frame = curves(texts).figure().unwrap().frame().unwrap();
    assert!(frame.y.1 > 3.0 && frame.y.1 < 8.0, "{frame:?}");
    let robust = Curves { order: Order::Gradient, ..curves("squared_error huber welsch cauchy") };
    let frame = robust.figure().unwrap().frame().unwrap();
    assert!(frame.y.1 > 1.0 && frame.y.1 < 3.0, "{frame:?}");
    assert!((frame.y.0 + frame.y.1).abs() < 1e-9, "as much below as above: {frame:?}");
}

#[test]
fn every_loss_of_the_catalog_has_pictures() {
    for entry in CATALOG {
        for order in [Order::Loss, Order::Gradient, Order::Second] {
            let curves = Curves { order, ..Curves::new(vec![entry.with_defaults()]) };
            let id = entry.description.id;
            let figure = curves.figure().unwrap_or_else(|error| panic!("{id}: {error}"));
            let svg = figure.svg(Theme::Auto).unwrap_or_else(|error| panic!("{id}: {error}"));
            let frame = figure.frame().unwrap();
            let drawn = (0..figure.layers.len()).map(|layer| lines(&svg, layer, &frame).len());
            assert!(drawn.sum::<usize>() > 0, "{id}: nothing is drawn");
            assert!(svg.len() < 12_000, "{id}: {} bytes", svg.len());
        }
    }
}

#[test]
fn labels_are_all_there_and_apart() {
    let figure = Curves {
        title: Some("Pinballs & <levels>".into()),
        ..curves("quantile(level=0.1) quantile(level=0.5) quantile(level=0.9)")
    };
    let svg = figure.figure().unwrap().svg(Theme::Light).unwrap();
    let texts = words(&svg);
    for wanted in ["level = 0.1", "level = 0.5", "level = 0.9", "loss", "Pinballs & <levels>"] {
        assert_eq!(texts.iter().filter(|text| *text == wanted).count(), 1, "{wanted}: {texts:?}");
    }
    let document = Document::parse(&svg).unwrap();
    assert_eq!(document.root_element().attribute("role"), Some("img"));
    let of = |name| document.descendants().find(|node| node.has_tag_name(name)).unwrap().text();
    assert_eq!(of("title"), Some("Pinballs & <levels>"));
    assert!(of("desc").unwrap().contains("level = 0.9"), "{:?}", of("desc"));
    // Curves that end at nearly the same height: the labels make room for each other.
    let figure = curves("huber huber(delta=1.01) huber(delta=1.02)").figure().unwrap();
    let svg = figure.svg(Theme::Light).unwrap();
    let document = Document::parse(&svg).unwrap();
    let labels = document.descendants().filter(|node| {
        node.has_tag_name("text")
            && node.text().is_some_and(|text| text.trim().starts_with("delta"))
    });
    let places: Vec<(f64, f64)> = labels
        .map(|node| {
            let place = |name| node.attribute(name).unwrap().parse::<f64>().unwrap() / 10.0;
            (place("x"), place("y"))
        })
        .collect();
    assert_eq!(places.len(), 3);
    for (at, a) in places.iter().enumerate() {
        for b in &places[..at] {
            assert!((a.1 - b.1).abs() > 14.0 || (a.0 - b.0).abs() > 80.0, "{places:?}");
        }
    }
}

#[test]
fn a_family_is_told_apart_by_what_differs() {
    let figure = curves("huber(delta=0.5) huber(delta=2)").figure().unwrap();
    let labels: Vec<&str> = figure.layers.iter().map(Layer::label).collect();
    assert_eq!((figure.title.as_str(), labels), ("huber", vec!["delta = 0.5", "delta = 2"]));
    let styles = figure.layers.iter().map(|layer| match layer {
        Layer::Line { color, dashed, .. } => (*color, *dashed),
        other => panic!("{other:?}"),
    });
    assert_eq!(styles.collect::<Vec<_>>(), [(0, false), (1, true)]);
}

#[test]
fn losses_that_do_not_go_together_are_refused() {
    let message = |curves: Curves| match curves.figure() {
        Err(Error::Curves(message)) => message,
        other => panic!("{other:?}"),
    };
    assert!(message(Curves::default()).contains("no loss"));
    let mixed = message(curves("huber softmax_cross_entropy"));
    assert!(mixed.contains("residual") && mixed.contains("softmax_cross_entropy"), "{mixed}");
    assert!(message(curves("hinge huber")).contains("margin"));
    let over = |against, texts| message(Curves { against: Some(against), ..curves(texts) });
    assert!(over(Against::Margin, "huber").contains("huber cannot be drawn over the margin"));
    assert!(over(Against::Residual, "hinge").contains("cannot be drawn"));
    assert!(over(Against::Probability, "hinge").contains("cannot be drawn"));
    let target = |target, texts| message(Curves { target: Some(target), ..curves(texts) });
    assert!(target(-1.0, "poisson").contains("0 or more"));
    assert!(target(f64::NAN, "poisson").contains("NaN"));
    assert!(target(1.0, "hinge").contains("the margin holds it"));
    assert!(target(1.0, "softmax_cross_entropy").contains("one of the classes"));
    let nothing = Curves { range: Some((2.0, 3.0)), ..curves("binary_cross_entropy") };
    assert!(message(nothing).contains("nothing is finite"));
    for range in [(1.0, 1.0), (2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY), (1.0, 1.0 + 1e-15)]
    {
        let refused = Curves { range: Some(range), ..curves("huber") }.figure();
        assert!(matches!(refused, Err(Error::Range { axis: "x", .. })), "{range:?}: {refused:?}");
    }
}

#[test]
fn losses_meet_over_what_they_share() {
    let figure = curves("hinge binary_cross_entropy_with_logits").figure().unwrap();
    assert!(figure.x.label.contains("margin"));
    let frame = figure.frame().unwrap();
    let svg = figure.svg(Theme::Light).unwrap();
    assert_follows(&lines(&svg, 1, &frame), &frame, 0.25, |m| (-m).exp().ln_1p());
    let figure = curves("huber absolute_percentage_error").figure().unwrap();
    assert!(figure.x.label.contains("target 2"), "{}", figure.x.label);
    let (frame, svg) = (figure.frame().unwrap(), figure.svg(Theme::Light).unwrap());
    assert_follows(&lines(&svg, 1, &frame), &frame, 0.25, |p| (p - 2.0).abs() / 2.0);
    let over = Curves {
        against: Some(Against::Residual),
        target: Some(4.0),
        ..curves("absolute_percentage_error")
    };
    let figure = over.figure().unwrap();
    let (frame, svg) = (figure.frame().unwrap(), figure.svg(Theme::Light).unwrap());
    assert_follows(&lines(&svg, 0, &frame), &frame, 0.25, |r| r.abs() / 4.0);
}

fn figure(layers: Vec<Layer>) -> Figure {
    let (x, y) = (Axis::default(), Axis::default());
    Figure { title: "by hand".into(), x, y, layers, width: 300, height: 200 }
}

fn line(points: &[(f64, f64)]) -> Layer {
    Layer::Line { label: "line".into(), points: points.to_vec(), color: 0, dashed: false }
}

#[test]
fn what_is_not_finite_breaks_a_line() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let figure = figure(vec![line(&[
        (0.0, 0.0),
        (1.0, 1.0),
        (nan, 1.0),
        (2.0, 0.0),
        (3.0, 1.0),
        (4.0, inf),
        (5.0, 0.0),
        (6.0, 1.0),
        (7.0, -inf),
    ])]);
    let (svg, frame) = (figure.svg(Theme::Light).unwrap(), figure.frame().unwrap());
    assert_eq!(lines(&svg, 0, &frame).len(), 3);
    assert_eq!(frame.x, (0.0, 6.0));
}

#[test]
fn strange_figures_are_drawn_or_refused_but_never_panic() {
    let numbers = [
        0.0,
        -0.0,
        1.0,
        -1e-320,
        5e-324,
        1e300,
        -1e308,
        f64::MAX,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1.0 + f64::EPSILON,
    ];
    let mut drawn = 0;
    for a in numbers {
        for b in numbers {
            let points = [(a, b), (b, a), (1.0, a)];
            for logarithmic in [false, true] {
                for range in [None, Some((a, b)), Some((-1.0, 1.0)), Some((0.5, 1e9))] {
                    let layers = vec![
                        line(&points),
                        Layer::Points {
                            label: "points".into(),
                            points: points.to_vec(),
                            color: usize::MAX,
                            radius: a,
                            hollow: true,
                        },
                        Layer::Bars {
                            label: "bars".into(),
                            bars: vec![(a, b, a), (b, a, b)],
                            color: 3,
                        },
                        Layer::Segments {
                            label: "pull".into(),
                            segments: vec![((a, b), (b, a))],
                            color: 4,
                        },
                        Layer::Regions { columns: 2, rows: 1, colors: vec![None, Some(9)] },
                    ];
                    let mut figure = figure(layers);
                    figure.x.logarithmic = logarithmic;
                    figure.y.range = range;
                    if let Ok(svg) = figure.svg(Theme::Auto) {
                        Document::parse(&svg).unwrap();
                        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
                        drawn += 1;
                    }
                }
            }
        }
    }
    assert!(drawn > 100, "{drawn}");
}

#[test]
fn figures_without_sense_are_refused() {
    let refused = |figure: Figure| figure.svg(Theme::Light).unwrap_err().to_string();
    assert!(refused(figure(vec![])).contains("nothing to draw"));
    assert!(refused(figure(vec![line(&[(f64::NAN, 0.0)])])).contains("nothing to draw"));
    let cells = |columns, rows| {
        vec![
            line(&[(0.0, 0.0), (1.0, 1.0)]),
            Layer::Regions { columns, rows, colors: vec![None; 3] },
        ]
    };
    assert!(refused(figure(cells(2, 2))).contains("need 4 cells, and there are 3"));
    assert!(refused(figure(cells(usize::MAX, 3))).contains("cells"));
    let sized =
        |width, height| Figure { width, height, ..figure(vec![line(&[(0.0, 0.0), (1.0, 1.0)])]) };
    for (width, height) in
        [(0, 0), (1, 1), (90, 400), (640, 50), (10_001, 400), (u32::MAX, u32::MAX)]
    {
        let error = sized(width, height).svg(Theme::Light).unwrap_err();
        assert!(matches!(error, Error::Size { .. }), "{error}");
    }
    assert!(sized(200, 140).svg(Theme::Light).is_ok());
    let mut logarithmic = figure(vec![line(&[(-1.0, 1.0), (-2.0, 3.0)])]);
    logarithmic.x.logarithmic = true;
    assert!(refused(logarithmic.clone()).contains("above 0"));
    logarithmic.x.range = Some((0.0, 1.0));
    assert!(refused(logarithmic).contains("above 0"));
}

#[test]
fn logarithmic_axes_have_powers_of_ten() {
    let mut figure = figure(vec![line(&[(1e-3, 1.0), (1e3, 2.0)])]);
    figure.x.logarithmic = true;
    figure.width = 640;
    let svg = figure.svg(Theme::Light).unwrap();
    let texts = words(&svg);
    for wanted in ["0.001", "1", "1000"] {
        assert!(texts.contains(&wanted.to_owned()), "{wanted}: {texts:?}");
    }
    let frame = figure.frame().unwrap();
    let middle = frame.pixel((1.0, 1.5)).0;
    assert!((middle - f64::midpoint(frame.left, frame.right)).abs() < 1e-9);
}

#[test]
fn a_frame_maps_both_ways() {
    let mut figure = figure(vec![line(&[(0.5, -3.0), (80.0, 7.0)])]);
    for logarithmic in [false, true] {
        figure.x.logarithmic = logarithmic;
        let frame = figure.frame().unwrap();
        for point in [(0.5, -3.0), (1.0, 0.0), (80.0, 7.0), (33.0, 1.25)] {
            let back = frame.point(frame.pixel(point));
            assert!((back.0 - point.0).abs() < 1e-9 && (back.1 - point.1).abs() < 1e-9, "{back:?}");
        }
        assert!((frame.pixel((frame.x.0, frame.y.0)).0 - frame.left).abs() < 1e-9);
        assert!((frame.pixel((frame.x.1, frame.y.1)).1 - frame.top).abs() < 1e-9);
    }
}

#[test]
fn bars_points_and_regions_are_where_they_belong() {
    let layers = vec![
        Layer::Regions { columns: 2, rows: 2, colors: vec![Some(0), Some(0), None, Some(1)] },
        Layer::Bars { label: "bars".into(), bars: vec![(0.0, 1.0, 2.0)], color: 2 },
        Layer::Points {
            label: "points".into(),
            points: vec![(0.5, 1.0), (9.0, 9.0)],
            color: 3,
            radius: 4.0,
            hollow: false,
        },
    ];
    let mut figure = figure(layers);
    (figure.x.range, figure.y.range) = (Some((0.0, 2.0)), Some((0.0, 4.0)));
    let (svg, frame) = (figure.svg(Theme::Light).unwrap(), figure.frame().unwrap());
    let document = Document::parse(&svg).unwrap();
    let place =
        |node: &Node, name: &str| node.attribute(name).unwrap().parse::<f64>().unwrap() / 10.0;
    let colored = |color: &str| {
        let of = |node: &Node| node.attribute("fill") == Some(color);
        document.descendants().filter(of).collect::<Vec<_>>()
    };
    // Two cells of one color beside each other are one: the upper half.
    let cells = colored("#0072B2");
    assert_eq!(cells.len(), 1);
    assert!((place(&cells[0], "width") - (frame.right - frame.left)).abs() < 0.2);
    assert!((place(&cells[0], "height") - (frame.bottom - frame.top) / 2.0).abs() < 0.2);
    let bar = &colored("#009E73")[0];
    assert!((place(bar, "height") - (frame.bottom - frame.top) / 2.0).abs() < 0.2);
    // One point is outside; the other mark is the legend's.
    let dots = colored("#CC79A7");
    assert_eq!(dots.len(), 2);
    let (x, y) = frame.pixel((0.5, 1.0));
    assert!((place(&dots[0], "cx") - x).abs() < 0.1 && (place(&dots[0], "cy") - y).abs() < 0.1);
}

#[test]
fn one_svg_follows_the_viewer() {
    let figure = curves("huber squared_error").figure().unwrap();
    let [light, dark, auto] =
        [Theme::Light, Theme::Dark, Theme::Auto].map(|theme| figure.svg(theme).unwrap());
    assert!(!light.contains("<style>") && !dark.contains("<style>"));
    let (before, rest) = auto.split_once("<style>").unwrap();
    let (style, after) = rest.split_once("</style>\n").unwrap();
    assert_eq!(format!("{before}{after}"), light);
    // With the rules carried out, it is the dark one.
    let mut followed = light.clone();
    for rule in style.split_once('{').unwrap().1.split('[').skip(1) {
        let (selector, declaration) = rule.split_once("]{").unwrap();
        let (attribute, color) = declaration.split_once('}').unwrap().0.split_once(':').unwrap();
        followed = followed.replace(selector, &format!("{attribute}=\"{color}\""));
    }
    assert_eq!(followed, dark);
    assert!(side_by_side(&[], Theme::Light).is_err());
}

#[test]
fn a_png_has_the_picture_and_its_text() {
    let mut figure = curves("huber squared_error").figure().unwrap();
    figure.title = "A title".into();
    let decode = |figure: &Figure, theme, scale| {
        Pixmap::decode_png(&figure.png(theme, scale).unwrap()).unwrap()
    };
    let light = decode(&figure, Theme::Light, 1.0);
    assert_eq!((light.width(), light.height()), (640, 400));
    let double = decode(&figure, Theme::Light, 2.0);
    assert_eq!((double.width(), double.height()), (1280, 800));
    let pixel = |picture: &Pixmap, x, y| {
        let color = picture.pixel(x, y).unwrap();
        (color.red(), color.green(), color.blue())
    };
    assert_eq!(pixel(&light, 1, 1), (255, 255, 255));
    assert_eq!(pixel(&decode(&figure, Theme::Dark, 1.0), 1, 1), (13, 17, 23));
    let blue = light.pixels().iter().filter(|c| (c.red(), c.green(), c.blue()) == (0, 114, 178));
    assert!(blue.count() > 200, "the curve is not there");
    // Text is drawn: without words in the title, its place is empty.
    let inked = |picture: &Pixmap| {
        let places = (0..35).flat_map(|y| (0..640).map(move |x| (x, y)));
        places.filter(|&(x, y)| pixel(picture, x, y) == (31, 35, 40)).count()
    };
    assert!(inked(&light) > 40, "{}", inked(&light));
    figure.title = " ".into();
    assert_eq!(inked(&decode(&figure, Theme::Light, 1.0)), 0);
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-9, 1e9] {
        let refused = figure.png(Theme::Light, scale);
        assert!(matches!(refused, Err(Error::Scale { .. })), "{scale}");
    }
}
