//! Resize, and Upsample before it: a tensor sampled anew along its dimensions, one after the other.

mod coordinates;
mod size;
mod taps;

use burn_backend::Backend;

use super::{
    super::{
        DType, Data, Limits, Tensor, TensorView,
        plan::{Args, Kernel, Reason},
        tensor::{Element, each_view},
    },
    Operator, Refusal, Spec,
    broadcast::bounded,
    cast::{of_f64, to_f64},
    pick::{around, pick_along, shrinking_first},
};
use coordinates::Coordinates;
use size::{Length, Policy, Sizes};
use taps::{Filter, Nearest, Resampled};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    matches!(name, "Resize" | "Upsample").then_some(Operator { types, kernel })
}

/// How an element of the result is made.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    /// It is one of the tensor's.
    Nearest(Nearest),
    /// It is the weighted mean of several.
    Mean(Filter),
}

struct Resize {
    mode: Mode,
    coordinates: Coordinates,
    policy: Policy,
    axes: Option<Vec<i64>>,
    /// What is outside of the tensor, if coordinates may be.
    outside: f32,
    limits: Limits,
}

/// The specification and its implementations differ in how large the result would be.
const SCALED_CROP: &str = "a crop of which scales are given instead of sizes";

fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let dtype = spec.dtype(0)?;
    let resize = resize(spec)?;
    match (resize.mode, dtype) {
        (Mode::Nearest(_), dtype) if !resize.coordinates.leave() => Ok(vec![dtype]),
        (_, dtype) if dtype.is_float() => Ok(vec![dtype]),
        (_, DType::Str) => Err(Refusal::invalid("it does not compute with str")),
        (_, dtype) => Err(Refusal::unsupported(format!("means of {dtype}"))),
    }
}

fn resize(spec: &Spec<'_>) -> Result<Resize, Refusal> {
    let limits = *spec.limits();
    let axes = spec.ints("axes")?.map(<[i64]>::to_vec);
    if spec.op().name == "Upsample" || spec.version() < 11 {
        let mode = match spec.text("mode", "nearest")? {
            "nearest" => Mode::Nearest(Nearest::Simple),
            "linear" | "bilinear" => Mode::Mean(Filter::linear()),
            other => return Err(Refusal::invalid(format!("it does not resize by `{other}`"))),
        };
        let coordinates = Coordinates::Asymmetric;
        return Ok(Resize { mode, coordinates, policy: Policy::Stretch, axes: None, outside: 0.0, limits });
    }
    let coordinates = Coordinates::named(spec.text("coordinate_transformation_mode", "half_pixel")?)?;
    if coordinates.leave() && spec.has(2) && !spec.has(3) {
        return Err(Refusal::unsupported(SCALED_CROP));
    }
    let exclude = spec.flag("exclude_outside", false)?;
    let antialias = spec.flag("antialias", false)?;
    let mode = match spec.text("mode", "nearest")? {
        "nearest" if exclude || antialias => {
            return Err(Refusal::unsupported("`exclude_outside` or `antialias` of the nearest element"));
        }
        "nearest" => Mode::Nearest(Nearest::named(spec.text("nearest_mode", "round_prefer_floor")?)?),
        "linear" => Mode::Mean(Filter { cubic: None, antialias, exclude }),
        "cubic" => {
            let cubic = Some(spec.float("cubic_coeff_a", -0.75)?.into());
            Mode::Mean(Filter { cubic, antialias, exclude })
        }
        other => return Err(Refusal::invalid(format!("it does not resize by `{other}`"))),
    };
    let policy = Policy::named(spec.text("keep_aspect_ratio_policy", "stretch")?)?;
    let outside = spec.float("extrapolation_value", 0.0)?;
    Ok(Resize { mode, coordinates, policy, axes, outside, limits })
}

fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let resize = resize(spec)?;
    let sizes = Source::new(spec)?;
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let sizes = sizes.read(args)?;
        if matches!(sizes, Sizes::Scales(_)) && resize.coordinates.leave() {
            return Err(SCALED_CROP.to_owned());
        }
        let lengths = sizes.lengths(view.shape(), resize.axes.as_deref(), resize.policy)?;
        resize.run(view, &lengths)
    }))
}

