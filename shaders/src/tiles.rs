//! How much one invocation and one workgroup compute, by the kind of device.

/// Sizes of the products of a step and of a projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProductTile {
    /// Units, or columns, side by side in a workgroup.
    pub lanes: u32,
    /// Slices into which the sum is cut, added in their order.
    pub slices: u32,
    /// Vectors of four rows of the batch that an invocation computes at once.
    pub vectors: u32,
}

/// Sizes of the weight gradients' products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GradientTile {
    /// Columns side by side in a workgroup.
    pub lanes: u32,
    /// Slices into which the steps are cut, added in their order.
    pub slices: u32,
    /// Rows that an invocation computes at once.
    pub rows: u32,
    /// Columns that an invocation computes at once.
    pub columns: u32,
}

/// All sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiles {
    /// Of a step and of a projection.
    pub step: ProductTile,
    /// Of the weight gradients.
    pub gradient: GradientTile,
    /// Invocations of a workgroup where everything goes element by element.
    pub element_lanes: u32,
}

impl Tiles {
    /// For GPUs: many workgroups, each with many invocations, and a short sum for each.
    ///
    /// 64 workgroups a step at 256 units and 32 rows; `slice_sums` fills the 16 KiB of a workgroup.
    pub const GPU: Self = Self {
        step: ProductTile { lanes: 16, slices: 8, vectors: 2 },
        gradient: GradientTile { lanes: 32, slices: 8, rows: 4, columns: 4 },
        element_lanes: 64,
    };

    /// For devices that run on the processor: many rows an invocation, and no barrier, which costs
    /// more there than all it could save.
    pub const SOFTWARE: Self = Self {
        step: ProductTile { lanes: 64, slices: 1, vectors: 4 },
        gradient: GradientTile { lanes: 16, slices: 1, rows: 16, columns: 2 },
        element_lanes: 64,
    };

    /// `wgsl/common/tiles.wgsl` with these sizes.
    pub(crate) fn source(&self) -> String {
        let Self { step, gradient, element_lanes } = self;
        let constants = [
            ("STEP_LANES", step.lanes),
            ("STEP_SLICES", step.slices),
            ("STEP_VECTORS", step.vectors),
            ("GRADIENT_LANES", gradient.lanes),
            ("GRADIENT_SLICES", gradient.slices),
            ("GRADIENT_ROWS", gradient.rows),
            ("GRADIENT_COLUMNS", gradient.columns),
            ("ELEMENT_LANES", *element_lanes),
        ];
        constants.map(|(name, value)| format!("const {name} = {value}u;\n")).concat()
    }
}
