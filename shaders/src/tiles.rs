//! How much one invocation and one workgroup compute, for each kind of device.

/// Sizes for a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProductTile {
    /// Groups of four columns, next to each other in a workgroup.
    pub lanes: u32,
    /// Number of slices into which the sum is cut. They are added in order.
    pub slices: u32,
    /// Groups of four columns per invocation; in the forward step, a group is the four gates of a
    /// unit.
    pub groups: u32,
    /// Vectors of four batch rows per invocation.
    pub vectors: u32,
}

/// Sizes for the products of the weight gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GradientTile {
    /// Columns next to each other in a workgroup.
    pub lanes: u32,
    /// Number of slices into which the steps are cut. They are added in order.
    pub slices: u32,
    /// Rows per invocation, in fours.
    pub rows: u32,
    /// Columns per invocation, in fours.
    pub columns: u32,
}

/// All sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiles {
    /// For a forward step.
    pub forward: ProductTile,
    /// For a backward step.
    pub backward: ProductTile,
    /// For a product over all steps.
    pub project: ProductTile,
    /// For the weight gradients.
    pub gradient: GradientTile,
    /// Invocations per workgroup of elementwise kernels.
    pub element_lanes: u32,
}

impl Tiles {
    /// For GPUs: many workgroups with many invocations, each with a short sum.
    ///
    /// 64 workgroups per step, forward and backward, with 256 units and 32 rows.
    pub const GPU: Self = Self {
        forward: ProductTile { lanes: 16, slices: 8, groups: 1, vectors: 2 },
        backward: ProductTile { lanes: 8, slices: 16, groups: 1, vectors: 1 },
        project: ProductTile { lanes: 16, slices: 8, groups: 1, vectors: 2 },
        gradient: GradientTile { lanes: 32, slices: 8, rows: 1, columns: 1 },
        element_lanes: 64,
    };

    /// For devices that run on the CPU: much work per invocation, because loads dominate there, and
    /// no barriers, which are even slower. With larger tiles, Mesa's compiler doesn't unroll the
    /// loops over them, and a kernel takes several times as long.
    pub const SOFTWARE: Self = Self {
        forward: ProductTile { lanes: 8, slices: 1, groups: 4, vectors: 4 },
        backward: ProductTile { lanes: 8, slices: 1, groups: 4, vectors: 4 },
        project: ProductTile { lanes: 8, slices: 1, groups: 2, vectors: 4 },
        gradient: GradientTile { lanes: 8, slices: 1, rows: 3, columns: 2 },
        element_lanes: 64,
    };

    /// The constants of `wgsl/common/tiles.wgsl` with these sizes.
    pub(crate) fn source(&self) -> String {
        let Self { forward, backward, project, gradient, element_lanes } = self;
        let products = [("FORWARD", forward), ("BACKWARD", backward), ("PROJECT", project)];
        let products = products.map(|(name, ProductTile { lanes, slices, groups, vectors })| {
            format!(
                "const {name}_LANES = {lanes}u;\nconst {name}_SLICES = {slices}u;\n\
                 const {name}_GROUPS = {groups}u;\nconst {name}_VECTORS = {vectors}u;\n"
            )
        });
        let GradientTile { lanes, slices, rows, columns } = gradient;
        let others = format!(
            "const GRADIENT_LANES = {lanes}u;\nconst GRADIENT_SLICES = {slices}u;\n\
             const GRADIENT_ROWS = {rows}u;\nconst GRADIENT_COLUMNS = {columns}u;\n\
             const ELEMENT_LANES = {element_lanes}u;\n"
        );
        products.concat() + &others
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_tiles_has_those_for_a_gpu() {
        let file = include_str!("../wgsl/common/tiles.wgsl");
        let constants: Vec<&str> = file.lines().filter(|line| line.starts_with("const")).collect();
        let source = Tiles::GPU.source();
        assert_eq!(constants, source.lines().collect::<Vec<_>>());
    }
}