/// Where the sizes of the result are told.
enum Source {
    Fixed(Vec<f32>),
    Scales(usize),
    /// Inputs: a region, scales or sizes.
    Inputs,
}

impl Source {
    fn new(spec: &Spec<'_>) -> Result<Source, Refusal> {
        Ok(match (spec.op().name.as_str(), spec.version()) {
            ("Upsample", ..7) => {
                let scale = |name| match spec.float(name, 0.0) {
                    Ok(scale) if scale > 0.0 => Ok(scale),
                    _ => Err(Refusal::invalid(format!("its `{name}` is missing"))),
                };
                Source::Fixed(vec![1.0, 1.0, scale("height_scale")?, scale("width_scale")?])
            }
            ("Upsample", ..9) => match spec.floats("scales")? {
                Some(scales) => Source::Fixed(scales.to_vec()),
                None => return Err(Refusal::invalid("its `scales` are missing")),
            },
            ("Upsample", _) | (_, ..11) => Source::Scales(1),
            _ => Source::Inputs,
        })
    }

    fn read<B: Backend>(&self, args: &Args<'_, '_, B>) -> Result<Sizes, Reason> {
        let scales = |input: usize| match args.view(input)? {
            TensorView::F32 { data, .. } => Ok::<_, Reason>(data.to_vec()),
            other => Err(format!("its scales are {}", other.dtype())),
        };
        // An input without elements is one that is not given.
        let given =
            |input: usize| -> Result<bool, Reason> { Ok(args.has(input) && !args.view(input)?.is_empty()) };
        Ok(match self {
            Source::Fixed(scales) => Sizes::Scales(scales.clone()),
            Source::Scales(input) => Sizes::Scales(scales(*input)?),
            Source::Inputs => {
                let region = if given(1)? { Some(to_f64(args.view(1)?)?) } else { None };
                match (given(2)?, given(3)?) {
                    (true, false) => Sizes::Scales(scales(2)?),
                    (false, true) => Sizes::Sizes(args.i64(3)?.to_vec(), region),
                    _ => return Err("it is given not either of scales and sizes".to_owned()),
                }
            }
        })
    }
}

impl Resize {
    fn run(&self, view: TensorView<'_>, lengths: &[Length]) -> Result<Tensor, Reason> {
        let shape: Vec<usize> = lengths.iter().map(|length| length.new).collect();
        bounded(&shape, &self.limits)?;
        let old = view.shape();
        if shape.contains(&0) {
            return Ok(Tensor { data: Data::empty(view.dtype()), shape });
        }
        if old.contains(&0) {
            return Err(format!("shape {old:?} has nothing to make shape {shape:?} of"));
        }
        let resized = (0..old.len()).filter(|&at| !lengths[at].stays());
        let data = match self.mode {
            Mode::Nearest(nearest) => {
                let source = |at: usize, place| nearest.source(place, &lengths[at], self.coordinates);
                // Where no coordinate lies outside, elements may be what no number becomes.
                let outside =
                    of_f64(vec![self.outside.into()], view.dtype()).unwrap_or(Data::Str(Vec::new()));
                let outside = Tensor { shape: vec![outside.len()], data: outside };
                each_view!(view, data => {
                    let fill = fill(&outside, data);
                    Element::data(pick_along(data, (old, &shape), resized, source, &fill))
                })
            }
            Mode::Mean(filter) => {
                let mut data = to_f64(view)?;
                let mut now = old.to_vec();
                for at in shrinking_first(resized, old, &shape) {
                    let resampled = Resampled { filter, length: &lengths[at], coordinates: self.coordinates };
                    data = resampled.apply(&data, around(&now, at), self.outside.into());
                    now[at] = shape[at];
                }
                of_f64(data, view.dtype())?
            }
        };
        Ok(Tensor { shape, data })
    }
}

/// What is given where a coordinate lies outside, as an element like those.
fn fill<T: Element>(outside: &Tensor, like: &[T]) -> T {
    outside.view().like(like).and_then(|fill| fill.first().cloned()).unwrap_or_default()
}
