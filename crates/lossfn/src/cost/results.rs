//! Where the results of a pass go.

use crate::array::{Array, ArrayMut};

/// The results that are wanted of a pass over examples, and the memory that they go to. What has no
/// place is not computed.
///
/// ```
/// use lossfn::{Cost, Examples, Results, losses::regression::Huber};
///
/// let cost = Cost::new(Huber::new(1.0)?);
/// let (mut losses, mut second) = ([0.0; 2], [0.0; 2]);
/// let results = Results::default().losses(&mut losses).second(&mut second);
/// let state = cost.compute(&Examples::new(&[0.5, 3.0], &[0.0, 0.0]), results)?;
/// assert_eq!((losses, second), ([0.125, 2.5], [0.5, 0.0]));
/// assert_eq!(cost.value_of_state(&state)?, 1.3125);
/// # Ok::<(), lossfn::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Results<'a, 'v> {
    pub(super) losses: Option<ArrayMut<'a>>,
    pub(super) gradient: Option<ArrayMut<'a>>,
    pub(super) second: Option<ArrayMut<'a>>,
    pub(super) curvature: Option<ArrayMut<'a>>,
    pub(super) product: Option<Product<'a, 'v>>,
    pub(super) without_value: bool,
}

/// A product with the second derivatives.
#[derive(Debug)]
pub(super) struct Product<'a, 'v> {
    /// What they are multiplied by: all of it, also where the work is cut.
    pub vector: Array<'v>,
    pub to: ArrayMut<'a>,
}

impl<'a, 'v> Results<'a, 'v> {
    /// The losses one by one: see [`Cost::losses_of`](crate::Cost::losses_of).
    #[must_use]
    pub fn losses(self, to: impl Into<ArrayMut<'a>>) -> Self {
        Self { losses: Some(to.into()), ..self }
    }

    /// The derivative of the cost: see [`Cost::gradient_of`](crate::Cost::gradient_of).
    #[must_use]
    pub fn gradient(self, to: impl Into<ArrayMut<'a>>) -> Self {
        Self { gradient: Some(to.into()), ..self }
    }

    /// Its second derivative: see
    /// [`Cost::value_gradient_and_second_of`](crate::Cost::value_gradient_and_second_of).
    #[must_use]
    pub fn second(self, to: impl Into<ArrayMut<'a>>) -> Self {
        Self { second: Some(to.into()), ..self }
    }

    /// What stands in for the second derivative: see
    /// [`Cost::value_gradient_and_curvature_of`](crate::Cost::value_gradient_and_curvature_of).
    #[must_use]
    pub fn curvature(self, to: impl Into<ArrayMut<'a>>) -> Self {
        Self { curvature: Some(to.into()), ..self }
    }

    /// The matrix of second derivatives times `vector`: see
    /// [`Cost::hessian_vector_product_of`](crate::Cost::hessian_vector_product_of).
    #[must_use]
    pub fn hessian_vector_product(
        self,
        vector: impl Into<Array<'v>>,
        to: impl Into<ArrayMut<'a>>,
    ) -> Self {
        Self { product: Some(Product { vector: vector.into(), to: to.into() }), ..self }
    }

    /// Only these: the losses are not summed up, and the state has counts and weights alone.
    #[must_use]
    pub fn without_value(self) -> Self {
        Self { without_value: true, ..self }
    }

    /// Whether anything of it is a derivative, which the reduction scales.
    pub(super) fn has_derivative(&self) -> bool {
        self.gradient.is_some()
            || self.second.is_some()
            || self.curvature.is_some()
            || self.product.is_some()
    }

    /// Whether [`Results::split`] is possible.
    pub(super) fn can_be_split(&self) -> bool {
        let product = self.product.as_ref().map(|product| &product.to);
        let derivatives = [self.gradient.as_ref(), self.second.as_ref(), self.curvature.as_ref()];
        let all = derivatives.into_iter().chain([self.losses.as_ref(), product]);
        all.flatten().all(ArrayMut::can_be_split)
    }

    /// Cuts all arrays after `examples` examples of `width` elements.
    pub(super) fn split(self, examples: usize, width: usize) -> (Self, Self) {
        fn cut(
            array: Option<ArrayMut<'_>>,
            at: usize,
        ) -> (Option<ArrayMut<'_>>, Option<ArrayMut<'_>>) {
            array.map(|array| array.split(at)).unzip()
        }
        let (losses, losses_back) = cut(self.losses, examples);
        let (gradient, gradient_back) = cut(self.gradient, examples * width);
        let (second, second_back) = cut(self.second, examples * width);
        let (curvature, curvature_back) = cut(self.curvature, examples * width);
        let (product, product_back) = self
            .product
            .map(|Product { vector, to }| {
                let (front, back) = to.split(examples * width);
                (Product { vector: vector.clone(), to: front }, Product { vector, to: back })
            })
            .unzip();
        let back = Self {
            losses: losses_back,
            gradient: gradient_back,
            second: second_back,
            curvature: curvature_back,
            product: product_back,
            without_value: self.without_value,
        };
        let without_value = self.without_value;
        (Self { losses, gradient, second, curvature, product, without_value }, back)
    }
}
